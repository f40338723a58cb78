"""What every filter is: as its owner has set it, and at work."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar, NamedTuple

from bootstrap.device import Measure

DIGITS = 12  # significant ones of what was computed; more would be the noise of binary fractions


class Moment(NamedTuple):
    """When a value came, and how often one does.

    Attributes:
        now: monotonic, in seconds.
        period_s: seconds until the next value is expected.
        gap_s: seconds without a value, after which what was remembered no longer counts.
    """

    now: float
    period_s: float
    gap_s: float


class Stage:
    """One filter at work on one measure. Its values are numbers, or truths where the filter takes those."""

    def apply(self, value: float, moment: Moment) -> float | None:
        """Return what comes out, or None if this value is held back.

        Raises:
            ValueError: the value cannot be true.
        """
        raise NotImplementedError

    def published(self, moment: Moment) -> None:
        """Take notice that no other filter has held back or refused what this one let through last."""

    def forget(self) -> None:
        """Forget the values before: they are too old to tell anything of the next one."""


@dataclass(frozen=True)
class Filter:
    """One filter as its owner has set it.

    Attributes:
        bare: the field that a value which is no table sets, such as `digits` by `round = 1`.
        remembers: whether what comes out depends on the values before.
    """

    bare: ClassVar[str] = ""
    remembers: ClassVar[bool] = False

    @property
    def longest_s(self) -> float:
        """The longest time, in seconds, for which it may hold back values while some come."""
        return 0.0

    def accepts(self, measure: Measure) -> None:
        """Check that a measure can have it.

        Raises:
            ValueError: it cannot; the text says why, and completes the measure's name.
        """
        if isinstance(measure.unit, type):
            raise ValueError(f"is {measure.unit_name}, no number")  # noqa: TRY004 - a fault in a file
        if measure.event and self.remembers:
            raise ValueError("happens and does not last, so that one value says nothing of the next")

    def outcome(self, measure: Measure) -> Measure:
        """Return what a measure becomes by it.

        Raises:
            ValueError: the measure and this filter do not fit; the text says why.
        """
        return measure

    def start(self, measure: Measure) -> Stage:
        """Return this filter at work on a measure."""
        raise NotImplementedError(f"{type(self).__name__} does nothing to {measure.unit_name}")


@dataclass(frozen=True)
class ValueFilter(Filter, Stage):
    """A filter that looks at one value at a time. It is its own stage, as it has nothing to remember."""

    def start(self, measure: Measure) -> Stage:  # noqa: ARG002 - of any measure alike
        """Return itself."""
        return self


@dataclass(frozen=True)
class NumberFilter(ValueFilter):
    """A filter that looks at one number at a time."""

    def of(self, number: float) -> float:
        """Return what becomes of a number."""
        raise NotImplementedError

    def apply(self, value: float, _moment: Moment) -> float | None:
        """Return what becomes of a number."""
        return self.of(value)


def above_zero(value: float) -> None:
    """Raise ValueError, saying what is allowed, unless a number is above 0."""
    if not value > 0:
        raise ValueError("above 0")


def tidy(number: float) -> float:
    """Return a number without the noise of its last binary digits: 21.4 for 21.400000000000002."""
    return float(f"{number:.{DIGITS}g}")


def mapped(measure: Measure, of: Callable[[float], float], slope: float) -> Measure:
    """Return a measure whose numbers all become others by a monotonic function of at most this slope.

    What falls when it rises is no counter.
    """
    low, high = sorted((of(measure.low), of(measure.high)))
    step = measure.step * abs(slope) if math.isfinite(measure.step) else math.inf
    return replace(measure, low=low, high=high, step=step, power_on=None, counter=measure.counter and slope > 0)
