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
class _EndLimit(Filter):
    """A limit at one end of the range."""

    bare: ClassVar[str] = "limit"
    end: ClassVar[str]  # which field of a measure it replaces

    limit: float

    def outcome(self, measure: Measure) -> Measure:
        """Return the measure with this limit."""
        found = replace(measure, **{self.end: self.limit}, power_on=None)  # type: ignore[arg-type]
        if found.low >= found.high:
            raise ValueError(f"would be within {found.low:g} to {found.high:g} {found.unit_name}, which nothing is")
        return found

    def start(self, measure: Measure) -> Stage:
        """Return it at work."""
        return _Range(self.outcome(measure))


@dataclass(frozen=True)
class LowLimit(_EndLimit):
    """Refuses what is below it."""

    end: ClassVar[str] = "low"


@dataclass(frozen=True)
class HighLimit(_EndLimit):
    """Refuses what is above it."""

    end: ClassVar[str] = "high"


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
