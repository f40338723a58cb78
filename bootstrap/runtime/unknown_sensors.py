"""What a gateway has heard and nobody has adopted: `status/unknown`."""

import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from bootstrap.contract import timestamps
from bootstrap.contract.payload import Json
from bootstrap.eventloop.loop import Loop, Timer
from bootstrap.gateway import SensorKey

MOST = 50  # sensors that are listed; the one that was heard longest ago makes room
EXAMPLE = 200  # longest example, in characters
NOTHING: Mapping[str, Json] = MappingProxyType({})
EVERY_S = 10.0  # shortest time between two publications


class UnknownSensors:
    """A list of limited length, published at a limited rate."""

    def __init__(self, loop: Loop, publish: Callable[[dict[str, Any]], None]) -> None:
        """Call `publish` with the payload when the list has changed."""
        self._loop, self._publish = loop, publish
        self._heard: dict[frozenset[tuple[str, object]], dict[str, Any]] = {}  # the one heard last comes last
        self._first: dict[frozenset[tuple[str, object]], float] = {}  # when each was heard first (monotonic)
        self._dropped = self._listed = 0
        self._timer: Timer | None = None

    def note(self, key: SensorKey, example: str, facts: Mapping[str, Json] = NOTHING) -> None:
        """Note that a sensor was heard; `facts` are the gateway's own."""
        name = frozenset(key.items())
        before = self._heard.pop(name, None)
        if before is None and len(self._heard) >= MOST:
            oldest = next(iter(self._heard))
            del self._heard[oldest], self._first[oldest]
            self._dropped += 1
        self._heard[name] = {
            **facts,
            **self._counted(name, before),
            "key": dict(key),
            "last": timestamps.now(),
            "example": example[:EXAMPLE].encode(errors="replace").decode(),
        }
        self._publish_soon(0.0 if before is None and len(self._heard) == 1 else EVERY_S)

    def _counted(self, name: frozenset[tuple[str, object]], before: Mapping[str, Any] | None) -> dict[str, Any]:
        """Return its number in the list, which stays its own, how often it was heard, and how often it sends."""
        now = time.monotonic()
        if before is None:
            self._first[name] = now
            self._listed += 1
            return {"number": self._listed, "count": 1}
        every_s = (now - self._first[name]) / before["count"]
        return {"number": before["number"], "count": before["count"] + 1, "every_s": round(every_s, 1)}

    def forget(self, key: SensorKey) -> None:
        """Remove a sensor that is adopted now."""
        name = frozenset(key.items())
        if self._heard.pop(name, None):
            del self._first[name]
            self._publish_soon(0.0)

    def publish(self) -> None:
        """Publish the list."""
        self._publish({"heard": [*reversed(self._heard.values())], "dropped": self._dropped})

    def _publish_soon(self, within_s: float) -> None:
        self._timer = self._loop.call_earlier(self._timer, within_s, self.publish)
