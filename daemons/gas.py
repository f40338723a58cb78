"""Volatile gases in the air."""

from dataclasses import dataclass
from typing import ClassVar

from bootstrap import Measure
from bootstrap.kernel_sensors.chip import Chip
from bootstrap.kernel_sensors.kernel_sensor import KernelSensor
from bootstrap.proof import DRIVER_NOT_RUN, KERNEL_DRIVER


@dataclass(kw_only=True)
class Gas(KernelSensor):
    """A sensor of volatile gases on I2C: their share, or a resistance that falls with them, and what it has besides.

    Wiring: VIN to 3V3, GND to GND, SDA to GPIO 2, SCL to GPIO 3.
    """

    chip: Chip = Chip("BME680")

    parts: ClassVar = {"BME680": KERNEL_DRIVER, **dict.fromkeys(("SGP30", "CCS811"), DRIVER_NOT_RUN)}

    gas_resistance = Measure("Ω", low=1)
    voc = Measure("ppb", low=0, high=60_000)
    eco2 = Measure("ppm", low=400, high=60_000)  # computed from the gases, as if people were their only source
    temperature = Measure("°C", low=-40, high=85)
    humidity = Measure("%", low=0, high=100)
    pressure = Measure("hPa", low=300, high=1100)
