"""Readings in the files of other programs: CSV, and InfluxDB's line protocol."""

import csv
import math
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import partial
from pathlib import Path
from typing import BinaryIO, TypeVar

from bootstrap.contract.payload import NUMBER, parse_number
from bootstrap.contract.timestamps import parse
from bootstrap.contract.topics import ID_RULE, Topics, is_id
from bootstrap.errors import Refused
from bootstrap.history.points import EPOCH, MICROSECOND, Field, Point

SEPARATORS = ",;\t"
IDENTITY = ("group", "sensor", "kind")  # columns and tags that identify the sensor, and are not measures
LONG = {"time", "measure", "value"}
NANOS = {"ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9}
LATEST_US = 253_402_300_800 * 10**6  # the year 10 000
TRUTH = {"t": 1.0, "f": 0.0}  # of line protocol alone
# measurement and tags, fields, time; a backslash escapes the character after it
LINE = re.compile(r'((?:\\.|[^\\ ])+) +((?:"(?:\\.|[^"\\])*"|\\.|[^\\" ])+)(?: +(-?\d+))?\s*', re.ASCII)
FIELD = re.compile(r'((?:\\.|[^\\,=])+)=("(?:\\.|[^"\\])*"|[^,"\s]+)(?:,|$)')
COMMA = re.compile(r"(?<!\\),")
ESCAPED = re.compile(r'\\([,= "\\])')

T = TypeVar("T")


@dataclass(frozen=True)
class Reader:
    """How files are read.

    Attributes:
        sensor: the sensor that all values belong to, instead of the one that a file names.
        zone: the time zone of times without one.
        precision: the unit of times that are numbers; without it, seconds in CSV and nanoseconds in line protocol.
        words: whether a value in CSV that is not a number is text.
    """

    sensor: str | None = None
    zone: tzinfo | None = None
    precision: str | None = None
    words: bool = False

    def read(self, file: Path, stream: BinaryIO) -> Iterator[tuple[int, "list[Point] | str"]]:
        """Yield the number of each line with its points, or with the reason why it has none.

        A CSV file whose header is wrong yields that reason alone.
        """
        lines = (line.decode("utf-8-sig" if number == 0 else "utf-8", "replace") for number, line in enumerate(stream))
        if file.suffix.lower() in (".csv", ".tsv"):
            yield from self._csv(lines)
            return
        for number, line in enumerate(lines, 1):
            if line.strip() and not line.startswith("#"):
                yield number, _parsed(self._line, line, line)

    # CSV.

    def _csv(self, lines: Iterator[str]) -> Iterator[tuple[int, "list[Point] | str"]]:
        header = next(lines, "").rstrip("\r\n")
        separator = max(SEPARATORS, key=header.count)
        try:
            names = [name.strip() for name in next(csv.reader([header], delimiter=separator), [])]
        except csv.Error:
            names = []
        if why := self._header_fault(names):
            yield 1, why
            return
        rows = csv.reader(lines, delimiter=separator)
        while True:
            try:
                cells = next(rows, None)
            except csv.Error as error:
                yield rows.line_num + 1, str(error)
                continue
            if cells is None:
                return
            if cells:
                yield rows.line_num + 1, _parsed(partial(self._row, names), cells, "".join(cells))

    def _header_fault(self, names: list[str]) -> str | None:
        """Return why the lines below such a header cannot be read; None if they can."""
        if "time" not in names:
            return "the first line must name the columns: 'time', and either measures or 'measure' and 'value'"
        if not self.sensor and "sensor" not in names:
            return "there is no column 'sensor'; use --sensor"
        measures = set(names) - {"time", *IDENTITY}
        bad = [] if set(names) >= LONG else sorted(name for name in measures if not is_id(name))
        if bad:
            return f"the column {bad[0]!r} must be {ID_RULE}"
        unique = len(set(names)) == len(names)
        return None if measures and unique else "there is no column for a measure, or two columns have the same name"

    def _row(self, names: list[str], cells: list[str]) -> list[Point]:
        if len(cells) != len(names):
            raise ValueError(f"it has {len(cells)} value{'s' * (len(cells) != 1)} for {len(names)} columns")
        row = dict(zip(names, (cell.strip() for cell in cells), strict=True))
        identity = {name: row.pop(name) for name in IDENTITY if name in row}
        time_us = self._time(row.pop("time"), "s")
        if row.keys() >= {"measure", "value"}:
            row = {row["measure"]: row["value"]}
        fields = {name: self._cell(name, text) for name, text in row.items() if text}
        return _points(self._sensor_of(identity), time_us, fields)

    def _cell(self, name: str, text: str) -> Field:
        if (found := _number(name, text)) is not None:
            return found
        if not self.words:
            raise ValueError(f"{text[:40]!r} is not a number for {name!r}; use --words if it is text")
        return text

    # Line protocol.

    def _line(self, line: str) -> list[Point]:
        found = LINE.fullmatch(line)
        if not found:
            raise ValueError("it is not line protocol: measurement,tag=… field=… time")
        key, fields, moment = found.groups()
        if moment is None:
            raise ValueError("it has no time")
        measurement, *tags = (_unescaped(part) for part in COMMA.split(key))
        identity = dict(tag.split("=", 1) for tag in tags if "=" in tag)
        values = dict(_fields(fields))
        if values.keys() == {"value"} and measurement != "reading":
            values = {measurement: values["value"]}
        return _points(self._sensor_of(identity), self._time(moment, "ns"), values)

    # Both formats.

    def _sensor_of(self, identity: dict[str, str]) -> str:
        named = self.sensor or _named(identity)
        if not named:
            raise ValueError("it has no tag 'sensor'; use --sensor")
        if named.count("/") != 1:
            raise ValueError(f"the sensor {named!r} must be GROUP/SENSOR; use --sensor")
        return Topics(*named.split("/")).client_id

    def _time(self, text: str, usual: str) -> int:
        if NUMBER.fullmatch(text):
            time_us = _microseconds(text, NANOS[self.precision or usual])
        else:
            moment = datetime.fromisoformat(text) if self.zone else parse(text)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=self.zone)
            time_us = (moment - EPOCH) // MICROSECOND
        if not 0 <= time_us < LATEST_US:
            raise ValueError(f"the time {text} is not between 1970 and 9999; is --precision right?")
        return time_us


