"""A week that goes by in a moment: what five sensors at each of two sites publish that read once a minute."""

import json
import time
from pathlib import Path

from bootstrap.contract import timestamps
from support.sites import COUNTERS, ApartSites, Site
from support.truth import LINE, truth
from support.world import eventually

MINUTE_S, DAY, DAYS = 60, 24 * 60, 7
READINGS = DAY * DAYS
MOST_EACH = 800  # bytes of the broker's memory for a reading that waits
RUN = "aweekago"


def spend_a_week(sites: ApartSites) -> None:
    """Have both sites record on their own for a week; what waits for the other one is to be of this size."""
    sites.begin()
    for site in sites.both:
        site.furnish()
        site.record()
    sites.cable.cut()
    began = time.time() - READINGS * MINUTE_S
    for site in sites.both:
        before = resident(site)
        _live_for_a_week(site, began)
        each = (resident(site) - before) / (READINGS * len(COUNTERS))
        assert each < MOST_EACH, each


def _live_for_a_week(site: Site, began: float) -> None:
    for day in range(DAYS):
        counts = range(day * DAY + 1, (day + 1) * DAY + 1)
        told = [
            site.eyes.flood(f"{site.name}/{sensor}/data/reading", [_record(began, count) for count in counts])
            for sensor in COUNTERS
        ]
        for wait in told:
            wait()
    for sensor in COUNTERS:
        diary = "".join(LINE.format(count=count, at=_at(began, count), waited=0.0) for count in range(1, READINGS + 1))
        site.diary(sensor).write_text(diary)
        site.eyes.retain_all(
            [(f"{site.name}/{sensor}/data/{name}", json.dumps(value)) for name, value in truth(READINGS).items()]
        )
    sensors = {f"{site.name}/{sensor}": READINGS for sensor in COUNTERS}
    eventually(lambda: site.has(sensors), "its own recorder has all")


def _at(began: float, count: int) -> float:
    return began + count * MINUTE_S


def _record(began: float, count: int) -> str:
    made = timestamps.utc(int(_at(began, count) * 1_000_000))
    return json.dumps({"time": made, "run": RUN, "seq": count, **truth(count)})


def resident(site: Site) -> int:
    """Bytes of memory that its broker has."""
    lines = Path("/proc", str(site.broker.process.pid), "status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:"))
