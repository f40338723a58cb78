"""The filters and the derived measures of one sensor at work."""

import math
from collections.abc import Callable, Collection, Mapping
from functools import cache
from typing import TYPE_CHECKING, NamedTuple, cast

from bootstrap.contract.liveness import stale_s
from bootstrap.device import Kept, Measure, Value, Values
from bootstrap.filters.derived import Computation, Formula, Lent
from bootstrap.filters.filter import Filter, Moment, Stage
from bootstrap.filters.settings import RAW, MeasureFilters, SensorFilters

if TYPE_CHECKING:
    from bootstrap.contract.heard import ListeningHandle


class Conditioned(NamedTuple):
    """What becomes of the good values of a reading.

    Attributes:
        published: what is to be published.
        wrong: values of the device that cannot be true after all, each with the reason.
        failed: derived measures that cannot be computed, each with the reason.
    """

    published: dict[str, Value]
    wrong: dict[str, str]
    failed: dict[str, str]


class _AtWork(NamedTuple):
    """A formula at work, and what its sources were when it began."""

    formula: Formula
    sources: list[Measure]
    computation: Computation


class Pipeline:
    """The filters of one measure at work, each on what the one before it has made of a value."""

    def __init__(self, filters: MeasureFilters, measure: Measure, before: "Pipeline | None" = None) -> None:
        """Go on with the stages of `before` as far as they are the same.

        If not all are, none holds the next value back: what was published last may be in another unit.

        Raises:
            ValueError: the measure cannot have one of the filters; the text says why.
        """
        self.filters, self.measure = filters, measure
        kept = before.stages if before and before.measure == measure else []
        self.stages: list[tuple[Filter, Stage]] = []
        self.last: float | None = before.last if before else None  # when a value came last
        for number, one in enumerate(filters.stages):
            same = kept[number : number + 1]
            kept = kept if same and same[0][0] == one else []
            one.accepts(measure)
            self.stages.append((one, same[0][1] if kept else one.start(measure)))
            measure = one.outcome(measure)
        if before and before.filters.stages != filters.stages:
            for one, stage in self.stages:
                if one.longest_s:
                    stage.forget()

    def apply(self, value: float, moment: Moment) -> float | None:
        """Return what becomes of a value, or None if it is held back. After a gap, nothing before it counts.

        Raises:
            ValueError: after some filter, the value cannot be true.
        """
        if self.last is not None and moment.now - self.last >= moment.gap_s:
            for _, stage in self.stages:
                stage.forget()
        self.last = moment.now
        for _, stage in self.stages:
            if (made := stage.apply(value, moment)) is None:
                return None
            value = made
        for _, stage in self.stages:
            stage.published(moment)
        return value


