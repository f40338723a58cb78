"""Where a Modbus is."""

from dataclasses import dataclass
from typing import ClassVar

from bootstrap.modbus.slave import ModbusLine, ModbusTcp, Rtu
from bootstrap.serial_frames.port_or_host import PortOrHost


@dataclass(frozen=True)
class BusPort(PortOrHost):
    """A serial port that several devices may share, or a host for Modbus TCP.

    `rtu:HOST:PORT` is a converter that only passes on what is on its serial port.
    """

    shared: ClassVar[bool] = True
    usual: ClassVar[int] = 502  # as the standard has it
    mark: ClassVar[str] = "rtu:"

    @property
    def line(self) -> ModbusLine:
        """The form of frames."""
        return Rtu() if self.path is not None or self.text.startswith(self.mark) else ModbusTcp()
