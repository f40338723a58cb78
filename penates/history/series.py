"""What is drawn of a history: for each measure its values over time, as readings or as roll-ups."""

import statistics
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from bootstrap.history.reader import DAY_S, FIVE_MINUTES_S, MICRO, Average, HistoryReader, Summary

READINGS = 0  # the step that means the readings themselves
MANY = 20_000  # readings; a chart does not show more
LONG_S = 120 * DAY_S  # the longest span in which steps of five minutes can be seen
GAP = 3  # times the usual distance between two values: nothing is drawn in between


@dataclass
class Series:
    """The values of one measure, at times in seconds since 1970, with their lowest and highest if they are roll-ups."""

    measure: str
    unit: str = ""
    truth: bool = False  # whether its values are only 0 and 1
    times: list[float] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    lows: list[float] = field(default_factory=list)
    highs: list[float] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)  # of readings behind each

    def add(self, moment: float, found: Summary) -> None:
        """Add the next value."""
        self.times.append(moment)
        self.values.append(found.mean)
        self.lows.append(found.low)
        self.highs.append(found.high)
        self.counts.append(found.count)

    @property
    def whole(self) -> Summary:
        """The summary of all values."""
        parts = zip(self.counts, self.values, self.lows, self.highs, strict=True)
        return Summary.merged([Summary(*part) for part in parts])

    def pieces(self) -> Iterator[slice]:
        """Yield the parts between gaps. A truth value has none, because it lasts until the next one."""
        apart = [later - before for before, later in zip(self.times, self.times[1:], strict=False)]
        limit = GAP * statistics.median(apart) if apart and not self.truth else float("inf")
        begin = 0
        for number, seconds in enumerate(apart, 1):
            if seconds > limit:
                yield slice(begin, number)
                begin = number
        yield slice(begin, len(self.times))

    def stairs(self) -> tuple[list[float], list[float]]:
        """Return the times and values of a line with steps."""
        times, values = self.times[:1], self.values[:1]
        for moment, value in zip(self.times[1:], self.values[1:], strict=True):
            times += [moment, moment]
            values += [values[-1], value]
        return times, values


@dataclass
class Drawn:
    """All that is drawn of one sensor."""

    sensor: str
    step_s: int
    series: dict[str, Series] = field(default_factory=dict)
    words: dict[str, list[tuple[float, str]]] = field(default_factory=dict)  # texts, one for each change

    @property
    def measures(self) -> list[str]:
        """The measures that have values."""
        return sorted({*self.series, *self.words})

    @property
    def ends(self) -> tuple[float, float]:
        """The first and the last time of a value or a change, of which there must be one."""
        times = [moment for one in self.series.values() for moment in (one.times[0], one.times[-1])]
        times += [moment for changes in self.words.values() for moment, _ in (changes[0], changes[-1])]
        return min(times), max(times)

    def _series(self, measure: str) -> Series:
        return self.series.setdefault(measure, Series(measure))

    def add_readings(self, reader: HistoryReader, since_us: int, most: int) -> bool:
        """Add the readings since then; return False if there are more than `most`."""
        for number, row in enumerate(reader.rows(self.sensor, since_us)):
            if number >= most:
                return False
            for name, value in row.fields.items():
                moment = row.time_us / MICRO
                if not isinstance(value, str):
                    self._series(name).add(moment, Summary(1, value, value, value))
                elif name not in self.words or self.words[name][-1][1] != value:
                    self.words.setdefault(name, []).append((moment, value))
        return True

    def add_averages(self, averages: Iterable[Average]) -> None:
        """Add averages, each in the middle of its period."""
        for average in averages:
            self._series(average.measure).add(average.start_s + self.step_s / 2, average.summary)


def step(reader: HistoryReader, sensor: str, since_us: int, now_us: int) -> int:
    """Return the step for a span: READINGS if all are still stored, else five minutes, or a day for a long span."""
    whole_us = reader.whole_since_us(sensor)
    if since_us >= whole_us:
        return READINGS
    before = (one for one in reader.averages(sensor, since_us, DAY_S) if one.start_s * MICRO < whole_us)
    return coarse(now_us - since_us) if any(before) else READINGS


def coarse(span_us: int) -> int:
    """Return the step of the roll-ups for such a span."""
    return FIVE_MINUTES_S if span_us <= LONG_S * MICRO else DAY_S


def drawn(reader: HistoryReader, sensor: str, since_us: int, now_us: int, step_s: int | None) -> Drawn:
    """Read what there is to draw; without a step, as finely as it is stored and can be seen."""
    chosen = step(reader, sensor, since_us, now_us) if step_s is None else step_s
    result = Drawn(sensor, chosen)
    if chosen == READINGS:
        if result.add_readings(reader, since_us, MANY if step_s is None else 2**62):
            return result
        result = Drawn(sensor, coarse(now_us - since_us), words=result.words)
    result.add_averages(reader.averages(sensor, since_us, result.step_s))
    return result


def name_units(series: Iterable[Series], units: Mapping[str, str]) -> None:
    """Set each series' unit as its device declares it; if it is unknown, values of only 0 and 1 are truth values."""
    for one in series:
        unit = units.get(one.measure)
        one.truth = unit == "bool" if unit else {*one.lows, *one.highs} <= {0.0, 1.0}
        one.unit = "" if unit in (None, "bool", "str", "1") else unit or ""
