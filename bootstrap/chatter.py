"""A contact that changes more often than what it watches can move: it is loose, and says nothing."""

from collections import deque

CHATTER, CHATTER_S = 6, 10.0  # changes within so many seconds are those of a loose contact


class Chatter:
    """Counts the changes of one contact."""

    def __init__(self) -> None:
        self._changes: deque[float] = deque(maxlen=CHATTER)

    def note(self, now: float) -> None:
        """Note that it has changed, at a monotonic time in seconds."""
        self._changes.append(now)

    def lasts(self, now: float) -> bool:
        """Return whether it has changed too often in the seconds before."""
        return len(self._changes) == CHATTER and now - self._changes[0] < CHATTER_S
