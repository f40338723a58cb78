"""What a meter keeps over a restart and a power cut: the figure on its dial, and the pulses since."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Self


@dataclass(frozen=True, kw_only=True)
class MeterRecord:
    """The state of a meter.

    Attributes:
        counts: what it counts, such as `"gas"`.
        initial: the figure on the dial in the settings.
        per_unit: pulses for one unit of the figure.
        base: the figure when `count` began.
        count: pulses since.
        changes: how often the figure was set by hand.
        gaps: how often pulses may have been lost.
        running: whether a run has counted and has not ended.
    """

    counts: str
    initial: float
    per_unit: float
    base: float
    count: int = 0
    changes: int = 0
    gaps: int = 0
    running: bool = False

    @classmethod
    def begin(cls, counts: str, initial: float, per_unit: float) -> Self:
        """Return the record of a meter that has counted nothing yet."""
        return cls(counts=counts, initial=initial, per_unit=per_unit, base=initial)

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> Self | None:
        """Return what was kept, or None if it is no record."""
        try:
            found = cls(**kept)
        except TypeError:
            return None
        numbers = (found.initial, found.per_unit, found.base, found.count, found.changes, found.gaps)
        return found if all(isinstance(one, int | float) for one in numbers) and found.per_unit > 0 else None

    @property
    def kept(self) -> dict[str, Any]:
        """What is to be kept."""
        return asdict(self)

    @property
    def total(self) -> float:
        """The figure on the dial now."""
        return round(self.base + self.count / self.per_unit, 6)

    def with_per_unit(self, per_unit: float) -> Self:
        """Return a record that counts on from the same figure by this many pulses for a unit."""
        return replace(self, per_unit=per_unit, base=self.total, count=0)

    def set_to(self, figure: float) -> Self:
        """Return a record with another figure."""
        return replace(self, base=figure, count=0, changes=self.changes + 1)
