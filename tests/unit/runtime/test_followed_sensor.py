"""A sensor that somebody listens to is late by what its heartbeats say themselves."""

from bootstrap.contract.payload import encode
from bootstrap.runtime.followed_sensor import FollowedSensor

HEARTBEAT = encode({"time": "2026-11-20T20:31:07Z", "heartbeat_s": 900})
ABOUT = encode({"heartbeat_s": 60, "measures": {"on": {"every_s": 60}}})


def test_an_about_that_comes_later_does_not_make_a_thinned_heartbeat_late() -> None:
    """A bridge thins heartbeats, and the far sensor's `about` still says how often it has one."""
    sensor = FollowedSensor("cabin/lamp")
    sensor.note("heartbeat", HEARTBEAT, 0.0, stored_us=None)
    sensor.note("about", ABOUT, 1.0, stored_us=None)
    assert sensor.problem(2000.0) is None
    assert "no sign of life" in str(sensor.problem(3000.0))
