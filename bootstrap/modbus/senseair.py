"""The Senseair S8 and K30 sensors of CO2, by Modbus (Senseair, "Modbus on Senseair S8" and "K30")."""

from bootstrap.device import Reading
from bootstrap.logs import log
from bootstrap.modbus.slave import HOLDING, INPUT, ModbusSlave, Refusal, Rtu
from bootstrap.serial_frames.co2_meter import Co2Meter
from bootstrap.serial_frames.port_or_host import PortOrHost

ANY = 0xFE  # the address that each one answers to
ANSWER_S = 1.0
STATUS, CO2 = 0, 3
PERIOD = 31  # hours between two calibrations by itself; with 0 there are none
USUAL_H = 180
STEADY_S = 30.0  # S8 data sheet, "Start-up time < 30 s to 90 %" of the true value
FAULTS = {
    0: "a fatal error",
    1: "an offset error",
    2: "an error of its algorithm",
    3: "an output error",
    4: "an error of its own diagnosis",
    5: "that it is out of its range",
    6: "an error of its memory",
}


class Senseair(Co2Meter):
    """One that is asked for status and value."""

    def __init__(self, *, autocalibration: bool) -> None:
        super().__init__(STEADY_S, autocalibration=autocalibration)

    def answer(self, port: PortOrHost) -> bytes:
        """Return the registers from the status to the value."""
        with ModbusSlave(port.source(9600), Rtu(), ANY, ANSWER_S) as slave:
            data = slave.registers(INPUT, STATUS, CO2 - STATUS + 1)
            if not self._told:
                self._tell(slave)
        return data

    def meant(self, answer: bytes) -> Reading:
        """Return the value. ValueError: the sensor reports a fault."""
        if status := int.from_bytes(answer[:2]) & 0x7F:
            raise ValueError(
                f"the sensor reports {' and '.join(why for bit, why in FAULTS.items() if status >> bit & 1)}"
            )
        return {"co2": int.from_bytes(answer[2 * CO2 :], signed=True)}

    def _tell(self, slave: ModbusSlave) -> None:
        """Set whether it calibrates itself, unless it does so already: it keeps the period in a memory that wears.

        One that has no such setting measures nevertheless.
        """
        try:
            period_h = int.from_bytes(slave.registers(HOLDING, PERIOD, 1))
            if (period_h > 0) is not self._calibrates:
                slave.write(PERIOD, USUAL_H if self._calibrates else 0)
        except Refusal as error:
            log.warning("it does not let autocalibration be set, and calibrates itself as it always did", why=error)
        self._told = True
