"""Ending one sensor in order while others of its process go on."""

from collections.abc import Callable
from typing import NamedTuple

from bootstrap.eventloop.loop import Loop
from bootstrap.mqtt.connection import LINGER_S
from bootstrap.runtime.sensor import Sensor

DRAIN_S = 5.0  # longest wait at a stop for what is unacknowledged
LAST_STATE_S = 2.0  # longest wait for the last state to be acknowledged
LOOK_EVERY_S = 0.02


class _Step(NamedTuple):
    """Something to do, what to wait for then, and the longest wait in seconds."""

    act: Callable[[], None]
    done: Callable[[], bool]
    limit_s: float


class OrderlyEnd:
    """Stops a sensor's work, delivers what there is, publishes `stopped` and disconnects; then calls `ended`."""

    def __init__(self, loop: Loop, sensor: Sensor, ended: Callable[[], None]) -> None:
        self._loop, self._ended = loop, ended
        self._steps = [
            _Step(lambda: sensor.stop_working(in_order=True), lambda: sensor.delivered, DRAIN_S),
            _Step(
                lambda: sensor.publish_last_state("stopped", ""),
                lambda: sensor.all_acknowledged and sensor.link.up,
                LAST_STATE_S,
            ),
            _Step(sensor.disconnect, lambda: sensor.link.closed, LINGER_S + 1),
        ]
        self._next()

    def _next(self) -> None:
        if not self._steps:
            self._ended()
            return
        step = self._steps.pop(0)
        step.act()
        self._looks_left = round(step.limit_s / LOOK_EVERY_S)
        self._look(step.done)

    def _look(self, done: Callable[[], bool]) -> None:
        """Go on once the step is done or has taken too long; no event tells of all that it waits for."""
        self._looks_left -= 1
        if done() or self._looks_left <= 0:
            self._next()
        else:
            self._loop.call_later(LOOK_EVERY_S, lambda: self._look(done))
