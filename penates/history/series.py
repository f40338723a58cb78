"""What is drawn of a history: for each measure its values over time, as readings or as roll-ups."""

import math
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from bootstrap.history.reader import DAY_S, FIVE_MINUTES_S, MICRO, Average, HistoryReader, Summary

READINGS = 0  # the step that means the readings themselves
MANY = 20_000  # readings; a chart does not show more
LONG_S = 120 * DAY_S  # the longest span in which steps of five minutes can be seen
GAP = 3  # times the usual distance between two values: nothing is drawn in between
STEADY = 0.6  # the part of the distances that are about the usual one, if values come periodically
ABOUT = 0.5  # how far from the usual distance one may be, as a part of it
FEW = 8  # distances that do not tell whether values come periodically
AHEAD_S = DAY_S  # how far a sensor's clock may be ahead for its values to be drawn


def gap_s(times: Sequence[float], every_s: float | None, *, lasts: bool) -> float:
    """Return the distance of values beyond which there is a gap, in seconds.

    `every_s` is the period at which they are read, if it is known. What lasts until the next value, as states do, has
    gaps only if it is known or seen that values come periodically.
    """
    apart = [later - before for before, later in pairwise(times)]
    usual = statistics.median(apart) if apart else 0.0
    near = sum(abs(seconds - usual) <= ABOUT * usual for seconds in apart)
    steady = len(apart) >= FEW and near >= STEADY * len(apart)
    if not apart or (lasts and every_s is None and not steady):
        return math.inf
    return GAP * max(usual, every_s or 0.0)


@dataclass
class Series:
    """The values of one measure, at times in seconds since 1970, with their lowest and highest if they are roll-ups."""

    measure: str
    unit: str = ""
    truth: bool = False  # whether its values are only 0 and 1
    event: bool = False  # whether they are occurrences, between which there is nothing
    counter: bool = False  # whether they only grow, except for a restart at 0
    every_s: float | None = None  # the period at which it is read, if known
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

    @property
    def growth(self) -> float:
        """By how much a counter has grown; one that is lower than before has restarted at 0."""
        steps = sum(later - before if later >= before else later for before, later in pairwise(self.highs))
        return self.highs[0] - self.lows[0] + steps

    @property
    def gap_s(self) -> float:
        """The distance beyond which two values have a gap between them, in seconds."""
        return gap_s(self.times, self.every_s, lasts=self.truth)

    def pieces(self) -> Iterator[slice]:
        """Yield the parts between gaps."""
        limit, begin = self.gap_s, 0
        for number, (before, later) in enumerate(pairwise(self.times), 1):
            if later - before > limit:
                yield slice(begin, number)
                begin = number
        yield slice(begin, len(self.times))

    def true_s(self) -> tuple[float, float]:
        """Return for how long it was true, and for how long its state is known, in seconds; gaps are not."""
        found = known = 0.0
        for piece in self.pieces():
            for value, (before, later) in zip(self.values[piece], pairwise(self.times[piece]), strict=False):
                found += value * (later - before)
                known += later - before
        return found, known

    def stairs(self, piece: slice) -> tuple[list[float], list[float]]:
        """Return the times and values of a line with steps."""
        all_times, all_values = self.times[piece], self.values[piece]
        times, values = all_times[:1], all_values[:1]
        for moment, value in zip(all_times[1:], all_values[1:], strict=True):
            times += [moment, moment]
            values += [values[-1], value]
        return times, values


class KnownMeasure(NamedTuple):
    """What this house's configuration says of a measure: its unit (or `bool`, `str`), and how it comes about."""

    unit: str = ""
    event: bool = False
    every_s: float | None = None
    counter: bool = False


UNKNOWN = KnownMeasure()


@dataclass
class Drawn:
    """All that is drawn of one sensor."""

    sensor: str
    step_s: int
    series: dict[str, Series] = field(default_factory=dict)
    words: dict[str, list[tuple[float, str]]] = field(default_factory=dict)  # texts, one for each change
    heard: dict[str, list[float]] = field(default_factory=dict)  # the times of all texts
    until_s: float = math.inf  # values at later times, of a clock that was wrong, are not drawn
    later: int = 0  # how many there are
    latest_s: float = 0.0  # the time of the last of them

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
            moment = row.time_us / MICRO
            if self._is_too_late(moment):
                continue
            for name, value in row.fields.items():
                if isinstance(value, str):
                    self._add_text(name, moment, value)
                else:
                    self._series(name).add(moment, Summary(1, value, value, value))
        return True

    def _add_text(self, name: str, moment: float, value: str) -> None:
        self.heard.setdefault(name, []).append(moment)
        if name not in self.words or self.words[name][-1][1] != value:
            self.words.setdefault(name, []).append((moment, value))

    def _is_too_late(self, moment: float) -> bool:
        """Return whether a value is too far in the future to be drawn, and count it."""
        if moment <= self.until_s:
            return False
        self.later += 1
        self.latest_s = max(self.latest_s, moment)
        return True

    def add_averages(self, averages: Iterable[Average]) -> None:
        """Add averages, each in the middle of its period."""
        for average in averages:
            moment = average.start_s + self.step_s / 2
            if not self._is_too_late(moment):
                self._series(average.measure).add(moment, average.summary)


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
    until_s = now_us / MICRO + AHEAD_S
    result = Drawn(sensor, chosen, until_s=until_s)
    if chosen == READINGS:
        if result.add_readings(reader, since_us, MANY if step_s is None else 2**62):
            return result
        result = Drawn(sensor, coarse(now_us - since_us), words=result.words, heard=result.heard, until_s=until_s)
    result.add_averages(reader.averages(sensor, since_us, result.step_s))
    return result


def describe(series: Iterable[Series], measures: Mapping[str, KnownMeasure]) -> None:
    """Set what is known of each series' measure.

    If its unit is not known, it is a truth value if it has been both 0 and 1, and nothing else.
    """
    for one in series:
        known = measures.get(one.measure, UNKNOWN)
        one.truth = known.unit == "bool" if known.unit else {*one.lows, *one.highs} == {0.0, 1.0}
        one.unit = "" if known.unit in ("bool", "str", "object", "1") else known.unit
        one.event, one.every_s, one.counter = known.event, known.every_s, known.counter
