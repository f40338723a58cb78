"""A device on a Modbus."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from bootstrap import Host, Measure, Reading, Serial, SerialBus, Tcp
from bootstrap.modbus.bus_device import ModbusDevice
from bootstrap.modbus.presets import BY_METER
from bootstrap.modbus.registers import Register, measures_of
from bootstrap.proof import RECORDED_LINES


@dataclass(kw_only=True)
class Modbus(ModbusDevice):
    """A device on a Modbus, such as an energy meter, a heat pump or an inverter. Its file names its registers.

    Wiring: A to A and B to B of an RS-485 adapter, GND to GND, 120 ohm at both ends of the cable; or a network.
    """

    port: SerialBus | None = None  # such as "/dev/serial/by-id/usb-FTDI_FT232R-if00-port0"; several may share it
    baud: int = 9600  # speed in bits per second; all on one bus have the same
    mode: str = "8N1"  # data bits, parity and stop bits
    host: Host | None = None  # in place of a port, for Modbus TCP, such as "inverter.local"
    tcp_port: int = 502
    meter: Literal["sdm120", "sdm630"] | None = None  # has the registers of an Eastron SDM120 or SDM630
    # what to read, as NAME = TABLE NUMBER TYPE, order of bytes, * SCALE, UNIT; tables are input, holding, coil and
    # discrete, numbers count from 0, such as ["voltage = input 0 uint16 * 0.1 V"]
    registers: list[Register] | None = None

    parts: ClassVar = dict.fromkeys(("SDM120", "SDM630", "Modbus RTU", "Modbus TCP"), RECORDED_LINES)

    repeated = Measure("1", counter=True)  # questions that were asked again, such as after a disturbance

    def __post_init__(self) -> None:
        """Check what no single setting tells."""
        if (self.port is None) == (self.host is None):
            raise ValueError("set either 'port' or 'host': where the bus is")
        if not (self.registers or self.meter):
            raise ValueError("set 'registers' or 'meter': what to read")
        listed = [Register(text) for text in BY_METER.get(self.meter or "", ())]
        self.registers_read = [*listed, *(self.registers or ())]  # type: ignore[misc]
        self.measures = {**type(self).measures, **measures_of(self.registers_read)}  # type: ignore[misc]
        self.source  # noqa: B018 - speed and mode are checked

    @property
    def source(self) -> Serial | Tcp:
        """Where the bus is."""
        return Tcp(self.host, self.tcp_port) if self.host else Serial(self.port or "", self.baud, self.mode)

    def read(self) -> Reading:
        """Return what the registers hold."""
        return {**super().read(), "repeated": self.asked_again}
