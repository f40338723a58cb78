"""The base class of devices that are read by frames on a serial port of their own."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from bootstrap.device import Device
from bootstrap.serial_frames.port_or_host import PortOrHost


@dataclass(kw_only=True)
class PortDevice(Device):
    """A device on a serial port. Its `read` runs in a worker thread, in the port's own turn."""

    # such as "/dev/serial0", the Pi's own on pins 8 and 10 (raspi-config, Serial Port: login shell no, hardware yes);
    # or "/dev/serial/by-id/usb-…", or "HOST:PORT" of a host that passes its port on
    port: PortOrHost

    blocks: ClassVar[bool] = True

    @property
    def bus(self) -> Path | str:
        """What `read` uses, so that it waits for nobody else."""
        return self.port.path or self.port.text
