"""Limits below another filter: they judge what that has made of a value."""

from dataclasses import dataclass, replace
from typing import Annotated, ClassVar

from bootstrap.device import Measure
from bootstrap.filters.filter import Filter, Moment, Stage, above_zero
from bootstrap.jumps import JumpGuard


class _Range(Stage):
    """Refuses what a measure says that it cannot be."""

    def __init__(self, measure: Measure) -> None:
        self._measure = measure

    def apply(self, value: float, _moment: Moment) -> float | None:
        if why := self._measure.wrong(value):
            raise ValueError(why)
        return value


@dataclass(frozen=True)
class LowLimit(Filter):
    """Refuses what is below it."""

    bare: ClassVar[str] = "limit"

    limit: float

    def outcome(self, measure: Measure) -> Measure:
        """Return the measure with this limit."""
        return _ranged(replace(measure, low=self.limit, power_on=None))

    def start(self, measure: Measure) -> Stage:
        """Return it at work."""
        return _Range(self.outcome(measure))


@dataclass(frozen=True)
class HighLimit(Filter):
    """Refuses what is above it."""

    bare: ClassVar[str] = "limit"

    limit: float

    def outcome(self, measure: Measure) -> Measure:
        """Return the measure with this limit."""
        return _ranged(replace(measure, high=self.limit, power_on=None))

    def start(self, measure: Measure) -> Stage:
        """Return it at work."""
        return _Range(self.outcome(measure))


def _ranged(measure: Measure) -> Measure:
    if measure.low >= measure.high:
        raise ValueError(f"would be within {measure.low:g} to {measure.high:g} {measure.unit_name}, which nothing is")
    return measure


@dataclass(frozen=True)
class StepLimit(Filter):
    """Refuses a jump by more than this, until two further values agree with it."""

    bare: ClassVar[str] = "limit"
    remembers: ClassVar[bool] = True

    limit: Annotated[float, above_zero]

    def outcome(self, measure: Measure) -> Measure:
        """Return the measure with this step."""
        return replace(measure, step=self.limit, power_on=None)

    def start(self, measure: Measure) -> Stage:
        """Return it at work."""
        return _Steps(self.outcome(measure))


class _Steps(Stage):
    """Refuses jumps."""

    def __init__(self, measure: Measure) -> None:
        self._guard = JumpGuard(measure)

    def apply(self, value: float, _moment: Moment) -> float | None:
        if why := self._guard.doubt(value, after_gap=False):
            raise ValueError(why)
        self._guard.believe(value)
        return value

    def forget(self) -> None:
        self._guard.believe(None)
