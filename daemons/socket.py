"""A transmitter of radio sockets."""

from dataclasses import dataclass
from typing import ClassVar

from bootstrap import Gateway, Measure, Reading
from bootstrap.proof import DRIVEN_LINES
from bootstrap.radio.radio_socket import RadioSocket
from bootstrap.radio.transmitter import TransmitterSettings, open_transmitter


@dataclass(kw_only=True)
class SocketTransmitter(TransmitterSettings, Gateway):
    """A transmitter for 433 or 868 MHz, and the sockets that it switches; they say nothing back.

    Wiring: the module's DATA to `pin`, VCC to 5V, GND to GND; 10 kohm from DATA to GND, because a line floats when its
    process dies; 17 cm of wire as its aerial.
    """

    parts: ClassVar = dict.fromkeys(("FS1000A", "STX882", "KlikAanKlikUit", "Intertechno", "PT2262"), DRIVEN_LINES)

    adopts: ClassVar = RadioSocket

    sent = Measure("1", low=0, counter=True)  # transmissions since the start
    refused = Measure("1", low=0, counter=True)  # that would have been too many
    airtime = Measure("s", low=0)  # on the air in the last hour
    pulse_error = Measure("µs", low=0)  # of the worst pulse of the last transmission
    timing = Measure(str, words=("kernel", "realtime", "ordinary"))  # who kept its time

    def setup(self) -> None:
        """Own the line, which is low from the first moment."""
        self.air = open_transmitter(self)

    def read(self) -> Reading:
        """Return what was sent."""
        return self.air.reading()

    def teardown(self) -> None:
        """End what is being sent."""
        if hasattr(self, "air"):
            self.air.stop()
