"""A thermocouple, for what is hotter or colder than other sensors bear."""

from dataclasses import dataclass
from typing import ClassVar

from bootstrap import Measure
from bootstrap.kernel_sensors.chip import Chip
from bootstrap.kernel_sensors.kernel_sensor import KernelSensor
from bootstrap.proof import DRIVER_NOT_RUN


@dataclass(kw_only=True)
class Thermocouple(KernelSensor):
    """A thermocouple at an amplifier on SPI, with the temperature of that amplifier, if it tells.

    Wiring: MAX31855, MAX6675: VCC to 3V3, GND to GND, SCK to GPIO 11, CS to GPIO 8, which is spi0.0, SO to GPIO 9.
    MAX31856: VIN to 3V3, GND to GND, SCK to GPIO 11, CS to GPIO 8, SDO to GPIO 9, SDI to GPIO 10.
    """

    chip: Chip = Chip("MAX31855")

    parts: ClassVar = dict.fromkeys(("MAX31855", "MAX31856", "MAX6675"), DRIVER_NOT_RUN)

    temperature = Measure("°C", low=-270, high=1800)
    ambient = Measure("°C", low=-55, high=125)
