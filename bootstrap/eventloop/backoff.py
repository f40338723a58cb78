"""When to try again."""

import random
import time


class Backoff:
    """The wait before each new attempt: twice as long each time, up to a limit."""

    def __init__(self, first_s: float, longest_s: float, jitter: float = 0.0) -> None:
        """Begin with `first_s` seconds. `jitter` shortens a wait by up to that share, so that many do not coincide."""
        self._first_s, self._longest_s, self._jitter = first_s, longest_s, jitter
        self.next_s = first_s

    def reset(self) -> None:
        """Let the next failure count as the first."""
        self.next_s = self._first_s

    def advance(self, already_s: float = 0.0) -> float:
        """Return how long to wait now, in seconds, and double the wait after it.

        The time that the last attempt took, `already_s`, counts as waiting; but no wait is shorter than the first.
        """
        wait_s = self.next_s * random.uniform(1 - self._jitter, 1.0)  # noqa: S311 - no secret
        self.next_s = min(self._longest_s, self.next_s * 2)
        return max(self._first_s, wait_s - already_s)


class Retry:
    """A moment at which to try again, for a thread that asks how long it may sleep."""

    def __init__(self, first_s: float, longest_s: float) -> None:
        self._backoff = Backoff(first_s, longest_s)
        self.due = 0.0  # monotonic, in seconds; 0 after a success

    def failed(self, least_s: float = 0.0) -> None:
        """Try again later, in `least_s` seconds at the earliest."""
        self.due = time.monotonic() + max(least_s, self._backoff.advance())

    def succeeded(self) -> None:
        """Let the next failure count as the first."""
        self._backoff.reset()
        self.due = 0.0

    @property
    def wait_s(self) -> float:
        """Seconds until the next attempt; 0 is now."""
        return max(0.0, self.due - time.monotonic())
