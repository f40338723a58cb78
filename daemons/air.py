"""A sensor of particulate matter."""

from dataclasses import dataclass
from typing import ClassVar

from bootstrap import Measure, Reading
from bootstrap.proof import WRITTEN_LINES
from bootstrap.serial_frames.particles import Make, meter_of
from bootstrap.serial_frames.port_device import PortDevice


@dataclass(kw_only=True)
class Air(PortDevice):
    """Particulate matter in the air, by a Plantower PMS5003, PMS7003 or PMSA003, a Nova SDS011 or a Sensirion SPS30.

    Wiring: VCC to 5V, GND to GND, its TX to the Pi's RX. Of an SPS30 RX to the Pi's TX, too; its SEL stays open.
    """

    make: Make  # such as "pms5003"; the others are "pms7003", "pmsa003", "sds011" and "sps30"

    parts: ClassVar = dict.fromkeys(("PMS5003", "PMS7003", "PMSA003", "SDS011", "SPS30"), WRITTEN_LINES)
    shown_as: ClassVar = {"pm2_5": "pm25"}

    # A Plantower measures up to "≥ 1000 µg/m³" by its data sheet, the SDS011 up to 999.9, the SPS30 up to 1000.
    pm1 = Measure("µg/m³", low=0, high=1000)
    pm2_5 = Measure("µg/m³", low=0, high=1000)
    pm10 = Measure("µg/m³", low=0, high=1000)

    def __post_init__(self) -> None:
        self.meter = meter_of(self.make)
        self.measures = {name: type(self).measures[name] for name in self.meter.measures}  # type: ignore[misc]

    def read(self) -> Reading:
        """Return the concentrations."""
        return self.meter.read(self.port)
