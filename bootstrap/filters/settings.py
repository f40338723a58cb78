"""The filters of a sensor as its owner has set them, and what is measured with them."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from bootstrap.device import Measure
from bootstrap.filters.filter import Filter

RAW = "_raw"  # the end of the name of what a measure was before its filters


@dataclass(frozen=True)
class MeasureFilters:
    """The filters of one measure, in the order in which they are applied, and whether the raw value is kept."""

    stages: tuple[Filter, ...] = ()
    raw: bool = False

    def outcome(self, measure: Measure) -> Measure:
        """Return what a measure is after all filters.

        Raises:
            ValueError: it cannot have one of them; the text says why.
        """
        for one in self.stages:
            one.accepts(measure)
            measure = one.outcome(measure)
        return measure

    @property
    def longest_s(self) -> float:
        """The longest time, in seconds, for which values may be held back while some come."""
        return max((one.longest_s for one in self.stages), default=0.0)


@dataclass(frozen=True)
class SensorFilters:
    """The filters of all measures of a sensor."""

    measures: Mapping[str, MeasureFilters] = field(default_factory=dict)

    def published(self, measured: Mapping[str, Measure]) -> dict[str, Measure]:
        """Return what is published of what a device measures: its measures after their filters, and raw ones."""
        found = {name: self._outcome(name, one) for name, one in measured.items()}
        raw = {name + RAW: measured[name] for name, one in self.measures.items() if one.raw and name in measured}
        return {**found, **raw}

    def _outcome(self, name: str, measure: Measure) -> Measure:
        """Return what a measure becomes. What a device measures may change; each value then says what does not fit."""
        with suppress(ValueError):
            return self.measures[name].outcome(measure) if name in self.measures else measure
        return measure

    def every_s(self, name: str, period_s: float) -> float:
        """Return the seconds within which a measure is published again while its device measures it."""
        return max(period_s, self.measures[name].longest_s) if name in self.measures else period_s
