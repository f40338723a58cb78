"""The closed list of formulas."""

import hashlib
import json
import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import ClassVar

from bootstrap.contract.liveness import GRACE_S
from bootstrap.device import Kept, Measure
from bootstrap.filters import air
from bootstrap.filters.derived import Computation, Formula, Lent, units
from bootstrap.filters.filter import Moment, tidy
from bootstrap.filters.linear import ID_DIGITS, UNITS, Interval, Line, between

HOUR_S = 3600.0
LONGEST_ID = 64
TEMPERATURE = UNITS["°C"][0]
MOST = 300  # values that a window keeps; each new one looks at all of them
KEEP_S = 600.0  # seconds between two times that a sum is kept, which wears an SD card
PER_HOUR = {"Wh": "W", "kWh": "kW", "mm": "mm/h", "in": "in/h", "km": "km/h", "L": "L/h", "m³": "m³/h", "Ah": "A"}
SUMS: Mapping[tuple[str, float], str] = {
    **{(rate, HOUR_S): unit for unit, rate in PER_HOUR.items()},
    ("L/min", 60.0): "L",
    ("gal/min", 60.0): "gal",
    ("m/s", 1.0): "m",
}
NAMES_S = {1.0: "s", 60.0: "min", HOUR_S: "h", 86_400.0: "d"}


@dataclass(frozen=True)
class _Air(Formula):
    """A formula of temperature and relative humidity, at any unit of temperature."""

    takes: ClassVar[str] = "temperature, humidity"
    unit: ClassVar[str] = ""  # that of the temperature if it is empty
    digits: ClassVar[int] = 2

    def of(self, celsius: float, humidity: float) -> float:
        """Return what follows, in °C or the formula's own unit."""
        raise NotImplementedError

    def outcome(self, measures: Mapping[str, Measure]) -> Measure:
        """Return a measure in the unit of the temperature, or of its own."""
        warm, damp = units(self, measures)
        if UNITS.get(warm, ("",))[0] != TEMPERATURE or damp != "%":
            raise ValueError(f"it takes a temperature and a humidity in %, not {warm} and {damp}")
        return Measure(self.unit or warm)

    def start(self, name: str, measures: Mapping[str, Measure], lent: Lent | None) -> Computation:  # noqa: ARG002
        """Return what converts to °C, computes, and converts back."""
        warm = units(self, measures)[0]
        return _AirAtWork(self, between(warm, "°C"), Line(1, 0) if self.unit else between("°C", warm))


class _AirAtWork(Computation):
    def __init__(self, formula: _Air, to_celsius: Line, back: Line) -> None:
        self._formula, self._to_celsius, self._back = formula, to_celsius, back

    def of(self, values: Mapping[str, float], _moment: Moment) -> float | None:
        warm, damp = (values[name] for name in self._formula.sources)
        found = self._formula.of(self._to_celsius.of(warm), damp)
        return round(self._back.of(found), self._formula.digits)


@dataclass(frozen=True)
class DewPoint(_Air):
    """The temperature at which dew forms."""

    def of(self, celsius: float, humidity: float) -> float:
        """Return the dew point in °C."""
        return air.dew_point(celsius, humidity)


@dataclass(frozen=True)
class AbsoluteHumidity(_Air):
    """How much water is in the air."""

    unit: ClassVar[str] = "g/m³"

    def of(self, celsius: float, humidity: float) -> float:
        """Return the water in the air in g/m³."""
        return air.absolute_humidity(celsius, humidity)


@dataclass(frozen=True)
class HeatIndex(_Air):
    """How warm the air feels."""

    def of(self, celsius: float, humidity: float) -> float:
        """Return how warm the air feels in °C."""
        return air.heat_index(celsius, humidity)


# Over a time.


