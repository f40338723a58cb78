"""Where the wind comes from."""

from dataclasses import dataclass
from typing import ClassVar

from bootstrap import Measure, Reading
from bootstrap.kernel_sensors.adc_sensor import DividerSensor
from bootstrap.proof import KERNEL_DRIVER

# Kilohms from north on, clockwise in steps of 22.5° (Argent Data, Weather Sensor Assembly p/n 80422).
KILOHMS = (33, 6.57, 8.2, 0.891, 1, 0.688, 2.2, 1.41, 3.9, 3.14, 16, 14.12, 120, 42.12, 64.9, 21.88)
STEP, TOLERANCE = 22.5, 0.03  # degrees, and part of the supply


@dataclass(kw_only=True)
class WindVane(DividerSensor):
    """A wind vane with a resistor for each direction, at an input of a converter.

    Wiring: one wire of the vane to GND, the other to the converter's input, and 10 kohm from there to 3V3.
    """

    north: float = 0.0  # degrees to add if the vane's north is not the true one

    parts: ClassVar = dict.fromkeys(("SEN-15901", "SEN-08942", "WS-2080"), KERNEL_DRIVER)

    direction = Measure("°", low=0, high=360)

    def means(self, ohms: float) -> Reading:
        """Return the direction whose resistor is nearest."""
        shares = [one / (one + self.resistor / 1000) for one in KILOHMS]
        off, at = min((abs(ohms / (ohms + self.resistor) - one), step) for step, one in enumerate(shares))
        if off > TOLERANCE:
            raise ValueError(f"{ohms:.0f} ohms are those of no direction: check its wires and the resistor")
        return {"direction": (at * STEP + self.north) % 360}
