"""A reading as a line of InfluxDB's line protocol, built by hand: the client's own Point costs five times as much.

Measurement `reading`, for the fleet `heartbeat` and `state`; tags `group`, `sensor` and `kind`; a field for each
measure; microseconds. Every number is a float, since a whole number would make each later 21.5 of that field a fault
for ever.
"""

import re
from functools import lru_cache

from bootstrap.errors import Refused
from bootstrap.history.points import Point

TAGS = frozenset({"group", "kind", "sensor"})
REMEMBERED = 1024  # names and series whose escaped form is kept
LONGEST = 60_000  # bytes of a series' name; of more than 65 535 with the field's, InfluxDB takes none

_SPECIAL = re.compile("[,= ]")
_UNSAYABLE = re.compile(r"[\\\x00-\x1f\x7f]")  # no two stores agree on how to escape a backslash in a name


def line(point: Point) -> str:
    """One reading on one line, without its end.

    Raises:
        Refused: no line can say it so that each store understands the same.
    """
    fields = [f"{_field(name)}={_value(value)}" for name, value in point.fields.items()]
    if not fields:
        raise Refused("a reading without a value")
    return f"{_series(point.measurement, point.sensor, point.kind)} {','.join(fields)} {point.time_us}"


@lru_cache(REMEMBERED)
def _series(measurement: str, sensor: str, kind: str) -> str:
    """Measurement and tags. An empty tag cannot be written; one that is not there reads as empty."""
    group, _, name = sensor.partition("/")
    tags = (("group", group), ("kind", kind), ("sensor", name))
    series = measurement + "".join(f",{tag}={_escaped(value)}" for tag, value in tags if value)
    if len(series.encode()) > LONGEST:
        raise Refused(f"its names have more than {LONGEST} bytes")
    return series


@lru_cache(REMEMBERED)
def _field(name: str) -> str:
    if not name or name in TAGS or name == "time":
        raise Refused(f"{name!r} cannot name a measure in this store")
    if len(name.encode()) > LONGEST:
        raise Refused(f"the name of a measure has more than {LONGEST} bytes")
    return _escaped(name)


def _escaped(name: str) -> str:
    if _UNSAYABLE.search(name):
        raise Refused(f"a name with a backslash or control character cannot be said in this store: {ascii(name)[:80]}")
    return _SPECIAL.sub(r"\\\g<0>", name)


def _value(value: float | str) -> str:
    if not isinstance(value, str):
        return repr(value)
    if "\n" in value:
        raise Refused("a word of two lines cannot be said in this store")
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
