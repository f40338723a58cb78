"""A transmitter of radio sockets."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from bootstrap import Gateway, Limits, Measure, Output, Reading
from bootstrap.radio.radio_socket import RadioSocket
from bootstrap.radio.transmitter import LircNode, Region, allowed_share, open_transmitter


@dataclass(kw_only=True)
class SocketTransmitter(Gateway):
    """A transmitter module for 433 or 868 MHz, and the sockets that it switches.

    Wiring: the module's DATA to `pin`, VCC to 5V, GND to GND; 10 kohm from DATA to GND, because a line floats when its
    process dies; 17 cm of wire for an aerial.
    """

    pin: Output | LircNode  # the line to DATA, or the kernel's transmitter on it, such as "/dev/lirc0"
    frequency_mhz: Annotated[float, Limits(0.1, 6000)] = 433.92  # of the module
    region: Region = "europe"  # whose limits apply; "other": those of airtime_percent
    airtime_percent: Annotated[float, Limits(0.01, 100)] | None = None  # of each hour, if that is less than is allowed

    adopts: ClassVar = RadioSocket

    sent = Measure("1", low=0, counter=True)  # transmissions since the start
    refused = Measure("1", low=0, counter=True)  # transmissions that would have been too many
    airtime = Measure("s", low=0)  # on the air in the last hour
    pulse_error = Measure("µs", low=0)  # of the worst pulse of the last transmission

    def __post_init__(self) -> None:
        self.share = allowed_share(self.frequency_mhz, self.region, self.airtime_percent)

    def setup(self) -> None:
        """Own the line, which is low from the first moment."""
        self.sender = open_transmitter(self)

    def switch(self, socket: RadioSocket, on: bool) -> None:
        """Send what switches a socket; then it shows that."""
        self.sender.send(socket.code.frame(on=on), lambda: self.publish(socket, socket.told(on, "assumed")))

    def read(self) -> Reading:
        """Return what was sent."""
        return self.sender.reading()

    def teardown(self) -> None:
        """End what is being sent."""
        if hasattr(self, "sender"):
            self.sender.stop()
