"""Which edges of a contact to GND are pulses of a meter, by their times."""

from bootstrap.pins.edge_times import EdgeBatch

SECOND_NS = 1_000_000_000


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
        self._edge: tuple[int, bool] | None = None  # the last one, and whether it closed, until that has lasted
        self._closed = False
        self._last_ns: int | None = None  # when it has closed last, for a pulse or not

    @property
    def waits(self) -> bool:
        """Whether the last edge is yet to last."""
        return self._edge is not None

    def feed(self, batch: EdgeBatch) -> list[int]:
        """Return the times of the pulses that follow from more edges."""
        if batch.lost:
            self._edge, self._closed = None, False
        found = list[int]()
        for at_ns, rising in zip(batch.times_ns, batch.rising, strict=True):
            found += self.settle(at_ns)
            if self._edge is not None:
                self.bounces += self._edge[1]
            self._edge = (at_ns, not rising)
        return found

    def settle(self, until_ns: int) -> list[int]:
        """Return the time of the pulse that there is, because until now no edge has followed the last one."""
        if self._edge is None or until_ns - self._edge[0] < self._bounce_ns:
            return []
        (at_ns, closed), self._edge = self._edge, None
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
