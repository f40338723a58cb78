"""How a history is read, whatever store it is in."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from bootstrap.history.points import Field

MICRO = 1_000_000
FIVE_MINUTES_S, DAY_S = 300, 86_400  # the lengths of the roll-ups; days are those of UTC


@dataclass(frozen=True, slots=True)
class Row:
    """One reading of the past: when (microseconds since 1970), and what it said."""

    time_us: int
    fields: dict[str, Field]


@dataclass(frozen=True, slots=True)
class Summary:
    """What some values of one measure come to; words and what is not finite are not counted."""

    count: int
    mean: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Summary":
        """Of one value or more."""
        return cls.merged([cls(1, value, value, value) for value in values])

    @classmethod
    def merged(cls, parts: Sequence["Summary"]) -> "Summary":
        """Of one part or more. Weighted one by one, so that no sum of large numbers overflows."""
        count = sum(part.count for part in parts)
        low, high = min(part.low for part in parts), max(part.high for part in parts)
        mean = math.fsum(part.mean * (part.count / count) for part in parts)
        return cls(count, min(max(mean, low), high), low, high)


@dataclass(frozen=True, slots=True)
class Average:
    """The roll-up of one measure over the five minutes, or the day, that starts then (seconds since 1970)."""

    start_s: int
    measure: str
    summary: Summary


class HistoryReader(Protocol):
    """A store, as somebody reads it. All of it may raise OSError."""

    def sensors(self) -> list[str]:
        """All of which there is a history, as `group/sensor`."""

    def whole_since_us(self, sensor: str) -> int:
        """Since when all its readings are there; of what was before there are roll-ups only."""

    def rows(self, sensor: str, since_us: int) -> Iterator[Row]:
        """The readings of one sensor, oldest first."""

    def averages(self, sensor: str, since_us: int, step_s: int) -> Iterable[Average]:
        """The roll-ups of one sensor that have ended since then, oldest first; `step_s` is FIVE_MINUTES_S or DAY_S."""

    def close(self) -> None:
        """Let go of it."""
