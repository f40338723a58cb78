"""The interface for reading a history, whichever store it is in."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from bootstrap.history.points import Field

MICRO = 1_000_000
FIVE_MINUTES_S, DAY_S = 300, 86_400  # the periods of the roll-ups; days are in UTC


@dataclass(frozen=True, slots=True)
class Row:
    """One stored reading: its time in microseconds since 1970, and its values."""

    time_us: int
    fields: dict[str, Field]


@dataclass(frozen=True, slots=True)
class Summary:
    """A summary of some values of one measure, without strings and non-finite numbers."""

    count: int
    mean: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Summary":
        """Return the summary of one or more values."""
        return cls.merged([cls(1, value, value, value) for value in values])

    @classmethod
    def merged(cls, parts: Sequence["Summary"]) -> "Summary":
        """Return the summary of one or more parts. Means are weighted before adding, so that no sum overflows."""
        count = sum(part.count for part in parts)
        low, high = min(part.low for part in parts), max(part.high for part in parts)
        mean = math.fsum(part.mean * (part.count / count) for part in parts)
        return cls(count, min(max(mean, low), high), low, high)


@dataclass(frozen=True, slots=True)
class Average:
    """The roll-up of one measure over the five minutes or the day that starts at `start_s`, in seconds since 1970."""

    start_s: int
    measure: str
    summary: Summary


class HistoryReader(Protocol):
    """A store opened for reading. Every method may raise OSError."""

    def sensors(self) -> list[str]:
        """Return the sensors that have a history, as `group/sensor`."""

    def whole_since_us(self, sensor: str) -> int:
        """Return the time since which all readings of a sensor are kept; before it there are only roll-ups."""

    def rows(self, sensor: str, since_us: int) -> Iterator[Row]:
        """Return the readings of one sensor, oldest first."""

    def averages(self, sensor: str, since_us: int, step_s: int) -> Iterable[Average]:
        """Return the roll-ups that ended after `since_us`, oldest first; `step_s` is FIVE_MINUTES_S or DAY_S."""

    def close(self) -> None:
        """Close the store."""
