"""Filters that make one scale into another: calibration, and units."""

import hashlib
import json
import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain, pairwise
from typing import ClassVar, NamedTuple

from bootstrap.device import Measure
from bootstrap.filters.filter import NumberFilter, mapped, tidy

MOST_POINTS, PAIR = 5, 2
ID_DIGITS = 8


class Line(NamedTuple):
    """A straight line: `scale` times a number, plus `offset`."""

    scale: float
    offset: float

    def of(self, number: float) -> float:
        """Return what becomes of a number."""
        return number * self.scale + self.offset

    @classmethod
    def through(cls, one: Sequence[float], other: Sequence[float]) -> "Line":
        """Return the line through two points."""
        scale = (other[1] - one[1]) / (other[0] - one[0])
        return cls(scale, one[1] - scale * one[0])


@dataclass(frozen=True)
class Calibrate(NumberFilter):
    """Corrects by an offset and a scale, or by points that each have what the sensor said and what was true.

    One point is an offset, two are a line. Between more of them the line is straight from each to the next, and beyond
    the first and the last it goes on as between the two that are nearest.
    """

    offset: float | None = None
    scale: float | None = None
    points: list[list[float]] | None = None
    unit: str | None = None

    def __post_init__(self) -> None:
        straight = self.offset is not None or self.scale is not None
        if straight == (self.points is not None) or self.scale == 0:
            raise ValueError("{ offset = … }, { scale = … } other than 0, both, or { points = [[said, true], …] }")
        if self.points is not None:
            _check(self.points)
        if not all(math.isfinite(line.scale) and line.scale and math.isfinite(line.offset) for line in self._lines):
            raise ValueError("made of numbers that are further apart, or closer together")
        if self.unit is not None and not self.unit.isprintable():
            raise ValueError("a table in which 'unit' is one line of printable characters")

    @cached_property
    def _sorted(self) -> list[list[float]]:
        return sorted(self.points or [])

    @cached_property
    def _lines(self) -> list[Line]:
        """The straight lines that it consists of, from the lowest number up."""
        if self.points is None:
            return [Line(1.0 if self.scale is None else self.scale, self.offset or 0.0)]
        points = self._sorted
        if len(points) == 1:
            return [Line(1.0, points[0][1] - points[0][0])]
        return [Line.through(one, other) for one, other in pairwise(points)]

    def of(self, number: float) -> float:
        """Return what was true when the sensor said this."""
        lines, bends = self._lines, [said for said, _true in self._sorted[1:-1]]
        found = lines[bisect_left(bends, number)].of(number)
        return tidy(found) if math.isfinite(found) else found

    def outcome(self, measure: Measure) -> Measure:
        """Return the measure as it is after the correction, in another unit if it has one."""
        slope = max((line.scale for line in self._lines), key=abs)
        return replace(mapped(measure, self.of, slope), unit=self.unit or measure.unit)

    @property
    def id(self) -> str:
        """What tells it from other calibrations: equal ones have the same."""
        numbers = [self.offset or 0, 1 if self.scale is None else self.scale, *chain.from_iterable(self._sorted)]
        facts = [*map(float, numbers), self.unit]
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:ID_DIGITS]


def _check(points: list[list[float]]) -> None:
    if len(points) > MOST_POINTS or any(len(point) != PAIR for point in points):
        raise ValueError(f"a table in which 'points' is one to {MOST_POINTS} pairs, [said, true]")
    neighbours = [*pairwise(sorted(points))]
    if any(one[0] == other[0] for one, other in neighbours):
        raise ValueError("a table in which no two of the 'points' have the same first number")
    rises = [other[1] - one[1] for one, other in neighbours]
    if not (all(rise > 0 for rise in rises) or all(rise < 0 for rise in rises)):
        raise ValueError("a table in which the second numbers of the 'points' only rise, or only fall, with the first")


