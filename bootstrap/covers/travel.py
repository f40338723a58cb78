"""Where a cover is by the time for which it has moved since it was at an end."""

import time

OPENING, CLOSING = "opening", "closing"
ENDS = {OPENING: 100.0, CLOSING: 0.0}  # per cent
SIGNS = {OPENING: 1, CLOSING: -1}
OVERRUN, OVERRUN_S = 0.1, 0.5  # by which a motor is driven longer towards an end, whose own switch ends it


class Travel:
    """The position in per cent, 100 for open; None until it was at an end, because nobody knows it."""

    def __init__(self, opening_s: float | None, closing_s: float | None, longest_s: float) -> None:
        """Take the seconds of each whole way. Without them it is at an end after `longest_s`, and nowhere before."""
        self._full_s = {OPENING: opening_s or closing_s, CLOSING: closing_s or opening_s}
        self._longest_s = longest_s
        self._at: float | None = None
        self._way, self._since = "", 0.0

    @property
    def measures(self) -> bool:
        """Whether the seconds of a whole way are known."""
        return self._full_s[OPENING] is not None

    def begin(self, way: str) -> None:
        """Take note that it moves from now on."""
        self._way, self._since = way, time.monotonic()

    def end(self, at: float | None = None) -> None:
        """Take note that it rests, at a position that is known otherwise, or where the time has brought it."""
        self._at, self._way = self.now if at is None else at, ""

    def forget(self) -> None:
        """Take note that somebody else has moved it."""
        self._at = None

    @property
    def now(self) -> float | None:
        """The position now."""
        if not self._way:
            return self._at
        full_s = self._full_s[self._way]
        if self._at is None or full_s is None:
            return None
        moved = 100 * (time.monotonic() - self._since) / full_s
        return min(100.0, max(0.0, self._at + SIGNS[self._way] * moved))

    def seconds_to(self, goal: float, way: str) -> float:
        """Return for how long the motor must be driven from where it is now."""
        full_s = self._full_s[way]
        if full_s is None:
            return self._longest_s
        now = self.now
        part = 1.0 if now is None else abs(goal - now) / 100
        return full_s * part + (OVERRUN * full_s + OVERRUN_S if goal == ENDS[way] else 0.0)

    def whole_s(self, way: str) -> float:
        """Return for how long a motor is driven at most, from one end to the other; 0 if nobody knows."""
        full_s = self._full_s[way]
        return 0.0 if full_s is None else full_s * (1 + OVERRUN) + OVERRUN_S
