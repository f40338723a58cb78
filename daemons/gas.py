"""Volatile gases in the air."""

from dataclasses import dataclass
from typing import ClassVar

from bootstrap import Measure
from bootstrap.kernel_sensors.chip import Chip
from bootstrap.kernel_sensors.kernel_sensor import KernelSensor
from bootstrap.proof import DRIVER_NOT_RUN


@dataclass(kw_only=True)
class Gas(KernelSensor):
    """A BME680: the resistance of its gas sensor falls with volatile gases; and temperature, humidity, air pressure.

    Wiring: VIN to 3V3, GND to GND, SDA to GPIO 2, SCL to GPIO 3; SDO to GND, or to 3V3 for 0x77.
    """

    chip: Chip = Chip("BME680")

    parts: ClassVar = {"BME680": DRIVER_NOT_RUN}

    gas_resistance = Measure("Ω", low=1)
    temperature = Measure("°C", low=-40, high=85)
    humidity = Measure("%", low=0, high=100)
    pressure = Measure("hPa", low=300, high=1100)
