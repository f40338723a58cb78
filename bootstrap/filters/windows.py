"""Filters that smooth: each value is one of, or between, the newest values."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

from bootstrap.device import Measure
from bootstrap.filters.filter import Filter, Moment, Stage, tidy
from bootstrap.limits import Limits

MOST = 1000


class _Window(Stage):
    """The newest values, and what is made of them."""

    def __init__(self, size: int, of: Callable[[Sequence[float]], float]) -> None:
        self._values: deque[float] = deque(maxlen=size)
        self._of = of

    def apply(self, value: float, _moment: Moment) -> float | None:
        self._values.append(value)
        return self._of(self._values)

    def forget(self) -> None:
        self._values.clear()


def _median(values: Sequence[float]) -> float:
    ranked, middle = sorted(values), len(values) // 2
    return ranked[middle] if len(ranked) % 2 else tidy((ranked[middle - 1] + ranked[middle]) / 2)


def _mean(values: Sequence[float]) -> float:
    return tidy(sum(values) / len(values))


@dataclass(frozen=True)
class Median(Filter):
    """Takes the middle one of the newest values, so that single outliers disappear. At first there are fewer."""

    bare: ClassVar[str] = "of"
    remembers: ClassVar[bool] = True

    of: Annotated[int, Limits(2, MOST)]

    def start(self, measure: Measure) -> Stage:  # noqa: ARG002 - of any measure alike
        """Return a window."""
        return _Window(self.of, _median)


def _a_part(part: float) -> None:
    if not 0 <= part <= 1:
        raise ValueError("from 0 (the lowest) to 1 (the highest)")


@dataclass(frozen=True)
class Quantile(Filter):
    """Takes the one of the newest values that this part of them are below: 0 is the lowest, and 1 the highest."""

    remembers: ClassVar[bool] = True

    of: Annotated[int, Limits(2, MOST)]
    part: Annotated[float, _a_part]

    def start(self, measure: Measure) -> Stage:  # noqa: ARG002 - as above
        """Return a window."""
        return _Window(self.of, lambda values: sorted(values)[round(self.part * (len(values) - 1))])


@dataclass(frozen=True)
class Mean(Filter):
    """Takes the mean of the newest values. At first there are fewer."""

    bare: ClassVar[str] = "of"
    remembers: ClassVar[bool] = True

    of: Annotated[int, Limits(2, MOST)]

    def start(self, measure: Measure) -> Stage:  # noqa: ARG002 - as above
        """Return a window."""
        return _Window(self.of, _mean)


def _a_weight(weight: float) -> None:
    if not 0 < weight < 1:
        raise ValueError("above 0 and below 1")


@dataclass(frozen=True)
class Exponential(Filter):
    """Moves by this part of the difference towards each new value; the first one counts as it is."""

    bare: ClassVar[str] = "weight"
    remembers: ClassVar[bool] = True

    weight: Annotated[float, _a_weight]

    def start(self, measure: Measure) -> Stage:  # noqa: ARG002 - as above
        """Return a value that follows."""
        return _Following(self.weight)


class _Following(Stage):
    """A value that moves towards each new one."""

    def __init__(self, weight: float) -> None:
        self._weight, self._value = weight, None

    _value: float | None

    def apply(self, value: float, _moment: Moment) -> float | None:
        self._value = value if self._value is None else self._value + self._weight * (value - self._value)
        return tidy(self._value)

    def forget(self) -> None:
        self._value = None
