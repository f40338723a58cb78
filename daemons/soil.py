"""Moisture of the soil."""

from dataclasses import dataclass
from typing import ClassVar

from bootstrap import Measure, Reading
from bootstrap.kernel_sensors.adc_sensor import AdcSensor, share
from bootstrap.proof import KERNEL_DRIVER


@dataclass(kw_only=True)
class Soil(AdcSensor):
    """A capacitive soil moisture sensor at an input of a converter. Measure its two ends: in air, and in water.

    Wiring: VCC to 3V3, GND to GND, AOUT to the converter's input; the converter as for the kind adc.
    """

    dry_v: float = 2.2  # volts in dry air
    wet_v: float = 1.0  # volts in water

    parts: ClassVar = dict.fromkeys(("Capacitive Soil Moisture Sensor v1.2", "SEN0193"), KERNEL_DRIVER)

    moisture = Measure("%", low=0, high=100)

    def shows(self, volts: float) -> Reading:
        """Return the share of the way from dry to wet."""
        return {"moisture": share(volts, self.dry_v, self.wet_v)}