class _Window(Computation):
    """The newest values of one measure, with their times.

    No value is merged with more of them than fit into a small part of the window, so that it forgets in time.
    """

    def __init__(self, formula: Formula) -> None:
        self.values: deque[tuple[float, float]] = deque()  # time (monotonic, in seconds), value
        self._formula = formula
        self._slot_s = formula.window_s / (MOST // 2 - 2)  # no three values are within that, so there are at most MOST

    def of(self, values: Mapping[str, float], moment: Moment) -> float | None:
        """Add a value, drop what is older than the window, and compute."""
        if self.values and moment.now - self.values[-1][0] >= moment.gap_s:
            self.values.clear()
        new = moment.now, self.noted(values[self._formula.sources[0]])
        if len(self.values) > 1 and new[0] - self.values[-2][0] <= self._slot_s:
            newest = self.values.pop()
            self.values[-1] = self.merged(self.values[-1], newest, new)
        self.values.append(new)
        while len(self.values) > 1 and self.values[1][0] <= moment.now - self._formula.window_s:
            self.values.popleft()
        return self.result(moment.now - self._formula.window_s)

    def noted(self, value: float) -> float:
        """Return what is to be kept of a value."""
        return value

    def merged(
        self, one: tuple[float, float], _other: tuple[float, float], _new: tuple[float, float]
    ) -> tuple[float, float]:
        """Return what tells the same as the first two of three values until the third."""
        return one

    def result(self, since: float) -> float | None:
        """Return what follows from the values. The window begins at `since`; the first value may be older."""
        raise NotImplementedError


class _RateAtWork(_Window):
    """Keeps by how much the measure has grown since it began, so that it does not matter which values are kept."""

    def __init__(self, formula: Formula, *, counter: bool) -> None:
        super().__init__(formula)
        self._counter, self._grown, self._last = counter, 0.0, math.nan

    def noted(self, value: float) -> float:
        if self.values:
            self._grown += value if self._counter and value < self._last else value - self._last
        self._last = value
        return self._grown

    def result(self, _since: float) -> float | None:
        (began, before), (now, grown) = self.values[0], self.values[-1]
        return tidy((grown - before) / (now - began) * HOUR_S) if now > began else None


class _MeanAtWork(_Window):
    """Each value counts for as long as it was the newest."""

    def merged(
        self, one: tuple[float, float], other: tuple[float, float], new: tuple[float, float]
    ) -> tuple[float, float]:
        return one[0], _held_mean([one, other, new])

    def result(self, since: float) -> float | None:
        (began, first), *later = self.values
        return tidy(_held_mean([(max(began, since), first), *later]))


def _held_mean(values: Sequence[tuple[float, float]]) -> float:
    """Return the mean of values with their times, from the first of these to the last."""
    whole = values[-1][0] - values[0][0]
    held = ((after[0] - one[0]) * one[1] for one, after in pairwise(values))
    return sum(held) / whole if whole > 0 else values[-1][1]


@dataclass(frozen=True)
class _OverTime(Formula):
    takes: ClassVar[str] = "measure, time such as 10min"


@dataclass(frozen=True)
class Rate(_OverTime):
    """By how much a measure changes per hour, in the mean over a time. A counter that starts anew at 0 has grown."""

    def outcome(self, measures: Mapping[str, Measure]) -> Measure:
        """Return a measure per hour."""
        (unit,) = units(self, measures)
        grows = measures[self.sources[0]].counter
        return Measure(PER_HOUR.get(unit, f"{unit}/h"), low=0 if grows else -math.inf)

    def start(self, name: str, measures: Mapping[str, Measure], lent: Lent | None) -> Computation:  # noqa: ARG002
        """Return a window."""
        return _RateAtWork(self, counter=measures[self.sources[0]].counter)


@dataclass(frozen=True)
class MeanOverTime(_OverTime):
    """The mean of a measure over a time, in which each value counts for as long as it was the newest."""

    def outcome(self, measures: Mapping[str, Measure]) -> Measure:
        """Return a measure of the same unit."""
        units(self, measures)
        source = measures[self.sources[0]]
        return replace(source, step=math.inf, power_on=None, counter=False, assumed=False)

    def start(self, name: str, measures: Mapping[str, Measure], lent: Lent | None) -> Computation:  # noqa: ARG002
        """Return a window."""
        return _MeanAtWork(self)


@dataclass(frozen=True)
class Integral(_OverTime):
    """The sum of a measure over time, kept over restarts: W over 1h is Wh. Nothing is added for a gap."""

    def outcome(self, measures: Mapping[str, Measure]) -> Measure:
        """Return a sum, which is a counter unless the measure may be negative."""
        (unit,) = units(self, measures)
        if self.window_s not in NAMES_S:
            raise ValueError(f"the time of an integral is one of {', '.join(f'1{name}' for name in NAMES_S.values())}")
        found = SUMS.get((unit, self.window_s), f"{unit}·{NAMES_S[self.window_s]}")
        return Measure(found, counter=measures[self.sources[0]].low >= 0)

    def start(self, name: str, measures: Mapping[str, Measure], lent: Lent | None) -> Computation:
        """Return a sum that goes on where it was; of another measure, over another time, in another unit it is new."""
        return _IntegralAtWork(self, lent.keep(self._kept_as(name, measures), 0.0) if lent else None)

    def _kept_as(self, name: str, measures: Mapping[str, Measure]) -> str:
        facts = [name, *self.sources, self.window_s, self.outcome(measures).unit_name]
        digest = hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:ID_DIGITS]
        return f"derived_{digest}_{name}"[:LONGEST_ID]


