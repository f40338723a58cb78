"""The distance to what is in front of it, such as the surface in a tank."""

import errno
from dataclasses import dataclass
from typing import ClassVar

from bootstrap import Measure, Reading
from bootstrap.kernel_sensors.chip import Chip
from bootstrap.kernel_sensors.kernel_sensor import KernelSensor, numbered
from bootstrap.proof import DRIVER_NOT_RUN, KERNEL_DRIVER


@dataclass(kw_only=True)
class Distance(KernelSensor):
    """A sensor that times an echo of sound (HC-SR04) or light (VL53L0X). Without an echo it is absent.

    Wiring: HC-SR04: VCC to 5V, GND to GND, TRIG to GPIO 23, ECHO to GPIO 24 through 1 kohm, unless `chip` names other
    lines, and 2 kohm from that line to GND, because the Pi's pins bear 3.3 V. VL53L0X: VIN to 3V3, GND to GND, SDA to
    GPIO 2, SCL to GPIO 3.
    """

    chip: Chip = Chip("HC-SR04")

    parts: ClassVar = {"HC-SR04": DRIVER_NOT_RUN, "VL53L0X": KERNEL_DRIVER}

    distance = Measure("m", low=0.02, high=4)

    def read(self) -> Reading:
        """Return the distance. OSError: nothing echoes, which each of them says in its own way."""
        distance, furthest = self.sample()["distance"], self.measures["distance"].high
        if isinstance(distance, OSError) and self.chip.part == "HC-SR04":
            raise numbered(errno.ENXIO, str(distance))
        if isinstance(distance, float) and (not distance or distance > furthest):
            raise numbered(errno.ENXIO, f"{self.chip.part}: nothing that echoes is within {furthest:g} m")
        return {"distance": distance}
