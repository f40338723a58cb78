"""Points as lines of InfluxDB's line protocol, built by hand because the client's own Point takes five times as long.

The measurement is `reading`, `heartbeat` or `state`; the tags are `group`, `sensor` and `kind`; each measure is a
field; times are in microseconds. Every number is written as a float: a field that starts as an integer would refuse
every later float, such as 21.5.
"""

import re
from functools import lru_cache

from bootstrap.errors import Refused
from bootstrap.history.points import Point

TAGS = frozenset({"group", "kind", "sensor"})
CACHED = 1024  # escaped names and series
LONGEST = 60_000  # bytes of a series' name; together with the field's name, InfluxDB accepts 65 535

_SPECIAL = re.compile("[,= ]")
_UNSUPPORTED = re.compile(r"[\\\x00-\x1f\x7f]")  # stores differ in how they escape a backslash in a name


def line(point: Point) -> str:
    """Return a point as a line without a line end.

    Raises:
        Refused: no line would mean the same to every store.
    """
    fields = [f"{_field(name)}={_value(value)}" for name, value in point.fields.items()]
    if not fields:
        raise Refused("a reading without a value")
    return f"{_series(point.measurement, point.sensor, point.kind)} {','.join(fields)} {point.time_us}"


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
        raise Refused(f"{name!r} cannot name a measure in this store")
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
