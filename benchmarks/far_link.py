"""Two sites of penates, each with five counters and a recorder, and what a cut of their link leaves behind at both."""

import contextlib
import signal
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from counting import count
from picture import Row
from support.plain_link import CABIN, HOME, Pace
from support.sites import COUNTERS, Site, Sites
from support.truth import entries, truth
from support.world import eventually

KEEPALIVE_S = 20  # of the daemon, by default
CUT_S, AWAY_S, SETTLE_S = 60.0, 20.0, 8.0
LINKED_S = 120.0  # Mosquitto calls again after at most a minute
OWN_TIME_S = 1.0


def link_cut(folder: Path) -> Row:
    """Cut the link for a minute, in silence, with the far broker killed for a part of it."""
    sites = Sites(folder, Pace())
    try:
        sites.watch_over(keepalive_s=KEEPALIVE_S)
        sites.begin()
        sites.live(every_s=1)
        sites.look_after()
        silent = _without_each_other(sites)
        eventually(lambda: all(map(sites.up, sites.both)), "they are linked", LINKED_S)
        time.sleep(SETTLE_S)
        for site in sites.both:
            site.rest()
        time.sleep(2)
        row = sum((_recorded(site, other) for site in sites.both for other in sites.both), Row())
        return row + Row(wrong_final_state=sum(_wrong(sites, site) for site in sites.both), silent=silent)
    finally:
        sites.close()


def _without_each_other(sites: Sites) -> int:
    """Return how many sensors of the other site do not count as unreachable at the end of the cut."""
    mended_at = time.monotonic() + CUT_S
    sites.link.cut()
    time.sleep(SETTLE_S)
    sites.cabin.broker.stop(signal.SIGKILL)
    time.sleep(AWAY_S)
    sites.cabin.serve()
    time.sleep(max(0.0, mended_at - time.monotonic()))
    said = {CABIN: sites.home.retained(), HOME: sites.cabin.retained()}
    states = [told.get(f"{far}/{sensor}/status/state") for far, told in said.items() for sensor in COUNTERS]
    sites.link.mend()
    return sum(state != "unreachable" for state in states)


def _recorded(site: Site, other: Site) -> Row:
    """Return what a site's recorder makes of the readings of a site: of its own or of the other one."""
    return sum((_of_sensor(site, other, sensor) for sensor in COUNTERS), Row())


def _of_sensor(site: Site, other: Site, sensor: str) -> Row:
    read = {one.count: one.at for one in entries(other.diary(sensor))}
    stored = list(_stored(site, f"{other.name}/{sensor}"))
    found = count([*read], [number for number, _ in stored])
    untimed = sum(abs(read.get(number, 0.0) - at) > OWN_TIME_S for number, at in stored)
    return Row(len(read) if site is other else 0, found.lost, found.duplicated, found.disordered, untimed)


def _stored(site: Site, sensor: str) -> Iterator[tuple[int, float]]:
    """Yield count and time, in seconds since 1970, in the order of the times."""
    query = "SELECT fields ->> 'count', time / 1e6 FROM reading JOIN sensor ON id = sensor WHERE name = ? ORDER BY time"
    with contextlib.closing(sqlite3.connect(f"file:{site.history}?mode=ro", uri=True)) as database:
        yield from database.execute(query, (sensor,))


def _wrong(sites: Sites, site: Site) -> int:
    """Return how many sensors of both sites a newcomer to this one is told something untrue of."""
    told = site.retained()
    values = {sensor: truth(number) for sensor, number in sites.made().items()}
    return sum(
        any(told.get(f"{sensor}/data/{name}") != value for name, value in true.items())
        or told.get(f"{sensor}/status/state") != "fault"  # they were told to fail their reads
        for sensor, true in values.items()
    )
