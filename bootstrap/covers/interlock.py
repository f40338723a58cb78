"""Two relays of one motor: at most one is on, and both are off for a while before one goes on."""

import time
from collections.abc import Mapping
from typing import Any

EARLY_S = 0.001  # by which a timer may be early


class Interlock:
    """The relays of a motor, each with the way that it turns it."""

    def __init__(self, relays: Mapping[str, Any], dead_s: float) -> None:
        """Begin with a dead time, because an earlier process may have driven the motor until a moment ago."""
        self._relays, self._dead_s = relays, dead_s
        self._free_at = time.monotonic() + dead_s
        self.way: str | None = None

    @property
    def wait_s(self) -> float:
        """Seconds until a relay may go on."""
        return max(0.0, self._free_at - time.monotonic())

    def drive(self, way: str) -> None:
        """Switch one relay on.

        Raises:
            RuntimeError: the other one is on, or the dead time has not passed, which is a bug.
        """
        if self.way is not None or self.wait_s > EARLY_S:
            raise RuntimeError(f"{way}: the motor has not come to rest")
        self.way = way
        self._relays[way].on()

    def release(self) -> None:
        """Switch both off."""
        for relay in self._relays.values():
            relay.off()
        if self.way is not None:
            self._free_at = time.monotonic() + self._dead_s
        self.way = None
