"""Filters that look at one number, or one truth, at a time."""

import math
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar

from bootstrap.device import Measure
from bootstrap.filters.filter import Moment, NumberFilter, ValueFilter, above_zero, tidy
from bootstrap.limits import Limits

MOST_DIGITS = 9
LARGE = 1e15  # from which a number is not written as a whole one, which readers refuse if it is too long


@dataclass(frozen=True)
class Round(NumberFilter):
    """Rounds to so many decimals, or to the nearest multiple of `to`."""

    bare: ClassVar[str] = "digits"

    digits: Annotated[int, Limits(-MOST_DIGITS, MOST_DIGITS)] | None = None
    to: Annotated[float, above_zero] | None = None

    def __post_init__(self) -> None:
        if (self.digits is None) == (self.to is None):
            raise ValueError("a number of decimals, or { to = … }")

    def of(self, number: float) -> float:
        """Return the rounded number, without a fraction where it can have none."""
        if self.to is not None:
            return tidy(round(number / self.to) * self.to)
        digits = self.digits or 0
        rounded = round(number, digits)
        return rounded if digits > 0 or abs(rounded) >= LARGE else round(rounded)

    def outcome(self, measure: Measure) -> Measure:
        """Return a measure with rounded limits."""
        low, high = (self.of(one) if math.isfinite(one) else one for one in (measure.low, measure.high))
        coarse = self.to if self.to is not None else 10.0 ** -(self.digits or 0)
        return replace(measure, low=low, high=high, step=tidy(measure.step + coarse), power_on=None)


@dataclass(frozen=True)
class Clamp(NumberFilter):
    """Replaces a number below `low` by that, and one above `high` by that."""

    low: float = -math.inf
    high: float = math.inf

    def __post_init__(self) -> None:
        if not self.low < self.high or not (math.isfinite(self.low) or math.isfinite(self.high)):
            raise ValueError("{ low = …, high = … }, or one of them, low below high")

    def of(self, number: float) -> float:
        """Return the number, or the limit that it is beyond."""
        return min(max(number, self.low), self.high)

    def outcome(self, measure: Measure) -> Measure:
        """Return a measure with these limits, where it had none or wider ones."""
        if self.low > measure.high or self.high < measure.low:
            raise ValueError(f"leaves nothing of {measure.low:g} to {measure.high:g} {measure.unit_name}")
        return replace(measure, low=self.of(measure.low), high=self.of(measure.high), power_on=None)


@dataclass(frozen=True)
class Invert(ValueFilter):
    """Turns true into false, and false into true: for a contact that is closed when others are open."""

    bare: ClassVar[str] = "on"

    on: bool = True

    def __post_init__(self) -> None:
        if not self.on:
            raise ValueError("true; remove the line if nothing is to be inverted")

    def accepts(self, measure: Measure) -> None:
        """Accept a truth alone."""
        if measure.unit is not bool:
            instead = "for a number set calibrate = { scale = -1 }"
            raise ValueError(f"is {measure.unit_name}, neither true nor false; {instead}")

    def apply(self, value: float, _moment: Moment) -> float | None:
        """Return the opposite of a truth."""
        return not value
