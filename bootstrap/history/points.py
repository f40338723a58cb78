"""Messages converted to points, the form in which a recorder stores them."""

import json
import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, TypeAlias, get_args

from bootstrap.contract.payload import Json, decode
from bootstrap.contract.topics import State
from bootstrap.device import RESERVED_MEASURES
from bootstrap.errors import Refused

Field: TypeAlias = "float | str"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
KEY = ("time", "run", "seq")
LEVELS = 4
READING, HEARTBEAT, STATE = "reading", "heartbeat", "state"  # measurements
FOREIGN = "foreign/"  # the run of a value that no sensor of penates has measured begins with this
VALUE = "value"  # the measure's name where the topic has none
LONGEST_NAME = 200  # characters of a foreign measure's name
NO_KINDS: Mapping[str, str] = {}
STATES = frozenset(get_args(State))
MALFORMED = (ValueError, TypeError, AttributeError, KeyError, RecursionError, OverflowError)  # raised by parsing
LOADS = json.JSONDecoder().decode
LARGEST = 2**63 - 1  # integer that a database can store


class Point(NamedTuple):
    """A reading of a sensor (`group/sensor`): its time in microseconds since 1970, its run and seq, and its values."""

    sensor: str
    time_us: int
    run: str
    seq: int
    fields: dict[str, Field]
    unsure: bool = False
    kind: str = ""  # of the sensor, if known
    measurement: str = READING


def point(topic: str, payload: bytes, kinds: Mapping[str, str] = NO_KINDS) -> Point:
    """Parse a message to `group/sensor/data/reading`: numbers and booleans become floats, strings stay strings.

    `kinds` contains the kind of each sensor, by `group/sensor`.

    Raises:
        Refused: it is not a reading; the text gives the reason.
    """
    levels = topic.split("/")
    if len(levels) != LEVELS or levels[2:] != ["data", "reading"]:
        raise Refused(f"{topic} is not a topic of the history")
    try:
        reading = LOADS(payload.decode())
        if b"\\u" in payload:
            json.dumps(reading, ensure_ascii=False).encode()  # an escaped lone surrogate parses, but cannot be stored
        moment, run, seq = (reading.pop(name) for name in KEY)
        time_us = _since_1970(moment)
        unsure = reading.pop("clock", None) is not None
        fields = {name: value if type(value) is str else _finite(value) for name, value in reading.items()}
    except MALFORMED as error:
        raise Refused(f"not a reading: {error!r}") from None
    if not isinstance(run, str) or type(seq) is not int or not 0 <= seq <= LARGEST:
        raise Refused("not a reading: its run is not text, or its seq is not a whole number")
    sensor = "/".join(levels[:2])
    return Point(sensor, time_us, run, seq, fields, unsure, kinds.get(sensor, ""))


def heartbeat(topic: str, payload: bytes, kinds: Mapping[str, str] = NO_KINDS) -> Point:
    """Parse a message to `group/sensor/status/heartbeat`: its numbers, with its own timestamp.

    Raises:
        Refused: it is not a heartbeat.
    """
    try:
        facts = json.loads(payload)
        time_us = _since_1970(facts["time"])
        numbers = {name: _finite(value) for name, value in facts.items() if type(value) in (int, float)}
    except MALFORMED as error:
        raise Refused(f"not a heartbeat: {error!r}") from None
    sensor = "/".join(topic.split("/")[:2])
    return Point(sensor, time_us, "", 0, {**numbers}, kind=kinds.get(sensor, ""), measurement=HEARTBEAT)


def state(topic: str, payload: bytes, at_us: int, kinds: Mapping[str, str] = NO_KINDS) -> Point:
    """Parse a message to `group/sensor/status/state`, which has no timestamp but that of its arrival, `at_us`.

    Raises:
        Refused: it is not a state.
    """
    name = payload.decode(errors="replace")
    if name not in STATES:
        raise Refused("not a state")
    sensor = "/".join(topic.split("/")[:2])
    fields: dict[str, Field] = {"state": name, "online": float(name == "online")}
    return Point(sensor, at_us, "", 0, fields, kind=kinds.get(sensor, ""), measurement=STATE)


def foreign(topic: str, payload: bytes, at_us: int) -> Point:
    """Parse a message of another publisher, a value or a JSON object of values, with its time of arrival `at_us`.

    The last level of the topic becomes the measure, the levels before it the sensor. If the payload is an object, its
    keys become the measures, and the whole topic the sensor.

    Raises:
        Refused: it contains no value.
    """
    found = decode(payload)
    levels = [level for level in topic.split("/") if level]
    if not isinstance(found, dict):
        found = {levels.pop() if len(levels) > 1 else VALUE: found}
    fields = {_measure(name): value if isinstance(value, str) else float(value) for name, value in _values(found)}
    if not fields or not levels:
        raise Refused("it contains no value")
    group, *rest = levels
    return Point(f"{group}/{'/'.join(rest) or group}", at_us, FOREIGN + next(iter(fields)), at_us, fields)


def _values(found: dict[str, Json], prefix: str = "") -> Iterator[tuple[str, float | str]]:
    """Yield the values of an object and of objects in it: `{"air": {"temperature": 21}}` yields `air_temperature`."""
    for name, value in found.items():
        if isinstance(value, bool | int | float | str):
            yield prefix + name, value
        elif isinstance(value, dict) and not prefix:
            yield from _values(value, f"{name}_")


def _measure(name: str) -> str:
    """Return the name of a foreign measure, with `_` appended if stores and readings use that name themselves."""
    if len(name) > LONGEST_NAME:
        raise Refused(f"the name of a value has more than {LONGEST_NAME} characters")
    return f"{name}_" if name in RESERVED_MEASURES else name


def _since_1970(moment: str) -> int:
    """Return an ISO 8601 time in microseconds since 1970."""
    return (datetime.fromisoformat(moment) - EPOCH) // MICROSECOND


def _finite(value: float) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{number} is not finite")
    return number
