"""What passes over the link of two sites in which nothing happens: each packet is counted, by a wire between them."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from support.faults.counting_wire import CountingWire, Kind, Packet
from support.plain_link import CABIN, HOME, Pace
from support.sites import COUNTERS, Sites
from support.world import PATIENCE_S, eventually

CONNECTIONS = 3  # history, state, and that of the daemon
NEVER_S = 3600
SENSORS = {HOME: [*COUNTERS, "recorder", CABIN], CABIN: [*COUNTERS, "recorder", HOME]}
HEARTBEATS = {f"{site}/{sensor}/status/heartbeat" for site, sensors in SENSORS.items() for sensor in sensors}
PINGS = (Kind.PINGREQ, Kind.PINGRESP)


class Case(NamedTuple):
    """For how long nothing happens, and how often those who are there say that they are."""

    idle_s: float
    heartbeat_s: int
    keepalive_s: int

    @property
    def quiet_s(self) -> float:
        """What came before is over: with a heartbeat, a sensor also says how the readings before it went."""
        return self.heartbeat_s + 2


QUICK = Case(idle_s=10, heartbeat_s=2, keepalive_s=5)
HOUSE = Case(idle_s=60, heartbeat_s=60, keepalive_s=30)


@pytest.fixture
def new_sites(tmp_path: Path) -> Iterator[Callable[[Case], tuple[Sites, CountingWire]]]:
    """Make two sites, each with five sensors that have nothing to say, a recorder and a bridge daemon."""
    made: list[Sites] = []

    def make(case: Case) -> tuple[Sites, CountingWire]:
        wires: list[CountingWire] = []

        def new_wire(port: int) -> CountingWire:
            wires.append(CountingWire(port))
            return wires[0]

        sites = Sites(tmp_path, Pace(keepalive_s=case.keepalive_s), saving=False, new_wire=new_wire)
        made.append(sites)
        for site in sites.both:
            site.furnish(every_s=NEVER_S, heartbeat_s=case.heartbeat_s, recorder_s=NEVER_S)
        sites.watch_over(f"every_s = {NEVER_S}\n", keepalive_s=case.keepalive_s)
        return sites, wires[0]

    yield make
    made[0].close()


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("case", [QUICK, pytest.param(HOUSE, marks=pytest.mark.soak)], ids=["quick", "house"])
def test_nothing_but_heartbeats_and_pings(new_sites: Callable[[Case], tuple[Sites, CountingWire]], case: Case) -> None:
    sites, wire = new_sites(case)
    sites.begin()
    for site in sites.both:
        site.record()
        site.live("rooms")
    sites.look_after()
    eventually(lambda: _quiet_s(wire) > case.quiet_s, "only heartbeats and pings pass", 5 * PATIENCE_S)
    before = len(wire.seen)
    time.sleep(case.idle_s)
    passed = wire.seen[before:]
    assert {one.topic for one in passed if one.kind is Kind.PUBLISH} <= HEARTBEATS
    assert {one.kind for one in passed} <= {Kind.PUBLISH, *PINGS}
    beats = Counter(one.topic for one in passed if one.kind is Kind.PUBLISH)
    assert max(beats.values()) <= case.idle_s / case.heartbeat_s + 1
    pings = Counter(one.kind for one in passed if one.kind in PINGS)
    assert max(pings.values()) <= CONNECTIONS * (case.idle_s / case.keepalive_s + 1)


def _quiet_s(wire: CountingWire) -> float:
    """For how many seconds nothing but these has passed."""
    return time.monotonic() - max(one.at for one in wire.seen if not _is_usual(one))


def _is_usual(one: Packet) -> bool:
    return one.kind in PINGS or one.topic in HEARTBEATS
