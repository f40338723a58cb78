"""What is to be drawn of a history: for each measure its values in time, as readings or as roll-ups."""

import statistics
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from bootstrap.history.reader import DAY_S, FIVE_MINUTES_S, MICRO, Average, HistoryReader, Summary

READINGS = 0  # a step of no length
MANY = 20_000  # readings that are more than a picture shows
LONG_S = 120 * DAY_S  # a span of more days than five minutes can be seen in
GAP = 3  # times the usual distance between two values: nothing is known of what was in between


@dataclass
class Series:
    """One measure: values, and for roll-ups the lowest and highest beside them, at times in seconds since 1970."""

    measure: str
    unit: str = ""
    truth: bool = False  # its values are 0 and 1, and nothing in between
    times: list[float] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    lows: list[float] = field(default_factory=list)
    highs: list[float] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)  # of readings behind each

    def add(self, moment: float, found: Summary) -> None:
        """The next one."""
        self.times.append(moment)
        self.values.append(found.mean)
        self.lows.append(found.low)
        self.highs.append(found.high)
        self.counts.append(found.count)

    @property
    def whole(self) -> Summary:
        """What it all comes to."""
        parts = zip(self.counts, self.values, self.lows, self.highs, strict=True)
        return Summary.merged([Summary(*part) for part in parts])

    def pieces(self) -> Iterator[slice]:
        """Between gaps. A truth value lasts until the next is told."""
        apart = [later - before for before, later in zip(self.times, self.times[1:], strict=False)]
        limit = GAP * statistics.median(apart) if apart and not self.truth else float("inf")
        begin = 0
        for number, seconds in enumerate(apart, 1):
            if seconds > limit:
                yield slice(begin, number)
                begin = number
        yield slice(begin, len(self.times))

    def stairs(self) -> tuple[list[float], list[float]]:
        """Times and values of a line that goes up and down at once."""
        times, values = self.times[:1], self.values[:1]
        for moment, value in zip(self.times[1:], self.values[1:], strict=True):
            times += [moment, moment]
            values += [values[-1], value]
        return times, values


@dataclass
class Drawn:
    """All of a sensor that is asked for."""

    sensor: str
    step_s: int
    series: dict[str, Series] = field(default_factory=dict)
    words: dict[str, list[tuple[float, str]]] = field(default_factory=dict)  # a new one each time it changes

    @property
    def measures(self) -> list[str]:
        """Of which there is something."""
        return sorted({*self.series, *self.words})

    @property
    def ends(self) -> tuple[float, float]:
        """The first and the last time of a value or a change, if there is any."""
        times = [moment for one in self.series.values() for moment in (one.times[0], one.times[-1])]
        times += [moment for changes in self.words.values() for moment, _ in (changes[0], changes[-1])]
        return min(times), max(times)

    def _series(self, measure: str) -> Series:
        return self.series.setdefault(measure, Series(measure))

    def take_readings(self, reader: HistoryReader, since_us: int, most: int) -> bool:
        """Whether there were not too many."""
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

    def take_averages(self, averages: Iterable[Average]) -> None:
        """Each drawn in the middle of its time."""
        for average in averages:
            self._series(average.measure).add(average.start_s + self.step_s / 2, average.summary)


def step(reader: HistoryReader, sensor: str, since_us: int, now_us: int) -> int:
    """Readings if all are still there, else five minutes, or days for a long time."""
    whole_us = reader.whole_since_us(sensor)
    if since_us >= whole_us:
        return READINGS
    before = (one for one in reader.averages(sensor, since_us, DAY_S) if one.start_s * MICRO < whole_us)
    return coarse(now_us - since_us) if any(before) else READINGS


def coarse(span_us: int) -> int:
    """The roll-ups for such a span."""
    return FIVE_MINUTES_S if span_us <= LONG_S * MICRO else DAY_S


def drawn(reader: HistoryReader, sensor: str, since_us: int, now_us: int, step_s: int | None) -> Drawn:
    """What there is to draw; with no step given, as fine as it is there and can be seen."""
    chosen = step(reader, sensor, since_us, now_us) if step_s is None else step_s
    result = Drawn(sensor, chosen)
    if chosen == READINGS:
        if result.take_readings(reader, since_us, MANY if step_s is None else 2**62):
            return result
        result = Drawn(sensor, coarse(now_us - since_us), words=result.words)
    result.take_averages(reader.averages(sensor, since_us, result.step_s))
    return result


def name_units(series: Iterable[Series], units: Mapping[str, str]) -> None:
    """As the device declares them; where it is not known, what is only ever 0 or 1 is taken for a truth value."""
    for one in series:
        unit = units.get(one.measure)
        one.truth = unit == "bool" if unit else {*one.lows, *one.highs} <= {0.0, 1.0}
        one.unit = "" if unit in (None, "bool", "str", "1") else unit or ""