def _named(identity: dict[str, str]) -> str | None:
    return f"{identity['group']}/{identity['sensor']}" if "group" in identity else identity.get("sensor")


def _parsed(points: Callable[[T], list[Point]], line: T, text: str) -> "list[Point] | str":
    """Return the points of a line, or the reason why there are none."""
    if "\N{REPLACEMENT CHARACTER}" in text:
        return "it is not UTF-8 text"
    try:
        return points(line)
    except (ValueError, OverflowError) as error:
        return str(error)


def _microseconds(text: str, nanos: int) -> int:
    """Return a number of units of `nanos` nanoseconds in microseconds, exactly if it is a whole number."""
    if text.lstrip("+-").isdecimal():
        return int(text) * nanos // 1000
    return round(float(text) * nanos / 1000)


def _points(sensor: str, time_us: int, fields: dict[str, Field]) -> list[Point]:
    """Return one point for each measure. Its key is its time, so that it is stored once whichever files contain it."""
    for name, value in fields.items():
        if not is_id(name):
            raise ValueError(f"the measure {name[:80]!r} must be {ID_RULE}")
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError(f"{name!r} is not a finite number")
    return [Point(sensor, time_us, f"import/{name}", time_us, {name: value}) for name, value in fields.items()]


def _unescaped(text: str) -> str:
    return ESCAPED.sub(r"\1", text)


def _fields(text: str) -> Iterable[tuple[str, Field]]:
    end = 0
    while end < len(text):
        found = FIELD.match(text, end)
        if not found:
            raise ValueError(f"{text[end : end + 40]!r} is not a field")
        name = _unescaped(found[1])
        yield name, _value(name, found[2])
        end = found.end()


def _value(name: str, text: str) -> Field:
    if text[0] == '"':
        return _unescaped(text[1:-1])
    if text.lower() in TRUTH:
        return TRUTH[text.lower()]
    found = _number(name, text[:-1] if text[-1] in "iu" else text)
    if found is None:
        raise ValueError(f"{text[:40]!r} is not a value")
    return found


def _number(name: str, text: str) -> float | None:
    """Return the number that a value means by the rule for all that is recorded, or None if it is a word."""
    try:
        return parse_number(text)
    except Refused as why:
        if NUMBER.fullmatch(text):
            raise ValueError(f"{name!r} is not a finite number: {why}") from None
        raise