class _IntegralAtWork(Computation):
    def __init__(self, formula: Integral, kept: Kept[float] | None) -> None:
        self._formula, self._kept = formula, kept
        self._sum = kept.value if kept else 0.0
        self._before: tuple[float, float] | None = None  # time and value
        self._kept_at = -math.inf

    def of(self, values: Mapping[str, float], moment: Moment) -> float | None:
        value = values[self._formula.sources[0]]
        if self._before is not None and moment.now - self._before[0] < moment.gap_s:
            self._sum += (moment.now - self._before[0]) * (self._before[1] + value) / 2 / self._formula.window_s
        self._before = (moment.now, value)
        if moment.now - self._kept_at >= KEEP_S:
            self._kept_at = moment.now
            self.close()
        return round(self._sum, 3)

    def interrupt(self) -> None:
        """Add nothing for the time until the next value."""
        self._before = None

    def close(self) -> None:
        """Keep the sum."""
        if self._kept is not None and self._kept.value != self._sum:
            self._kept.value = self._sum


# Of two.


@dataclass(frozen=True)
class Difference(Formula):
    """One measure less another one, which may be another sensor's."""

    takes: ClassVar[str] = "measure, measure or topic of another sensor"
    topics: ClassVar[bool] = True

    def outcome(self, measures: Mapping[str, Measure]) -> Measure:
        """Return a measure in the unit of the first. A temperature less such an interval is a temperature."""
        unit, *other = units(self, measures)
        if other and other[0] != unit:
            raise ValueError(f"both must be in one unit, not {unit} and {other[0]}")
        first, *second = (isinstance(measures[name], Interval) for name in self.sources)
        return Measure(unit) if second == [True] and not first else Interval(unit)

    def start(self, name: str, measures: Mapping[str, Measure], lent: Lent | None) -> Computation:  # noqa: ARG002
        """Return what subtracts."""
        return _DifferenceAtWork(self, lent)


class _DifferenceAtWork(Computation):
    def __init__(self, formula: Difference, lent: Lent | None) -> None:
        self._formula = formula
        self._heard = lent.listen(formula.topic) if lent and formula.topic else None
        self._since: float | None = None  # monotonic, in seconds

    def of(self, values: Mapping[str, float], moment: Moment) -> float | None:
        one, *others = (values[name] for name in self._formula.sources)
        other = others[0] if others else self._others(moment.now)
        return None if other is None else tidy(one - other)

    def _others(self, now: float) -> float | None:
        """Return what the other sensor has said; None while its first message may still be on its way.

        Raises:
            ValueError: that does not count, or nothing was heard.
        """
        self._since = now if self._since is None else self._since
        if self._heard is not None and self._heard.last is None and now - self._since < GRACE_S:
            return None
        if self._heard is None or self._heard.last is None or self._heard.problem:
            why = self._heard.problem if self._heard else None
            raise ValueError(f"{self._formula.topic}: {why or 'nothing was heard yet'}")
        return self._heard.last.number


FORMULAS: Mapping[str, type[Formula]] = {
    "absolute_humidity": AbsoluteHumidity,
    "dew_point": DewPoint,
    "difference": Difference,
    "heat_index": HeatIndex,
    "integral": Integral,
    "mean": MeanOverTime,
    "rate": Rate,
}
