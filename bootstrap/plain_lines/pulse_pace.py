"""How often a meter pulses now, by the time between its pulses, and at most how often since they stay away."""

from collections.abc import Iterable

from bootstrap.pins.edge_times import SECOND_NS


class PulsePace:
    """The pace of pulses, averaged from one look at it to the next."""

    def __init__(self, zero_s: float, since_ns: int) -> None:
        """After `zero_s` seconds without a pulse the pace is 0; nothing is known of the time before `since_ns`."""
        self._zero_ns, self._since_ns = round(zero_s * SECOND_NS), since_ns
        self._first_ns: int | None = None
        self._last_ns: int | None = None
        self._gaps = 0  # between these two
        self._pace: float | None = None

    def add(self, times_ns: Iterable[int]) -> None:
        """Take note of pulses. What the first one after a long rest ends is no time between pulses."""
        for at_ns in times_ns:
            if self._last_ns is None or at_ns - self._last_ns >= self._zero_ns:
                self._first_ns, self._gaps = at_ns, 0
            else:
                self._gaps += 1
            self._last_ns = at_ns

    def per_second(self, now_ns: int) -> float | None:
        """Return how often it pulses a second, or None as long as there was one pulse at most.

        It falls while no pulse comes: the next one is still to come, so it can be no more than one in this time.
        """
        last_ns = self._since_ns if self._last_ns is None else self._last_ns
        if now_ns - last_ns >= self._zero_ns:
            self._pace = 0.0
        elif self._gaps and self._first_ns is not None:
            self._pace = self._gaps * SECOND_NS / (last_ns - self._first_ns)
            self._first_ns, self._gaps = last_ns, 0
        return None if self._pace is None else min(self._pace, SECOND_NS / max(1, now_ns - last_ns))

    def look_again_s(self, now_ns: int, shown: float, least_s: float) -> float:
        """Return after how many seconds what was shown has halved if no pulse comes, or is 0; at least `least_s`."""
        age_s, zero_s = (now_ns - (self._last_ns or self._since_ns)) / SECOND_NS, self._zero_ns / SECOND_NS
        return max(least_s, min(2 / shown, zero_s) - age_s)
