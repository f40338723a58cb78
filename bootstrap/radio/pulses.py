"""Pulses of a receiver on a pin: transmissions are told from noise, and written as the text that rtl_433 decodes."""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from bootstrap.pins.edge_times import EdgeBatch

SHORTEST_US = 100  # pulses and gaps of a transmission last at least so long; noise is full of shorter ones
END_US = 10_000  # a longer gap ends a transmission; noise within a shorter one is part of the gap
LEAST = 24  # durations in a row that noise hardly ever has: 12 pulses and their gaps
MOST = 2400  # durations of one transmission: as many as rtl_433 takes
SILENCE_US = 20_000  # that is written at its end
RUN = re.compile(rb"\x01{%d,}" % LEAST)


class Pulses:
    """Finds transmissions in the edges of a line."""

    def __init__(self) -> None:
        self._us: list[int] = []  # durations, alternately of high and low
        self._first_high = True  # whether the first of them is one of high
        self._high = False  # since the last edge
        self._last_ns = 0  # when that was; 0 if nobody knows

    def feed(self, batch: EdgeBatch) -> list[str]:
        """Take edges; return each transmission that is complete with them, as text for rtl_433."""
        if batch.lost:
            self._us.clear()
            self._last_ns = 0
        self._append(*self._alternating(batch))
        ended = not batch.times_ns
        return [*self._complete(ended=ended)]

    def _alternating(self, batch: EdgeBatch) -> tuple[Sequence[int], int]:
        """Return the times of edges that alternate, and whether the first one rises: one of a kind in a row counts."""
        times, rising = batch.times_ns, batch.rising
        if not times:
            return times, 0
        known = bool(self._last_ns)
        if all(one != other for one, other in pairwise(rising)) and not (known and bool(rising[0]) == self._high):
            return times, rising[0]
        before = [int(self._high) if known else 1 - rising[0], *rising]
        return [at for at, one, other in zip(times, rising, before, strict=False) if one != other], 1 - before[0]

    def _append(self, times_ns: Sequence[int], rises: int) -> None:
        """Add the durations between edges, of which the first one rises or falls."""
        if not times_ns:
            return
        if self._last_ns:
            times_ns = [self._last_ns, *times_ns]
        else:
            self._high = bool(rises)
        if not self._us:
            self._first_high = self._high
        self._us += [(later - earlier) // 1000 for earlier, later in pairwise(times_ns)]
        self._last_ns = times_ns[-1]
        self._high = self._first_high ^ bool(len(self._us) % 2)

    def _complete(self, *, ended: bool) -> Iterator[str]:
        """Yield what is complete, and keep what may still be the beginning of a transmission."""
        usual = bytes([SHORTEST_US <= us <= END_US for us in self._us])
        begun = len(usual.rstrip(b"\x01"))
        open_: list[tuple[int, int]] = []
        for run in RUN.finditer(usual):
            if open_ and sum(self._us[open_[-1][1] : run.start()]) > END_US:
                yield self._text(open_)
                open_ = []
            open_.append(run.span())
        cut = ended or bool(open_ and len(usual) - open_[0][0] > MOST)
        if open_ and (cut or sum(self._us[open_[-1][1] : begun]) > END_US):
            yield self._text(open_)
            open_ = []
        self._forget(open_[0][0] if open_ else len(usual) if cut else begun)

    def _forget(self, count: int) -> None:
        """Forget the first durations."""
        del self._us[:count]
        self._first_high ^= bool(count % 2)

    def _text(self, runs: Sequence[tuple[int, int]]) -> str:
        """Return a transmission that consists of these runs of durations."""
        found: list[int] = []
        until = 0
        for begin, end in runs:
            first = begin if self._first_high ^ bool(begin % 2) else begin + 1
            if found:
                gap = sum(self._us[until:first])
                found[len(found) - 1 :] = [found[-1], gap] if len(found) % 2 else [found[-1] + gap]
            found += self._us[first:end]
            until = end
        found[len(found) - (len(found) % 2 == 0) :] = [SILENCE_US]
        pairs = zip(found[::2], found[1::2], strict=True)
        return "".join(f"{on} {off}\n" for on, off in pairs) + ";end\n"
