"""Ambient light."""

from dataclasses import dataclass
from typing import ClassVar

from bootstrap import Measure
from bootstrap.kernel_sensors.chip import Chip
from bootstrap.kernel_sensors.kernel_sensor import KernelSensor
from bootstrap.proof import DRIVER_NOT_RUN, KERNEL_DRIVER


@dataclass(kw_only=True)
class Light(KernelSensor):
    """A light sensor on I2C.

    Wiring: VCC to 3V3, GND to GND, SDA to GPIO 2, SCL to GPIO 3; a BH1750's ADDR to GND, or to 3V3 for 0x5c.
    """

    chip: Chip = Chip("BH1750")

    parts: ClassVar = {
        **dict.fromkeys(("BH1750", "TSL2561", "TSL4531", "VEML6030", "OPT3001"), KERNEL_DRIVER),
        "VEML7700": DRIVER_NOT_RUN,
    }

    illuminance = Measure("lx", low=0, high=220_000)