# By unit: what it measures, and how a number of it becomes one of the first unit listed of its sort.
UNITS: Mapping[str, tuple[str, Line]] = {
    "°C": ("temperature", Line(1, 0)),
    "K": ("temperature", Line(1, -273.15)),
    "°F": ("temperature", Line(5 / 9, -160 / 9)),
    "Pa": ("pressure", Line(1, 0)),
    "hPa": ("pressure", Line(100, 0)),
    "mbar": ("pressure", Line(100, 0)),
    "kPa": ("pressure", Line(1000, 0)),
    "bar": ("pressure", Line(100_000, 0)),
    "mmHg": ("pressure", Line(133.322387415, 0)),
    "inHg": ("pressure", Line(3386.389, 0)),
    "psi": ("pressure", Line(6894.757293168, 0)),
    "m/s": ("speed", Line(1, 0)),
    "km/h": ("speed", Line(1 / 3.6, 0)),
    "mph": ("speed", Line(0.44704, 0)),
    "kn": ("speed", Line(1852 / 3600, 0)),
    "ft/s": ("speed", Line(0.3048, 0)),
    "mm": ("length", Line(0.001, 0)),
    "cm": ("length", Line(0.01, 0)),
    "m": ("length", Line(1, 0)),
    "km": ("length", Line(1000, 0)),
    "in": ("length", Line(0.0254, 0)),
    "ft": ("length", Line(0.3048, 0)),
    "mm/h": ("rain", Line(1, 0)),
    "in/h": ("rain", Line(25.4, 0)),
    "mg": ("mass", Line(1e-6, 0)),
    "g": ("mass", Line(0.001, 0)),
    "kg": ("mass", Line(1, 0)),
    "oz": ("mass", Line(0.028349523125, 0)),
    "lb": ("mass", Line(0.45359237, 0)),
    "mL": ("volume", Line(0.001, 0)),
    "L": ("volume", Line(1, 0)),
    "m³": ("volume", Line(1000, 0)),
    "gal": ("volume", Line(3.785411784, 0)),
    "L/min": ("flow", Line(1, 0)),
    "L/h": ("flow", Line(1 / 60, 0)),
    "m³/h": ("flow", Line(1000 / 60, 0)),
    "gal/min": ("flow", Line(3.785411784, 0)),
    "mW": ("power", Line(0.001, 0)),
    "W": ("power", Line(1, 0)),
    "kW": ("power", Line(1000, 0)),
    "Wh": ("energy", Line(1, 0)),
    "kWh": ("energy", Line(1000, 0)),
    "MJ": ("energy", Line(1000 / 3.6, 0)),
    "mV": ("voltage", Line(0.001, 0)),
    "V": ("voltage", Line(1, 0)),
    "mA": ("current", Line(0.001, 0)),
    "A": ("current", Line(1, 0)),
    "s": ("time", Line(1, 0)),
    "min": ("time", Line(60, 0)),
    "h": ("time", Line(3600, 0)),
    "d": ("time", Line(86_400, 0)),
    "B": ("data", Line(1, 0)),
    "kB": ("data", Line(1e3, 0)),
    "MB": ("data", Line(1e6, 0)),
    "GB": ("data", Line(1e9, 0)),
    "1": ("ratio", Line(1, 0)),
    "%": ("ratio", Line(0.01, 0)),
    "ppm": ("ratio", Line(1e-6, 0)),
}


UNKNOWN = ("", Line(1, 0))


def between(unit: str, other: str) -> Line:
    """Return the line that makes numbers of one unit into those of another.

    Raises:
        ValueError: they do not measure the same.
    """
    (sort, to_base), (other_sort, from_base) = UNITS.get(unit, UNKNOWN), UNITS.get(other, UNKNOWN)
    if sort != other_sort or not sort:
        raise ValueError(f"is in {unit}; {_alternatives(unit, sort)}")
    return Line(to_base.scale / from_base.scale, (to_base.offset - from_base.offset) / from_base.scale)


def _alternatives(unit: str, sort: str) -> str:
    names = ", ".join(name for name, (one, _line) in UNITS.items() if one == sort and name != unit)
    return f"choose from {names}" if names else "that is converted into no other unit"


@dataclass(frozen=True)
class Interval(Measure):
    """A measure that says how far two others are apart: in another unit, 5 °C of them are 9 °F, and not 41."""

    def line_to(self, unit: str) -> Line:
        """Return the line that makes its numbers into those of another unit."""
        return Line(between(str(self.unit), unit).scale, 0)


def _line(measure: Measure, unit: str) -> Line:
    return measure.line_to(unit) if isinstance(measure, Interval) else between(str(measure.unit), unit)


@dataclass(frozen=True)
class Unit(NumberFilter):
    """Converts into another unit of the same quantity."""

    bare: ClassVar[str] = "to"

    to: str

    def outcome(self, measure: Measure) -> Measure:
        """Return the measure in the other unit."""
        line = _line(measure, self.to)
        return replace(mapped(measure, line.of, line.scale), unit=self.to)

    def start(self, measure: Measure) -> "_Converter":
        """Return what converts from the measure's unit."""
        return _Converter(_line(measure, self.to))


@dataclass(frozen=True)
class _Converter(NumberFilter):
    """Converts numbers by a line."""

    line: Line

    def of(self, number: float) -> float:
        return tidy(self.line.of(number))
