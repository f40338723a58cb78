"""A change that takes its time, from one level to another."""

import time

STEP_S = 0.02  # between two steps: fifty a second look smooth


class Fade:
    """A straight way from one level to another, which begins now."""

    def __init__(self, begin: float, end: float, seconds: float) -> None:
        self._begin, self._end, self._seconds = begin, end, seconds
        self._since = time.monotonic()

    @property
    def _part(self) -> float:
        passed = time.monotonic() - self._since
        return 1.0 if passed >= self._seconds else passed / self._seconds

    def now(self) -> tuple[float, bool]:
        """Return the level now, and whether it is the last one."""
        part = self._part
        return self._begin + part * (self._end - self._begin), part >= 1.0
