"""Which edges of a contact to GND are pulses of a meter, by their times."""

from typing import NamedTuple

from bootstrap.pins.edge_times import SECOND_NS, EdgeBatch


class _Change(NamedTuple):
    """The last change of the contact, until it has lasted. Of one that is not `sure`, the kernel saw only the end."""

    at_ns: int
    closed: bool
    sure: bool


class PulseSieve:
    """Tells pulses from bounces, and from what comes sooner than it can.

    A level counts once it has lasted; a pulse is where the contact closes. What closes too soon after it has closed
    before is implausible, and so is what follows that too soon: a contact that rests where it trembles counts nothing.

    Attributes:
        bounces: closings that did not last, or came after an opening that did not last.
        implausible: closings that lasted, but came too soon.
    """

    def __init__(self, bounce_s: float, apart_s: float = 0.0) -> None:
        """A level lasts `bounce_s` seconds, and from one pulse to the next it takes at least `apart_s`."""
        self._bounce_ns, self._apart_ns = round(bounce_s * SECOND_NS), round(apart_s * SECOND_NS)
        self.bounces = self.implausible = 0
        self._change: _Change | None = None
        self._closed = False  # what has lasted
        self._seen: bool | None = None  # what the last edge said; None before the first
        self._last_ns: int | None = None  # when it has closed last, for a pulse or not

    @property
    def waits(self) -> bool:
        """Whether the last change is yet to last."""
        return self._change is not None

    def feed(self, batch: EdgeBatch) -> list[int]:
        """Return the times of the pulses that follow from more edges."""
        if batch.lost:
            self._change, self._closed, self._seen = None, False, None
        found = list[int]()
        for at_ns, rising in zip(batch.times_ns, batch.rising, strict=True):
            found += self._next(at_ns, closed=not rising)
        return found

    def settle(self, until_ns: int) -> list[int]:
        """Return the time of the pulse that there is, because until now no edge has followed the last one."""
        if self._change is not None and not self._change.sure:
            self._drop()
        return self._lasted(until_ns)

    def _next(self, at_ns: int, *, closed: bool) -> list[int]:
        """Judge the last change by the next edge.

        The kernel reads the level a moment after an edge. If that has changed back by then, the edge seems to lead to
        the level that there was; the next one tells how long that took, unless the kernel has missed it.
        """
        unsure = self._change is not None and not self._change.sure
        if self._change is not None and unsure and self._change.closed == closed:
            self._drop()
        found = self._lasted(at_ns)
        short = self._change is not None
        self._drop()
        again = closed == self._seen == self._closed and not (short or unsure)
        self._change, self._seen = _Change(at_ns, closed ^ again, not again), closed
        return found

    def _drop(self) -> None:
        """Take the last change for a bounce."""
        if self._change is not None:
            self.bounces += self._change.closed
            self._change = None

    def _lasted(self, until_ns: int) -> list[int]:
        """Return the time of the pulse if the last change has lasted until now, and is one."""
        if self._change is None or until_ns - self._change.at_ns < self._bounce_ns:
            return []
        (at_ns, closed, _), self._change = self._change, None
        if closed == self._closed:
            self.bounces += closed
            return []
        self._closed = closed
        return self._judge(at_ns) if closed else []

    def _judge(self, at_ns: int) -> list[int]:
        soon = self._last_ns is not None and at_ns - self._last_ns < self._apart_ns
        self._last_ns = at_ns
        self.implausible += soon
        return [] if soon else [at_ns]