class Conditioning:
    """Applies the filters of a sensor to its readings, and computes what is derived from them."""

    def __init__(self, filters: SensorFilters) -> None:
        self.filters = filters
        self._lent: Lent | None = None
        self._published: tuple[Mapping[str, Measure], Mapping[str, Measure]] = {}, {}  # measured, and published then
        self._pipelines: dict[tuple[str, bool], Pipeline] = {}  # by measure, and whether it is to hold values back
        self._computations: dict[str, _AtWork] = {}
        self._newest: dict[str, tuple[float, float]] = {}  # by name: when it was good (monotonic), and the number
        self._noted: set[str] = set()  # those of this reading

    def lend(self, keep: Callable[[str, float], Kept[float]], listen: Callable[[str], "ListeningHandle"]) -> None:
        """Let formulas that begin from now on keep and listen by these.

        The first time, it is listened at once, so that there is something to subtract at the first reading; another
        time, these belong to the next device, and other formulas.
        """
        first, self._lent = self._lent is None, Lent(keep, cache(listen))
        for topic in {one.topic for one in self.filters.derived.values() if first and one.topic}:
            self._lent.listen(topic)

    def change(self, filters: SensorFilters) -> None:
        """Apply other filters from now on; those that are still the same remember what they remembered.

        What is derived from a measure with other filters begins anew, because older values of that may be in another
        unit.
        """
        before = self.filters
        names = before.measures.keys() | filters.measures.keys()
        other = {name for name in names if before.of(name).stages != filters.of(name).stages}
        other |= {name for name, formula in filters.derived.items() if before.derived.get(name) != formula}
        other = filters.with_derived(other)
        self.filters, self._published = filters, ({}, {})
        self._pipelines = {key: one for key, one in self._pipelines.items() if filters.of(key[0]).stages}
        self._newest = {name: one for name, one in self._newest.items() if name not in other}
        for name, one in [*self._computations.items()]:
            if filters.derived.get(name) != one.formula or other.intersection(one.formula.sources):
                self._computations.pop(name).computation.close()

    def close(self) -> None:
        """Keep what formulas have summed up."""
        for one in self._computations.values():
            one.computation.close()

    def published(self, measured: Mapping[str, Measure]) -> Mapping[str, Measure]:
        """Return what is published of what a device measures."""
        if self._published[0] != measured:
            self._published = dict(measured), self.filters.published(measured)
        return self._published[1]

    def forget(self, names: Collection[str] | None = None) -> None:
        """Derive nothing from these measures, or from any, before there are new values: the newest are not good."""
        all_of_them = self._newest.keys() | {
            one for formula in self.filters.derived.values() for one in formula.sources
        }
        bad = all_of_them if names is None else self.filters.with_derived(names)
        self._noted -= bad
        for name in bad:
            self._newest.pop(name, None)
        for one in self._computations.values():
            if bad.intersection(one.formula.sources):
                one.computation.interrupt()

    def apply(self, good: Values, measures: Mapping[str, Measure], now: float, period_s: float) -> Conditioned:
        """Return what becomes of the good values of a reading."""
        moment = Moment(now, period_s, stale_s(period_s))
        found = Conditioned({}, {}, {})
        self._noted = set()
        for name, value in good.items():
            if self.filters.of(name).raw:
                found.published[name + RAW] = value
                self._note(name + RAW, value, moment)
            self._filter(name, value, measures[name], moment, (found.published, found.wrong))
        if found.wrong:
            self.forget(found.wrong)
        if self.filters.derived:
            self._derive(found, self.published(measures), moment)
        return found

    def _filter(
        self, name: str, value: Value, measure: Measure, moment: Moment, to: tuple[dict[str, Value], dict[str, str]]
    ) -> None:
        """Put what becomes of a value into the first of `to`, or why it cannot be true into the second."""
        filters = self.filters.of(name)
        try:
            made = self._made(name, filters, measure, value, moment)
        except (ValueError, ArithmeticError) as error:
            to[1][name] = str(error)
            return
        if made is not None:
            to[0][name] = made
        if self.filters.derived:
            if (steady := filters.steady) is not filters:
                try:
                    made = self._made(name, steady, measure, value, moment)
                except (ValueError, ArithmeticError):
                    self.forget([name])  # none that would have been published
                    return
            self._note(name, made, moment)

    def _made(self, name: str, filters: MeasureFilters, measure: Measure, value: Value, moment: Moment) -> Value | None:
        """Return what filters of a measure make of a value, or None if it is held back.

        Raises:
            ValueError, ArithmeticError: it cannot be true.
        """
        if not filters.stages:
            made: Value | None = value
        else:
            key = name, filters.longest_s > 0
            known = self._pipelines.get(key)
            if known is None or known.filters != filters or known.measure != measure:
                known = self._pipelines[key] = Pipeline(filters, measure, known)
            made = known.apply(cast("float", value), moment)
        if isinstance(made, float) and not math.isfinite(made):
            raise ValueError(f"{value:g} becomes a number that is too large")
        return made

    # Derived measures.

    def _derive(self, found: Conditioned, measures: Mapping[str, Measure], moment: Moment) -> None:
        """Compute each derived measure of which a source has a good value now, from the newest values of all."""
        for name, formula in self.filters.derived.items():
            if name not in measures or self._noted.isdisjoint(formula.sources):
                continue
            if (values := self._values(formula, moment)) is None:
                continue
            try:
                value = self._at_work(name, formula, measures).of(values, moment)
            except (ValueError, ArithmeticError) as error:
                found.failed[name] = str(error)
            else:
                if value is not None:
                    self._filter(name, value, formula.outcome(measures), moment, (found.published, found.failed))
            if name in found.failed:
                self.forget([name])

    def _note(self, name: str, made: Value | None, moment: Moment) -> None:
        """Note the newest good value of a measure if it is a number, whether it is published or held back."""
        if isinstance(made, int | float):
            self._newest[name] = moment.now, float(made)
            self._noted.add(name)

    def _at_work(self, name: str, formula: Formula, measures: Mapping[str, Measure]) -> Computation:
        """Return the formula at work; it begins anew if it, or what its sources are, is another one."""
        sources, known = [measures[one] for one in formula.sources], self._computations.get(name)
        if known is None or known[:2] != (formula, sources):
            if known is not None:
                known.computation.close()
            known = self._computations[name] = _AtWork(formula, sources, formula.start(name, measures, self._lent))
        return known.computation

    def _values(self, formula: Formula, moment: Moment) -> dict[str, float] | None:
        """Return the newest value of each source, or None if one is missing or too old."""
        found = {name: self._newest[name] for name in formula.sources if name in self._newest}
        fresh = {name: value for name, (at, value) in found.items() if moment.now - at < moment.gap_s}
        return fresh if len(fresh) == len({*formula.sources}) else None
