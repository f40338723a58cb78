"""A sensor of carbon dioxide on a serial port."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from bootstrap import Measure, Reading
from bootstrap.modbus.senseair import Senseair
from bootstrap.proof import WRITTEN_LINES
from bootstrap.serial_frames.mhz19 import MhZ19
from bootstrap.serial_frames.port_device import PortDevice


@dataclass(kw_only=True)
class Co2Serial(PortDevice):
    """Carbon dioxide in the air, by a Winsen MH-Z19, MH-Z19B or MH-Z19C, or a Senseair S8 or K30.

    Wiring: VIN to 5V, GND to GND, its TX to the Pi's RX, its RX to the Pi's TX.
    """

    make: Literal["mh-z19", "senseair"]  # such as "mh-z19"; "senseair" is an S8 or K30
    autocalibration: bool = True  # whether it takes the least of some days for fresh air; false where nobody airs

    parts: ClassVar = dict.fromkeys(("MH-Z19", "MH-Z19B", "MH-Z19C", "Senseair S8", "Senseair K30"), WRITTEN_LINES)

    co2 = Measure("ppm", low=200, high=10_000)  # the widest range of all; air has 400, and less is a wrong calibration

    def __post_init__(self) -> None:
        self.meter = (MhZ19 if self.make == "mh-z19" else Senseair)(autocalibration=self.autocalibration)

    def excuses(self, name: str) -> bool:  # noqa: ARG002 - it has one measure
        """Return whether it warms up, for 3 minutes (MH-Z19) or half a minute."""
        return self.meter.warms_up

    def read(self) -> Reading:
        """Return the concentration."""
        return self.meter.read(self.port)
