"""A device on a Modbus."""

from dataclasses import dataclass
from typing import ClassVar

from bootstrap import Measure, Reading
from bootstrap.modbus.bus_device import ModbusDevice
from bootstrap.modbus.bus_port import BusPort
from bootstrap.modbus.presets import RegisterSetting, registers_of
from bootstrap.modbus.registers import measures_of
from bootstrap.proof import WRITTEN_LINES


@dataclass(kw_only=True)
class Modbus(ModbusDevice):
    """A device on a Modbus, such as an energy meter, a heat pump or an inverter. Its file names its registers.

    Wiring: A to A and B to B of an RS-485 adapter, GND to GND, 120 ohm at both ends of the cable; or its network.
    """

    port: BusPort  # such as "/dev/serial/by-id/usb-FTDI-if00-port0", or "inverter.local:502" for Modbus TCP
    # each as NAME = TABLE NUMBER TYPE, then the order of bytes, * SCALE and UNIT where needed; "sdm120" or "sdm630" has
    # all of an Eastron meter;
    registers: list[RegisterSetting]  # such as ["voltage = input 0 uint16 * 0.1 V", "heats = coil 3"]
    baud: int = 9600  # speed in bits per second; all on one bus have the same
    mode: str = "8N1"  # data bits, parity and stop bits

    parts: ClassVar = dict.fromkeys(("SDM120", "SDM630", "Modbus RTU", "Modbus TCP"), WRITTEN_LINES)

    repeated = Measure("1", counter=True)  # questions that were asked again, such as after a disturbance

    def __post_init__(self) -> None:
        self.registers_read = registers_of(self.registers)  # type: ignore[misc]
        self.measures = {**type(self).measures, **measures_of(self.registers_read)}  # type: ignore[misc]
        self.source, self.line = self.port.source(self.baud, self.mode), self.port.line  # type: ignore[misc]

    def read(self) -> Reading:
        """Return what the registers hold."""
        return {**super().read(), "repeated": self.asked_again}
