"""Filters that hold values back, so that there are fewer: each is published soon enough not to become stale."""

import math
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar

from bootstrap.device import Measure, Seconds
from bootstrap.filters.filter import Filter, Moment, Stage, above_zero

EARLY = 0.1  # part of a period by which a reading may come early, and still counts as due
SILENCE_S = 600.0


class _Holding(Stage):
    """Remembers what was published last."""

    def __init__(self) -> None:
        self._last: float | None = None  # value
        self._at = -math.inf  # monotonic, in seconds
        self._passing = 0.0

    def is_due(self, value: float, moment: Moment) -> bool:
        """Return whether a value is to be published."""
        raise NotImplementedError

    def apply(self, value: float, moment: Moment) -> float | None:
        self._passing = value
        return value if self._last is None or self.is_due(value, moment) else None

    def published(self, moment: Moment) -> None:
        self._last, self._at = self._passing, moment.now

    def forget(self) -> None:
        self._last = None


@dataclass(frozen=True)
class Deadband(Filter):
    """Holds a value back that differs by less than `by` from the last one published.

    After a silence of `silence_s` seconds it is published all the same. That needs no timer: whatever comes last before
    the silence would be longer is published.
    """

    bare: ClassVar[str] = "by"
    remembers: ClassVar[bool] = True

    by: Annotated[float, above_zero]
    silence_s: Annotated[Seconds, above_zero] = SILENCE_S

    @property
    def longest_s(self) -> float:
        """The longest silence."""
        return self.silence_s

    def outcome(self, measure: Measure) -> Measure:
        """Return a measure whose values may be further apart."""
        return replace(measure, step=math.inf, power_on=None)

    def start(self, measure: Measure) -> Stage:  # noqa: ARG002 - of any measure alike
        """Return it at work."""
        return _DeadbandStage(self)


class _DeadbandStage(_Holding):
    def __init__(self, deadband: Deadband) -> None:
        super().__init__()
        self._deadband = deadband

    def is_due(self, value: float, moment: Moment) -> bool:
        last = value if self._last is None else self._last
        next_one = moment.now + moment.period_s * (1 - EARLY)
        return abs(value - last) >= self._deadband.by or next_one - self._at > self._deadband.silence_s


@dataclass(frozen=True)
class Throttle(Filter):
    """Holds values back that come within `every_s` seconds of the last one published."""

    remembers: ClassVar[bool] = True

    every_s: Annotated[Seconds, above_zero]

    @property
    def longest_s(self) -> float:
        """The longest silence."""
        return self.every_s

    def outcome(self, measure: Measure) -> Measure:
        """Return a measure whose values may be further apart."""
        return replace(measure, step=math.inf, power_on=None)

    def start(self, measure: Measure) -> Stage:  # noqa: ARG002 - as above
        """Return it at work."""
        return _ThrottleStage(self.every_s)


class _ThrottleStage(_Holding):
    def __init__(self, every_s: float) -> None:
        super().__init__()
        self._every_s = every_s

    def is_due(self, _value: float, moment: Moment) -> bool:
        early_s = EARLY * min(self._every_s, moment.period_s)
        return moment.now - self._at >= self._every_s - early_s
