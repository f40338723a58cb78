"""What a measure that is computed from others is: its declaration, and its formula at work."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from bootstrap.device import Kept, Measure
from bootstrap.filters.filter import Moment

if TYPE_CHECKING:
    from bootstrap.contract.heard import ListeningHandle


class Lent(NamedTuple):
    """What a formula may use of its sensor.

    Attributes:
        keep: as `Device.keep`.
        listen: returns what is heard on a topic.
    """

    keep: Callable[[str, float], Kept[float]]
    listen: Callable[[str], "ListeningHandle"]


class Computation:
    """A formula at work."""

    def of(self, values: Mapping[str, float], moment: Moment) -> float | None:
        """Return the value that follows from the newest ones, or None if none does yet.

        Raises:
            ValueError: none can; the text says why.
        """
        raise NotImplementedError

    def interrupt(self) -> None:
        """Take notice that a source has failed, so that nobody knows what it was until its next value."""

    def close(self) -> None:
        """Keep what has not been kept yet."""


@dataclass(frozen=True)
class Formula:
    """A function of the closed list, with the measures that it is computed from.

    Attributes:
        takes: its parameters, for people.
        text: as it is in the file.
        sources: the measures of this sensor that it is computed from.
        topic: of the other sensor that it listens to, or empty.
        window_s: a time, in seconds, or 0.
    """

    takes: ClassVar[str] = ""
    topics: ClassVar[bool] = False  # whether its second source may be another sensor's

    text: str
    sources: tuple[str, ...]
    topic: str = ""
    window_s: float = 0.0

    def outcome(self, measures: Mapping[str, Measure]) -> Measure:
        """Return what the measure is.

        Raises:
            ValueError: it cannot be computed from these; the text says why.
        """
        raise NotImplementedError

    def start(self, name: str, measures: Mapping[str, Measure], lent: Lent | None) -> Computation:
        """Return this formula at work for the measure of this name."""
        raise NotImplementedError


def units(formula: Formula, measures: Mapping[str, Measure]) -> list[str]:
    """Return the unit of each source.

    Raises:
        ValueError: one has none.
    """
    for name in formula.sources:
        if isinstance(measures[name].unit, type) or measures[name].event:
            raise ValueError(f"{name!r} is no number that lasts")
    return [str(measures[name].unit) for name in formula.sources]
