"""The base class of devices that read a voltage at a converter with a driver in the kernel."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

from bootstrap.device import Measure, Reading
from bootstrap.kernel_sensors.catalog import CATALOG, Range
from bootstrap.kernel_sensors.chip import Chip
from bootstrap.kernel_sensors.kernel_sensor import KernelSensor, named
from bootstrap.limits import Limits

CONVERTERS = tuple(part for part, sheet in CATALOG.items() if [*sheet.ranges] == ["voltage"])
SHORT, CUT = 0.01, 0.99  # parts of the supply that mean a short circuit, and a cut wire
NOISE = 0.02  # part of a range by which a voltage may be beyond its end, and still means that end


@dataclass(kw_only=True)
class AdcSensor(KernelSensor):
    """One input of a converter. A subclass has one method, `shows`, and declares what that returns."""

    chip: Chip = Chip("ADS1115")
    channel: Annotated[int, Limits(0, 7)] = 0  # number of the input: 0 is A0 of an ADS1115, CH0 of an MCP3008

    chips: ClassVar[Iterable[str]] = CONVERTERS

    def measured(self, ranges: Mapping[str, Range]) -> dict[str, Measure]:
        """Return the measures: a voltage has the range of the converter, and others have their own."""
        return {**type(self).measures, **super().measured(ranges)}

    def volts(self) -> float:
        """Return the voltage at the input.

        Raises:
            OSError: the converter is not there, has no such input, or does not answer.
            ValueError: the voltage may be beyond what the converter can measure.
        """
        names = (f"voltage{self.channel}", f"in{self.channel}")
        return self.found().value(*names, ends=self.chip.sheet.limits)

    def shows(self, volts: float) -> Reading:
        """Return what a voltage means. ValueError: it can mean nothing."""
        raise NotImplementedError(f"{type(self).__name__} has no shows(self, volts)")

    def read(self) -> Reading:
        """Return what the voltage now means."""
        try:
            return self.shows(self.volts())
        except (OSError, ValueError) as error:
            raise named(self.chip, error) from None


@dataclass(kw_only=True)
class DividerSensor(AdcSensor):
    """Something whose resistance changes, from the input of a converter to GND, and a resistor from there to 3V3.

    A subclass has one method, `means`, and declares what that returns.
    """

    resistor: Annotated[float, Limits(1)] = 10_000.0  # from the input to 3V3, in ohms
    supply_v: Annotated[float, Limits(0.1)] = 3.3  # volts at the resistor's other end

    def measured(self, ranges: Mapping[str, Range]) -> dict[str, Measure]:
        """Return the measures. ValueError: at a cut wire is more than the converter can measure."""
        if (high := ranges["voltage"][1]) < self.supply_v:
            raise ValueError(
                f"'chip' must measure up to 'supply_v', {self.supply_v:g} V, which is at its input when a wire is cut;"
                f" a {self.chip.part} measures up to {high:g} V: take another one, or another supply"
            )
        return super().measured(ranges)

    def shows(self, volts: float) -> Reading:
        """Return what the resistance means."""
        part = volts / self.supply_v
        if not SHORT < part < CUT:
            raise ValueError(f"{volts:.3f} V: there is {'a short circuit' if part <= SHORT else 'a cut wire'}")
        return self.means(self.resistor * part / (1 - part))

    def means(self, ohms: float) -> Reading:
        """Return what a resistance means. ValueError: it can mean nothing."""
        raise NotImplementedError(f"{type(self).__name__} has no means(self, ohms)")


def share(volts: float, zero: float, full: float) -> float:
    """Return how far a voltage is from `zero` to `full`, in percent, as 0 or 100 where noise takes it a little further.

    Raises:
        ValueError: it is beyond an end by more than noise.
    """
    part = (volts - zero) / (full - zero) if full != zero else math.nan
    if not -NOISE <= part <= 1 + NOISE:
        raise ValueError(f"{volts:.3f} V is not between {zero:g} V and {full:g} V: check the wire, or measure the ends")
    return round(100 * min(max(part, 0.0), 1.0), 2)
