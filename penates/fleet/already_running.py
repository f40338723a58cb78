"""Whether a sensor is already running, and where. Two of one name would disconnect each other for ever."""

import time
from collections.abc import Collection

from bootstrap.contract.liveness import is_alive
from penates.fleet.access import Access
from penates.fleet.fleet_view import FleetView
from penates.fleet.probe import Silent, Unreachable, reach

PATIENCE_S = 10.0  # for a broker to answer
NAMES = ("state", "about", "heartbeat")


def alive(access: Access, sensors: Collection[str]) -> dict[str, str]:
    """Return those of these sensors that are alive, each with the host it runs on, by what the broker has retained.

    Raises:
        Unreachable: the broker does not answer.
    """
    with reach(access, PATIENCE_S) as probe:
        try:
            held = probe.retained(f"+/{sensor}/status/{name}" for sensor in sensors for name in NAMES)
        except Silent as error:
            raise Unreachable(f"{access.name}: {error}") from None
    return running(FleetView.of(held, time.monotonic()))


def running(view: FleetView) -> dict[str, str]:
    """Return which sensors are alive, each with the machine it runs on."""
    now = time.monotonic()
    known = view.sensors.values()
    found = (one for one in known if is_alive(one.state, one.beat_age_s(now), one.heartbeat_s))
    return {one.topics.sensor: one.host or "another machine" for one in found}
