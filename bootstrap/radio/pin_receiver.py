"""A receiver on a GPIO line, such as a cheap superheterodyne: its pulses are found here, and decoded by rtl_433."""

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from bootstrap.device import Device
from bootstrap.logs import log
from bootstrap.radio.pulses import Pulses

if TYPE_CHECKING:
    from bootstrap.pins.edge_times import EdgeBatch

QUIET_S = 900.0  # without any edge: such a receiver hears noise all the time, or at least the neighbours


class PinReceiver:
    """Finds the transmissions on a line."""

    def __init__(self, device: Device, line: int, give: Callable[[bytes], None]) -> None:
        """Give each transmission to `give`, as text for rtl_433. OSError: the line cannot be had."""
        self._line, self._give = line, give
        self._pulses = Pulses()
        self._edges = self._lost = self._bursts = 0
        self._changed_at = time.monotonic()
        device.context.edges(line, self._on_edges)

    def _on_edges(self, batch: "EdgeBatch") -> None:
        if batch.times_ns:
            self._changed_at = time.monotonic()
        self._edges += len(batch.times_ns)
        if batch.lost and not self._lost:
            log.warning("edges come faster than they are read; further losses are only counted", lost=batch.lost)
        self._lost += batch.lost
        for text in self._pulses.feed(batch):
            self._bursts += 1
            self._give(text.encode())

    @property
    def problem(self) -> str | None:
        """Why nothing can be heard, if that is so."""
        quiet_s = time.monotonic() - self._changed_at
        if quiet_s <= QUIET_S:
            return None
        return f"GPIO{self._line} has not changed for {quiet_s:.0f} s; is the receiver powered, and its DATA there?"

    @property
    def counted(self) -> Mapping[str, float]:
        """How many edges there were, how many more were lost, and how many bursts rtl_433 was given to decode."""
        return {"edges": self._edges, "edges_lost": self._lost, "bursts": self._bursts}
