"""What becomes of one line of an imported file, on its way from text to points."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, TypeAlias, TypeVar

from bootstrap.contract.payload import NUMBER, parse_number
from bootstrap.device import CALIBRATION, RESERVED_MEASURES
from bootstrap.errors import Refused
from bootstrap.history.points import LONGEST_NAME, Field, Point

IDENTITY = ("group", "sensor", "kind")  # columns and tags that identify the sensor, and are not measures
NOT_UTF8 = re.compile("[\ud800-\udfff]")  # what stands for a byte that is not, after decoding by `surrogateescape`
NO_TEXT = "it is not UTF-8 text"
WILDCARDS = frozenset("+#")

T = TypeVar("T")
Moment: TypeAlias = int | datetime  # microseconds since 1970; or a local time that a clock shows twice


class FileLine(NamedTuple):
    """The points of a line, why some or all of it has none, and how much of it is no value."""

    number: int
    points: list[Point]
    faults: tuple[str, ...] = ()
    empty: int = 0  # cells that say that there is no value
    passed: bool = False  # it belongs to a series that was not chosen
    lines: int = 1  # that a fault concerns


@dataclass
class FileRow:
    """A line that has been parsed, except that its time may be open."""

    number: int
    sensor: str = ""
    moment: Moment | None = None  # None if all of the line is bad
    text: str = ""  # the time as it is in the file
    measure: str = ""  # in a table with one value per line
    source: str = ""  # the sensor that the line names, if another was chosen
    fields: dict[str, Field] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    empty: int = 0
    lines: int = 1

    def line(self) -> FileLine:
        """Return the row with one point for each measure, whose key is its time, so that it is stored once."""
        points = []
        if isinstance(self.moment, int):
            points = [point(self.sensor, self.moment, name, value) for name, value in self.fields.items()]
        return FileLine(self.number, points, tuple(self.faults), self.empty, lines=self.lines)


def number(name: str, text: str) -> float | None:
    """Return the number that a text means by the rule for all that is recorded; None if it is a word.

    Raises:
        ValueError: it is a number that no store can hold.
    """
    try:
        return parse_number(text)
    except Refused as why:
        if NUMBER.fullmatch(text):
            raise ValueError(f"{name!r} is not a finite number: {why}") from None
        raise


def point(sensor: str, time_us: int, measure: str, value: Field) -> Point:
    """Return a value as a point. Its key is its time, so that it is stored once whichever files contain it."""
    return Point(sensor, time_us, f"import/{measure}", time_us, {measure: value})


def bad(number: int, why: str) -> FileLine:
    """Return a line of which nothing can be loaded."""
    return FileLine(number, [], (why,))


def sensor_of(chosen: str | None, identity: dict[str, str]) -> str:
    """Return the sensor that was chosen, or else the one that a line names.

    Raises:
        ValueError: there is none, or no recorder could store it.
    """
    name = chosen or _named(identity)
    if why := sensor_fault(name):
        raise ValueError(f"{why}; use --sensor")
    return name


def source_of(chosen: str | None, identity: dict[str, str]) -> str:
    """Return the sensor that a line names, if another was chosen instead; else an empty string."""
    return "/".join(identity[name] for name in ("group", "sensor") if identity.get(name)) if chosen else ""


def once(pairs: Iterable[tuple[str, T]]) -> dict[str, T]:
    """Return pairs as a mapping.

    Raises:
        ValueError: it has a name twice.
    """
    found: dict[str, T] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"it has {name[:80]!r} twice")
        found[name] = value
    return found


def _named(identity: dict[str, str]) -> str:
    if not identity.get("sensor"):
        raise ValueError("it has no tag 'sensor'; use --sensor")
    return f"{identity['group']}/{identity['sensor']}" if identity.get("group") else identity["sensor"]


def sensor_fault(name: str) -> str | None:
    """Return why a recorder could not store a sensor of this name, ours or another publisher's; None if it could."""
    if "/" not in name:
        return f"the sensor {name[:80]!r} must be GROUP/SENSOR"
    if not all(name.split("/")) or not name.isprintable() or {*name} & WILDCARDS:
        return f"the sensor {name[:80]!r} must have names of printable characters, without + and #, between its slashes"
    return None


def measure_fault(name: str) -> str | None:
    """Return why a recorder could not store a measure of this name; None if it could."""
    if not name:
        return "a measure has no name"
    if len(name) > LONGEST_NAME:
        return f"the name of the measure {name[:40]!r}… has more than {LONGEST_NAME} characters"
    if name in RESERVED_MEASURES - {CALIBRATION}:
        return f"a measure cannot be called {name!r}; the recorder calls it '{name}_'"
    return None
