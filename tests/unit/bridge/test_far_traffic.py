"""What heartbeats of a far site say of its clock."""

import time

from bootstrap.bridge.far_traffic import FarTraffic
from bootstrap.contract import timestamps
from bootstrap.contract.payload import Json


def made(ago_s: float) -> Json:
    return {"time": timestamps.utc(round((time.time() - ago_s) * 1e6)), "clock": "ok"}


def test_what_the_far_broker_had_stored_says_nothing_of_the_clock() -> None:
    """It comes as if it were live when the link is made, and again after each cut."""
    traffic = FarTraffic()
    for _ in range(2):
        traffic.note_link()
        traffic.note_heartbeat("cabin/lamp", made(3000), stored=False)
        traffic.note_heartbeat("cabin/door", made(9), stored=False)
        assert traffic.skew_s is None


def test_the_heartbeat_that_was_fastest_tells_the_difference() -> None:
    traffic = FarTraffic()
    traffic.note_heartbeat("cabin/lamp", made(3000), stored=True)
    for late_s in (40, 35, 30, 33):
        traffic.note_heartbeat("cabin/lamp", made(late_s), stored=False)
    assert traffic.skew_s is not None
    assert -31 < traffic.skew_s < -29
