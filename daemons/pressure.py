"""Air pressure."""

from dataclasses import dataclass
from typing import ClassVar

from bootstrap import Measure
from bootstrap.kernel_sensors.chip import Chip
from bootstrap.kernel_sensors.kernel_sensor import KernelSensor
from bootstrap.proof import DRIVER_NOT_RUN, KERNEL_DRIVER


@dataclass(kw_only=True)
class Pressure(KernelSensor):
    """A barometer on I2C, which measures its own temperature, too. The pressure is that of its place, not of sea level.

    Wiring: VIN to 3V3, GND to GND, SDA to GPIO 2, SCL to GPIO 3.
    """

    chip: Chip = Chip("BMP280")

    parts: ClassVar = {
        **dict.fromkeys(("BMP280", "BMP388"), KERNEL_DRIVER),
        **dict.fromkeys(("BMP180", "BMP390", "MS5637"), DRIVER_NOT_RUN),
    }

    pressure = Measure("hPa", low=10, high=2000)
    temperature = Measure("°C", low=-40, high=85)
