"""A reading of the history, as a recorder stores it."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from bootstrap.errors import Refused

Field: TypeAlias = "float | str"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
HEAD = ("time", "run", "seq")
LEVELS = 4
NO_KINDS: Mapping[str, str] = {}
MOST = 2**63 - 1  # that a database holds


@dataclass(slots=True, frozen=True)
class Point:
    """One reading: of which sensor (`group/sensor`), when (microseconds since 1970), by which run, and what it says."""

    sensor: str
    time_us: int
    run: str
    seq: int
    fields: dict[str, Field]
    unsure: bool = False
    kind: str = ""  # of the sensor, where it is known


def point(topic: str, payload: bytes, kinds: Mapping[str, str] = NO_KINDS) -> Point:
    """Read a message to `group/sensor/data/reading`: numbers and truth values become floats, words stay words.

    `kinds` has the kind of each sensor, by `group/sensor`.

    Raises:
        Refused: it is no reading; the text says why.
    """
    levels = topic.split("/")
    if len(levels) != LEVELS or levels[2:] != ["data", "reading"]:
        raise Refused(f"{topic} is no topic of the history")
    try:
        reading = json.loads(payload)
        json.dumps(reading, ensure_ascii=False).encode()  # half a character can be escaped, and stored nowhere
        moment, run, seq = (reading.pop(name) for name in HEAD)
        time_us = (datetime.fromisoformat(moment) - EPOCH) // MICROSECOND
        unsure = reading.pop("clock", None) is not None
        fields = {name: value if isinstance(value, str) else _finite(value) for name, value in reading.items()}
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError, OverflowError) as error:
        raise Refused(f"no reading: {error!r}") from None
    if not isinstance(run, str) or type(seq) is not int or not 0 <= seq <= MOST:
        raise Refused("no reading: its run is no text, or its seq no whole number")
    sensor = "/".join(levels[:2])
    return Point(sensor, time_us, run, seq, fields, unsure, kinds.get(sensor, ""))


def _finite(value: float) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{number} is no value")
    return number
