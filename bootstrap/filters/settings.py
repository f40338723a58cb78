"""The filters and the derived measures of a sensor as its owner has set them, and what is published with them."""

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from bootstrap.device import Measure
from bootstrap.filters.derived import Formula
from bootstrap.filters.filter import Filter
from bootstrap.filters.linear import Calibrate

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

    @property
    def steady(self) -> "MeasureFilters":
        """Its filters but for those that hold values back: from what they make, others are derived."""
        if not self.longest_s:
            return self
        return MeasureFilters(tuple(one for one in self.stages if not one.longest_s), raw=self.raw)

    @property
    def calibration(self) -> str:
        """What tells its calibration from others; empty if it has none."""
        return next((one.id for one in self.stages if isinstance(one, Calibrate)), "")


NONE = MeasureFilters()


@dataclass(frozen=True)
class SensorFilters:
    """The filters of all measures of a sensor, and the measures that are derived from others, in order."""

    measures: Mapping[str, MeasureFilters] = field(default_factory=dict)
    derived: Mapping[str, Formula] = field(default_factory=dict)

    def published(self, measured: Mapping[str, Measure]) -> dict[str, Measure]:
        """Return what is published of what a device measures: after the filters, raw, and derived."""
        found = {name: self._outcome(name, one) for name, one in measured.items()}
        found |= {name + RAW: measured[name] for name, one in self.measures.items() if one.raw and name in measured}
        for name, formula in self.derived.items():
            # A device that learns what it measures may lack a source.
            with suppress(KeyError, ValueError, ArithmeticError):
                found[name] = self._outcome(name, formula.outcome(found))
        return found

    def _outcome(self, name: str, measure: Measure) -> Measure:
        """Return what a measure becomes. What a device measures may change; each value then says what does not fit."""
        with suppress(ValueError, ArithmeticError):
            return self.of(name).outcome(measure)
        return measure

    def of(self, name: str) -> MeasureFilters:
        """Return the filters of a measure."""
        return self.measures.get(name, NONE)

    def sources(self, name: str) -> tuple[str, ...]:
        """Return the measures that this one is made of, if it is not one of the device."""
        if name in self.derived:
            return self.derived[name].sources
        source = name.removesuffix(RAW)
        return (source,) if source != name and self.of(source).raw else ()

    def every_s(self, name: str, period_s: float) -> float:
        """Return the seconds within which a measure is published again while its device measures it."""
        return max(period_s, self.of(name).longest_s)

    def with_derived(self, names: Collection[str]) -> set[str]:
        """Return these measures, the raw values of them, and all that is derived from any."""
        found = {*names} | {name + RAW for name in names if self.of(name).raw}
        for name, formula in self.derived.items():
            if found.intersection(formula.sources):
                found.add(name)
        return found

    def about(self, name: str) -> dict[str, Any]:
        """Return what `status/about` has of a measure in addition."""
        derived = {"derived": self.derived[name].text} if name in self.derived else {}
        calibration = self.of(name).calibration
        return {**derived, **({"calibration": calibration} if calibration else {})}
