"""The base class of devices whose registers are read over Modbus."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from bootstrap.device import Device, Reading, Seconds
from bootstrap.modbus.registers import Register, read_all
from bootstrap.modbus.slave import ModbusLine, ModbusSlave, Rtu
from bootstrap.needs import ModbusAddress
from bootstrap.streams import Serial, Tcp


@dataclass(kw_only=True)
class ModbusDevice(Device):
    """A device on a Modbus. Its `read` runs in a worker thread, in the bus's turn.

    A subclass sets in `__post_init__` where the bus is, and says which registers it reads.
    """

    address: ModbusAddress = 1
    answer_s: Seconds = 1.0  # seconds to wait for an answer; then it is asked once more

    blocks: ClassVar[bool] = True
    source: ClassVar[Serial | Tcp]
    line: ClassVar[ModbusLine] = Rtu()  # the form of frames there
    registers_read: ClassVar[Sequence[Register]] = ()
    asked_again = 0  # questions whose first answer was missing or damaged

    def read(self) -> Reading:
        """Return what the registers hold."""
        with ModbusSlave(self.source, self.line, self.address, self.answer_s) as slave:
            try:
                return read_all(slave, self.registers_read)
            finally:
                self.asked_again += slave.repeated
