"""A PZEM energy meter."""

from dataclasses import dataclass
from typing import ClassVar

from bootstrap import Measure, Serial, SerialBus
from bootstrap.modbus.bus_device import ModbusDevice
from bootstrap.modbus.presets import PZEM
from bootstrap.modbus.registers import Register
from bootstrap.proof import WRITTEN_LINES


@dataclass(kw_only=True)
class Pzem(ModbusDevice):
    """A PZEM-004T v3 or PZEM-016 meter of mains current. Several may share one port, each with an address of its own.

    Wiring: mains by an electrician. PZEM-016: A and B to an RS-485 adapter; PZEM-004T: its plug to USB serial.
    """

    port: SerialBus  # such as "/dev/serial/by-id/usb-1a86_USB_Serial-if00-port0"; several may share it

    parts: ClassVar = dict.fromkeys(("PZEM-004T", "PZEM-016"), WRITTEN_LINES)
    shown_as: ClassVar = {"power_factor": "power_factor"}
    registers_read: ClassVar = [Register(text) for text in PZEM]

    # PZEM-004T v3 user manual, "Function description".
    voltage = Measure("V", low=80, high=260)
    current = Measure("A", low=0, high=100)
    power = Measure("W", low=0, high=23_000)
    energy = Measure("Wh", low=0, counter=True)
    frequency = Measure("Hz", low=45, high=65)
    power_factor = Measure("1", low=0, high=1)

    def __post_init__(self) -> None:
        self.source = Serial(self.port, 9600)  # type: ignore[misc]
