"""The filters and the derived measures of one sensor at work."""

import math
from collections.abc import Callable, Iterable, Mapping
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
        self._pipelines: dict[str, Pipeline] = {}
        self._computations: dict[str, _AtWork] = {}
        self._newest: dict[str, tuple[float, float]] = {}  # by name: when it was published (monotonic), and the number

    def lend(self, keep: Callable[[str, float], Kept[float]], listen: Callable[[str], "ListeningHandle"]) -> None:
        """Let formulas that begin from now on keep and listen by these."""
        self._lent = Lent(keep, listen)

    def change(self, filters: SensorFilters) -> None:
        """Apply other filters from now on; those that are still the same remember what they remembered."""
        self.filters, self._published = filters, ({}, {})
        self._pipelines = {name: one for name, one in self._pipelines.items() if filters.of(name).stages}
        for name in self._computations.keys() - filters.derived.keys():
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

    def forget(self, names: Iterable[str] | None = None) -> None:
        """Derive nothing from these measures, or from any, before there are new values: the newest are not good."""
        for name in [*self._newest] if names is None else names:
            self._newest.pop(name, None)

    def apply(self, good: Values, measures: Mapping[str, Measure], now: float, period_s: float) -> Conditioned:
        """Return what becomes of the good values of a reading."""
        moment = Moment(now, period_s, stale_s(period_s))
        found = Conditioned({}, {}, {})
        for name, value in good.items():
            if self.filters.of(name).raw:
                found.published[name + RAW] = value
            self._filter(name, value, measures[name], moment, (found.published, found.wrong))
        self.forget(found.wrong)
        if self.filters.derived:
            self._derive(found, self.published(measures), moment)
        return found

    def _filter(
        self, name: str, value: Value, measure: Measure, moment: Moment, to: tuple[dict[str, Value], dict[str, str]]
    ) -> None:
        """Put what becomes of a value into the first of `to`, or why it cannot be true into the second."""
        made: Value | None = value
        if (filters := self.filters.of(name)).stages:
            try:
                made = self._pipeline(name, filters, measure).apply(cast("float", value), moment)
            except (ValueError, ArithmeticError) as error:
                to[1][name] = str(error)
                return
        if isinstance(made, float) and not math.isfinite(made):
            to[1][name] = f"{value:g} becomes a number that is too large"
            return
        if made is not None:
            to[0][name] = made

    def _pipeline(self, name: str, filters: MeasureFilters, measure: Measure) -> Pipeline:
        """Return the pipeline of a measure; a new one if its filters, or what its device declares, are others."""
        known = self._pipelines.get(name)
        if known is None or known.filters != filters or known.measure != measure:
            known = self._pipelines[name] = Pipeline(filters, measure, known)
        return known

    # Derived measures.

    def _derive(self, found: Conditioned, measures: Mapping[str, Measure], moment: Moment) -> None:
        """Compute each derived measure of which a source is published now, from the newest values of all."""
        self._note(found.published, moment)
        for name, formula in self.filters.derived.items():
            if name not in measures or not any(one in found.published for one in formula.sources):
                continue
            if (values := self._values(formula, moment)) is None:
                continue
            every_s = max(self.filters.every_s(one, moment.period_s) for one in formula.sources)
            try:
                value = self._at_work(name, formula, measures).of(values, Moment(moment.now, every_s, stale_s(every_s)))
            except (ValueError, ArithmeticError) as error:
                found.failed[name] = str(error)
                continue
            if value is not None:
                self._filter(name, value, formula.outcome(measures), moment, (found.published, found.failed))
                self._note({one: found.published[one] for one in (name,) if one in found.published}, moment)

    def _note(self, published: Values, moment: Moment) -> None:
        numbers = {name: float(one) for name, one in published.items() if isinstance(one, int | float)}
        self._newest |= {name: (moment.now, number) for name, number in numbers.items()}

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
        patience = {name: stale_s(self.filters.every_s(name, moment.period_s)) for name in found}
        fresh = {name: value for name, (at, value) in found.items() if moment.now - at < patience[name]}
        return fresh if len(fresh) == len({*formula.sources}) else None
