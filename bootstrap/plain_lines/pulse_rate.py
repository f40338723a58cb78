"""How often a line pulses, from the times of its edges: an anemometer's cups, a fan's tacho."""

import time
from collections import deque

from bootstrap.pins.edge_times import SECOND_NS, EdgeBatch

MOST = 60_000  # pulses that are kept: an hour of a storm


class PulseRate:
    """The times at which a contact to GND has closed."""

    def __init__(self, keep_s: float, bounce_s: float = 0.0) -> None:
        """Forget what is older than `keep_s` seconds; what comes within `bounce_s` of a pulse belongs to it."""
        self._keep_ns, self._bounce_ns = round(keep_s * SECOND_NS), round(bounce_s * SECOND_NS)
        self._times: deque[int] = deque(maxlen=MOST)
        self._changed_ns = -self._bounce_ns
        self._since_ns = time.monotonic_ns()

    def on_edges(self, batch: EdgeBatch) -> None:
        """Take note of edges."""
        for at_ns, rising in zip(batch.times_ns, batch.rising, strict=True):
            settled = at_ns - self._changed_ns >= self._bounce_ns
            self._changed_ns = at_ns
            if settled and not rising:
                self._times.append(at_ns)

    @property
    def known_s(self) -> float:
        """For how many of the last seconds all pulses are known."""
        return min(self._keep_ns, time.monotonic_ns() - self._since_ns) / SECOND_NS

    def per_second(self, within_s: float) -> float:
        """Return how often it pulsed a second, on average over the last `within_s` seconds.

        If there were more pulses than are kept, it is the average since the oldest that is.
        """
        self._forget()
        now_ns = time.monotonic_ns()
        begin_ns = now_ns - round(within_s * SECOND_NS)
        if len(self._times) == MOST:
            begin_ns = max(begin_ns, self._times[0])
        return sum(at_ns > begin_ns for at_ns in self._times) * SECOND_NS / (now_ns - begin_ns)

    def frequency(self, within_s: float) -> float:
        """Return how often a second it pulses, by the times between the pulses of the last `within_s` seconds.

        That is exact even over a short time, but 0 for what pulses less than twice in it.
        """
        begin_ns = time.monotonic_ns() - round(within_s * SECOND_NS)
        recent = [at_ns for at_ns in self._times if at_ns > begin_ns]
        return (len(recent) - 1) * SECOND_NS / (recent[-1] - recent[0]) if len(recent) > 1 else 0.0

    def highest(self, span_s: float) -> float:
        """Return how often a second it pulsed in the busiest `span_s` seconds that are known."""
        self._forget()
        span_ns, most = round(span_s * SECOND_NS), 0
        within: deque[int] = deque()
        for at_ns in self._times:
            within.append(at_ns)
            while within[0] <= at_ns - span_ns:
                within.popleft()
            most = max(most, len(within))
        return most / span_s

    def _forget(self) -> None:
        oldest_ns = time.monotonic_ns() - self._keep_ns
        while self._times and self._times[0] <= oldest_ns:
            self._times.popleft()
