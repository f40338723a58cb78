"""Where a Modbus is."""

from dataclasses import dataclass
from typing import ClassVar

from bootstrap.serial_frames.port_or_host import PortOrHost


@dataclass(frozen=True)
class BusPort(PortOrHost):
    """A serial port that several devices may share, or a host for Modbus TCP."""

    shared: ClassVar[bool] = True
    usual: ClassVar[int] = 502  # as the standard has it
