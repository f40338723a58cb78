"""The edges of a line that never rests, given to a device in batches, so that the process wakes up seldom."""

from collections.abc import Callable

from bootstrap.eventloop.loop import Loop, Timer
from bootstrap.pins.edge_times import MOST, EdgeBatch, EdgeSource

EVERY_S = 0.1  # between two batches
LEAST_S = 0.02
HALF = MOST // 2


class EdgeStream:
    """Reads the edges of a line while there are any, ten times a second; without edges nothing wakes up."""

    def __init__(self, loop: Loop, source: EdgeSource, on_edges: Callable[[EdgeBatch], None]) -> None:
        """Call `on_edges` with each batch; an empty one says that the line rests."""
        self._loop, self._source, self._on_edges = loop, source, on_edges
        self._arrived: list[EdgeBatch] = []
        self._timer: Timer | None = None
        self._await_edge()

    def _await_edge(self) -> None:
        self._loop.add_reader(self._source.fileno(), self._ready)

    def _ready(self, _events: int) -> None:
        """Begin to collect. What the kernel keeps is left there until the next batch is due."""
        if self._source.keeps:
            self._loop.remove_reader(self._source.fileno())
        else:
            self._arrived.append(self._source.read())
        if self._timer is None:
            self._timer = self._loop.call_later(EVERY_S, self._collect)

    def catch_up(self) -> None:
        """Pass on at once what has come since the last batch, if anything has."""
        batch = self._take()
        if batch.times_ns:
            self._on_edges(batch)

    def _take(self) -> EdgeBatch:
        """Return what has come since the last batch."""
        batches = [*self._arrived, self._source.read()]
        self._arrived.clear()
        return EdgeBatch(
            [time for one in batches for time in one.times_ns],
            b"".join(one.rising for one in batches),
            sum(one.lost for one in batches),
        )

    def _collect(self) -> None:
        batch = self._take()
        count = len(batch.times_ns)
        self._timer = None
        if count:
            # Of what comes faster, the kernel would keep too little.
            self._timer = self._loop.call_later(max(LEAST_S, EVERY_S * min(1, HALF / count)), self._collect)
        else:
            self._await_edge()
        self._on_edges(batch)

    def close(self) -> None:
        """Release the line."""
        if self._timer is not None:
            self._timer.cancel()
        self._loop.remove_reader(self._source.fileno())
        self._source.close()
