"""Readings in InfluxDB's line protocol."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from bootstrap.history.points import READING, VALUE, Field
from penates.history.import_line import IDENTITY, FileLine, FileRow, bad, measure_fault, number, once, point, sensor_of
from penates.history.import_times import TimeRules

TRUTH = {"t": 1.0, "f": 0.0}  # beside true and false
# measurement and tags, fields, time; a backslash escapes the character after it
LINE = re.compile(r'((?:\\.|[^\\ ])+) +((?:"(?:\\.|[^"\\])*"|\\.|[^\\" ])+)(?: +(-?\d+))?\s*', re.ASCII)
FIELD = re.compile(r'((?:\\.|[^\\,=])+)=("(?:\\.|[^"\\])*"|[^,"\s]+)(?:,|$)')
PART = re.compile(r"(?<!\\),")
ESCAPED = re.compile(r'\\([,= "\\])')
EXCERPT = 40  # characters of a field that are quoted


@dataclass
class SeriesChoice:
    """Which series of the files are loaded, and which one each measure of a sensor came from.

    Attributes:
        tags: the value that each of these tags must have.
        measurement: the measurement that is loaded; None means all.
    """

    tags: dict[str, str] = field(default_factory=dict)
    measurement: str | None = None
    sources: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)  # its name, and where it was found

    def excludes(self, measurement: str, tags: dict[str, str]) -> bool:
        """Return whether this series was not chosen."""
        if self.measurement not in (None, measurement):
            return True
        return any(tags.get(name) != value for name, value in self.tags.items())

    def unmixed(self, rows: Iterable[FileRow], file: str) -> Iterator[FileRow]:
        """Yield rows of a table without the values of a second sensor that was given the name of the first."""
        for row in rows:
            for name in [*row.fields] if row.source else ():
                if why := self.fault(row.sensor, name, row.source, f"{file}:{row.number}"):
                    row.faults.append(why)
                    del row.fields[name]
            yield row

    def fault(self, sensor: str, measure: str, source: str, where: str) -> str | None:
        """Return why a value cannot be loaded as this measure: another series was; None if it can."""
        first, found = self.sources.setdefault((sensor, measure), (source, where))
        if first == source:
            return None
        return (
            f"{measure!r} of {sensor} is already {first!r} ({found}), and {source!r} must not be mixed with it;"
            " choose one with --tag or --measurement, or leave out --sensor"
        )


@dataclass(frozen=True)
class LineParser:
    """Parses the lines of one file.

    Attributes:
        file: its name, for people.
        sensor: the sensor of all values, instead of the one that a line names.
    """

    file: str
    sensor: str | None
    times: TimeRules
    choice: SeriesChoice

    def line(self, at: int, text: str) -> FileLine:
        """Return what a line contains."""
        try:
            return self._parsed(at, text)
        except (ValueError, OverflowError) as error:
            return bad(at, str(error))

    def _parsed(self, at: int, text: str) -> FileLine:
        found = LINE.fullmatch(text)
        if not found:
            raise ValueError("it is not line protocol: measurement,tag=… field=… time")
        key, fields, moment = found.groups()
        measurement, *parts = (_unescaped(part) for part in PART.split(key))
        tags = once((name, value) for name, _, value in (part.partition("=") for part in parts))
        if self.choice.excludes(measurement, tags):
            return FileLine(at, [], passed=True)
        if moment is None:
            raise ValueError("it has no time")
        values = once(_fields(fields))
        if values.keys() == {VALUE} and measurement != READING:
            values = {measurement: values[VALUE]}
        sensor, time_us = sensor_of(self.sensor, tags), self.times.number(moment)
        named = ("kind",) if self.sensor else IDENTITY  # a sensor that is chosen must not mix those that are named
        others = sorted(f"{tag}={value}" for tag, value in tags.items() if tag not in named)
        source = ",".join([measurement, *others])
        why = {
            name: measure_fault(name) or self.choice.fault(sensor, name, source, f"{self.file}:{at}") for name in values
        }
        points = [point(sensor, time_us, name, value) for name, value in values.items() if not why[name]]
        return FileLine(at, points, tuple(fault for fault in why.values() if fault))


def _unescaped(text: str) -> str:
    return ESCAPED.sub(r"\1", text)


def _fields(text: str) -> Iterable[tuple[str, Field]]:
    end = 0
    while end < len(text):
        found = FIELD.match(text, end)
        if not found:
            raise ValueError(f"{text[end : end + EXCERPT]!r} is not a field")
        name = _unescaped(found[1])
        yield name, _value(name, found[2])
        end = found.end()


def _value(name: str, text: str) -> Field:
    if text[0] == '"':
        return _unescaped(text[1:-1])
    if text.lower() in TRUTH:
        return TRUTH[text.lower()]
    found = number(name, text[:-1] if text[-1] in "iu" else text)
    if found is None:
        raise ValueError(f"{text[:EXCERPT]!r} is not a value")
    return found
