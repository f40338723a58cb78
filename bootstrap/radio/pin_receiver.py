"""A receiver on a GPIO line, such as a cheap superheterodyne: its pulses are found here, and decoded by rtl_433."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from bootstrap.device import Device
from bootstrap.logs import log
from bootstrap.radio.pulses import Pulses

if TYPE_CHECKING:
    from bootstrap.pins.edge_times import EdgeBatch


class PinReceiver:
    """Finds the transmissions on a line."""

    def __init__(self, device: Device, line: int, give: Callable[[bytes], None]) -> None:
        """Give each transmission to `give`, as text for rtl_433. OSError: the line cannot be had."""
        self._give = give
        self._pulses = Pulses()
        self.edges = self.lost = self.transmissions = 0
        device.context.edges(line, self._on_edges)

    def _on_edges(self, batch: "EdgeBatch") -> None:
        self.edges += len(batch.times_ns)
        if batch.lost and not self.lost:
            log.warning("edges come faster than they are read; further losses are only counted", lost=batch.lost)
        self.lost += batch.lost
        for text in self._pulses.feed(batch):
            self.transmissions += 1
            self._give(text.encode())
