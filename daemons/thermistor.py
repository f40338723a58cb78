"""A thermistor, which is cheap, small and quick."""

from dataclasses import dataclass
from math import log
from typing import Annotated, ClassVar

from bootstrap import Limits, Measure, Reading
from bootstrap.kernel_sensors.adc_sensor import DividerSensor
from bootstrap.proof import KERNEL_DRIVER

ZERO_K, NOMINAL_K = 273.15, 298.15  # 0 °C, and 25 °C, at which the nominal resistance is measured


@dataclass(kw_only=True)
class Thermistor(DividerSensor):
    """An NTC thermistor in series with a resistor, at an input of a converter.

    Wiring: the resistor from 3V3 to the converter's input, the thermistor from there to GND; the rest as for adc.
    """

    nominal: Annotated[float, Limits(1)] = 10_000.0  # resistance of the thermistor at 25 °C, in ohms
    beta: Annotated[float, Limits(1)] = 3950.0  # of the thermistor, in kelvin

    parts: ClassVar = dict.fromkeys(("NTC 10K 3950", "MF52"), KERNEL_DRIVER)

    temperature = Measure("°C", low=-40, high=125)

    def means(self, ohms: float) -> Reading:
        """Return the temperature by the beta equation."""
        return {"temperature": round(1 / (1 / NOMINAL_K + log(ohms / self.nominal) / self.beta) - ZERO_K, 2)}
