"""The filters of one sensor at work."""

from collections.abc import Mapping

from bootstrap.contract.liveness import stale_s
from bootstrap.device import Measure, Value, Values
from bootstrap.filters.filter import Filter, Moment, Stage
from bootstrap.filters.settings import RAW, MeasureFilters, SensorFilters


class Pipeline:
    """The filters of one measure at work, each on what the one before it has made of a value."""

    def __init__(self, filters: MeasureFilters, measure: Measure, before: "Pipeline | None" = None) -> None:
        """Go on with the stages of `before` as far as they are the same."""
        self.filters, self.measure = filters, measure
        kept = before.stages if before and before.measure == measure else []
        self.stages: list[tuple[Filter, Stage]] = []
        self.last: float | None = before.last if before else None  # when a value came last
        for number, one in enumerate(filters.stages):
            same = kept[number : number + 1]
            kept = kept if same and same[0][0] == one else []
            self.stages.append((one, same[0][1] if kept else one.start(measure)))
            one.accepts(measure)
            measure = one.outcome(measure)

    def apply(self, value: Value, moment: Moment) -> Value | None:
        """Return what becomes of a value, or None if it is held back. After a gap, nothing before it counts.

        Raises:
            ValueError: after some filter, the value cannot be true.
        """
        if self.last is not None and moment.now - self.last >= moment.gap_s:
            for _, stage in self.stages:
                stage.forget()
        self.last = moment.now
        found = value
        for _, stage in self.stages:
            if (made := stage.apply(found, moment)) is None:
                return None
            found = made
        for _, stage in self.stages:
            stage.published(moment)
        return found


class Conditioning:
    """Applies the filters of a sensor to its readings."""

    def __init__(self, filters: SensorFilters) -> None:
        self.filters = filters
        self._pipelines: dict[str, Pipeline] = {}

    def change(self, filters: SensorFilters) -> None:
        """Apply other filters from now on; those that are still the same remember what they remembered."""
        self.filters = filters
        self._pipelines = {name: one for name, one in self._pipelines.items() if name in filters.measures}

    def apply(
        self, good: Values, measures: Mapping[str, Measure], now: float, period_s: float
    ) -> tuple[dict[str, Value], dict[str, str]]:
        """Return what is to be published of the good values of a reading, and why some cannot be true after all."""
        moment = Moment(now, period_s, stale_s(period_s))
        found: dict[str, Value] = {}
        wrong: dict[str, str] = {}
        for name, value in good.items():
            filters = self.filters.measures.get(name)
            if filters is None:
                found[name] = value
                continue
            if filters.raw:
                found[name + RAW] = value
            try:
                made = self._pipeline(name, filters, measures[name]).apply(value, moment)
            except ValueError as error:
                wrong[name] = str(error)
            else:
                found |= {} if made is None else {name: made}
        return found, wrong

    def _pipeline(self, name: str, filters: MeasureFilters, measure: Measure) -> Pipeline:
        """Return the pipeline of a measure; a new one if its filters, or what its device declares, are others."""
        known = self._pipelines.get(name)
        if known is None or known.filters != filters or known.measure != measure:
            known = self._pipelines[name] = Pipeline(filters, measure, known)
        return known
