"""Carbon dioxide in the air."""

from dataclasses import dataclass
from typing import ClassVar

from bootstrap import Measure
from bootstrap.kernel_sensors.chip import Chip
from bootstrap.kernel_sensors.kernel_sensor import KernelSensor
from bootstrap.proof import DRIVER_NOT_RUN


@dataclass(kw_only=True)
class Co2(KernelSensor):
    """A carbon dioxide sensor on I2C, which measures temperature and humidity, too. A read takes up to 15 s.

    Wiring: VDD to 3V3 (SCD30: VIN to 5V), GND to GND, SDA to GPIO 2, SCL to GPIO 3.
    """

    chip: Chip = Chip("SCD41")

    parts: ClassVar = dict.fromkeys(("SCD40", "SCD41", "SCD30"), DRIVER_NOT_RUN)

    co2 = Measure("ppm", low=1, high=40_000)
    temperature = Measure("°C", low=-40, high=70)
    humidity = Measure("%", low=0, high=100)
