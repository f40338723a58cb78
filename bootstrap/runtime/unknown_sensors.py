"""What a gateway has heard and nobody has adopted: `status/unknown`."""

from collections.abc import Callable
from typing import Any

from bootstrap.contract import timestamps
from bootstrap.eventloop.loop import Loop, Timer
from bootstrap.gateway import SensorKey

MOST = 50  # sensors that are listed; the one that was heard longest ago makes room
EXAMPLE = 200  # longest example, in characters
EVERY_S = 10.0  # shortest time between two publications


class UnknownSensors:
    """A list of limited length, published at a limited rate."""

    def __init__(self, loop: Loop, publish: Callable[[dict[str, Any]], None]) -> None:
        """Call `publish` with the payload when the list has changed."""
        self._loop, self._publish = loop, publish
        self._heard: dict[frozenset[tuple[str, object]], dict[str, Any]] = {}  # the one heard last comes last
        self._dropped = 0
        self._timer: Timer | None = None

    def note(self, key: SensorKey, example: str) -> None:
        """Note that a sensor was heard."""
        name = frozenset(key.items())
        before = self._heard.pop(name, None)
        if before is None and len(self._heard) >= MOST:
            del self._heard[next(iter(self._heard))]
            self._dropped += 1
        count = before["count"] if before else 0
        example = example[:EXAMPLE].encode(errors="replace").decode()
        self._heard[name] = {"key": dict(key), "count": count + 1, "last": timestamps.now(), "example": example}
        self._publish_soon(0.0 if before is None and len(self._heard) == 1 else EVERY_S)

    def forget(self, key: SensorKey) -> None:
        """Remove a sensor that is adopted now."""
        if self._heard.pop(frozenset(key.items()), None):
            self._publish_soon(0.0)

    def publish(self) -> None:
        """Publish the list."""
        self._publish({"heard": [*reversed(self._heard.values())], "dropped": self._dropped})

    def _publish_soon(self, within_s: float) -> None:
        self._timer = self._loop.call_earlier(self._timer, within_s, self.publish)
