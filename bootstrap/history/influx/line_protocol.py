"""Points as lines of InfluxDB's line protocol, built by hand because the client's own Point takes five times as long.

The measurement is `reading`, `heartbeat` or `state`; the tags are `group`, `sensor` and `kind`; each measure is a
field; times are in microseconds. Every number is written as a float: a field that starts as an integer would refuse
every later float, such as 21.5.

A field has one type for all sensors, the one that came first, and refuses everything else. Therefore the text of a
reading goes into the measurement `text`. If a field of `reading` holds text all the same, because an earlier version or
another program wrote it, the numbers of that day go into the measurement `number`.
"""

import re
from collections.abc import Callable, Collection
from functools import lru_cache
from typing import TypeAlias

from bootstrap.errors import Refused
from bootstrap.history.points import NO_TEXT, READING, Field, LeftOut, OnLeftOut, Point

TEXT, NUMBER = "text", "number"  # measurements, beside those of points
TAGS = frozenset({"group", "kind", "sensor"})
CACHED = 1024  # escaped names and series
LONGEST = 60_000  # bytes of a series' name; together with the field's name, InfluxDB accepts 65 535
DAY_US = 86_400 * 10**6

Taken: TypeAlias = Collection[tuple[str, int]]  # fields of `reading` with another type, and the day since 1970

_SPECIAL = re.compile("[,= ]")
_UNSUPPORTED = re.compile(r"[\\\x00-\x1f\x7f]")  # stores differ in how they escape a backslash in a name


def lines(
    point: Point, holds_text: Callable[[], bool] = lambda: True, on_left_out: OnLeftOut = id, taken: Taken = ()
) -> list[str]:
    """Return a point as lines without line ends, one for each measurement that it goes into.

    `holds_text` tells, only if that matters, whether the store holds text; VictoriaMetrics does not, and therefore
    cannot read a name with a quote. A value that no line can hold is left out.

    Raises:
        Refused: no value is left.
    """
    parts: dict[str, list[str]] = {}
    left_out: dict[str, str] = {}
    for name, value in point.fields.items():
        try:
            field = _assignment(name, value, holds_text)
        except Refused as why:
            left_out[name] = str(why)
        else:
            parts.setdefault(_measurement(point, name, value, taken), []).append(field)
    if not parts:
        raise Refused(_why(left_out))
    found = [
        f"{_series(measurement, point.sensor, point.kind)} {','.join(fields)} {point.time_us}"
        for measurement, fields in parts.items()
    ]
    for what in left_out.items():
        on_left_out(LeftOut(point, *what))
    return found


def _assignment(name: str, value: Field, holds_text: Callable[[], bool]) -> str:
    if isinstance(value, str) and not holds_text():
        raise Refused(NO_TEXT)
    if '"' in name and not holds_text():
        raise Refused(f"this store cannot hold a name with a quote: {name!a}")
    return f"{_field(name)}={_value(value)}"


def _measurement(point: Point, name: str, value: Field, taken: Taken) -> str:
    if point.measurement != READING:
        return point.measurement
    if isinstance(value, str):
        return TEXT
    return NUMBER if taken and (name, point.time_us // DAY_US) in taken else READING


def _why(left_out: dict[str, str]) -> str:
    """Return why a point has no line: the first reason that is a fault, if there is one."""
    return next(iter(sorted(left_out.values(), key=NO_TEXT.__eq__)), "a reading without a value")


@lru_cache(CACHED)
def _series(measurement: str, sensor: str, kind: str) -> str:
    """Return measurement and tags. An empty tag cannot be written, but a missing one reads as empty."""
    group, _, name = sensor.partition("/")
    tags = (("group", group), ("kind", kind), ("sensor", name))
    series = measurement + "".join(f",{tag}={_escaped(value)}" for tag, value in tags if value)
    if len(series.encode()) > LONGEST:
        raise Refused(f"its names have more than {LONGEST} bytes")
    return series


@lru_cache(CACHED)
def _field(name: str) -> str:
    if not name or name in TAGS or name == "time":
        raise Refused(f"{name!a} cannot name a measure in this store")
    if len(name.encode()) > LONGEST:
        raise Refused(f"the name of a measure has more than {LONGEST} bytes")
    return _escaped(name)


def _escaped(name: str) -> str:
    if _UNSUPPORTED.search(name):
        raise Refused(f"this store cannot hold a name with a backslash or control character: {ascii(name)[:80]}")
    return _SPECIAL.sub(r"\\\g<0>", name)


def _value(value: float | str) -> str:
    if not isinstance(value, str):
        return repr(value)
    if "\n" in value:
        raise Refused("this store cannot hold text with a line break")
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
