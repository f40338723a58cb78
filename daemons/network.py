"""A network interface of this machine."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

from bootstrap import Device, Measure, Reading, present
from bootstrap.machine.interface import Interface, an_interface
from bootstrap.proof import DRIVER_NOT_RUN, REAL_SYSTEM


@dataclass(kw_only=True)
class Network(Device):
    """A network interface of this machine: what goes through it, and how well the WLAN is received.

    Wiring: none.
    """

    interface: Annotated[str, an_interface]  # its name, such as "wlan0"; `ip -brief link` lists them
    root: Path = Path("/")  # the folder that contains the machine's own sys and proc

    parts: ClassVar = {"network traffic": REAL_SYSTEM, "WLAN signal": DRIVER_NOT_RUN}

    link = Measure(bool)  # whether a cable is plugged in, or a WLAN was joined
    download = Measure("B/s", low=0)  # what it has received since the reading before
    upload = Measure("B/s", low=0)  # what it has sent
    signal = Measure("dBm", low=-120, high=0)  # of the WLAN: -50 is strong, -80 weak; none without one

    def setup(self) -> None:
        """Prepare to compare one reading with the next."""
        self.found = Interface(self.interface, self.root)

    def read(self) -> Reading:
        """Return what the interface tells. OSError: it is not there."""
        self.found.require()
        return present(
            link=lambda: self.found.is_connected,
            download=lambda: self.found.rate("rx_bytes"),
            upload=lambda: self.found.rate("tx_bytes"),
            signal=lambda: self.found.signal,
        )

    def excuses(self, name: str) -> bool:
        """Excuse the signal of an interface that has joined no WLAN."""
        return name == "signal"
