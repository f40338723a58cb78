"""A reading of the history, as a recorder stores it."""

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
HEAD = ("time", "run", "seq")
LEVELS = 4
READING, HEARTBEAT, STATE = "reading", "heartbeat", "state"  # measurements
FOREIGN = "foreign/"  # how the run of a value begins that is nobody's of ours
VALUE = "value"  # the measure of a topic that names none
LONGEST_NAME = 200  # characters of a measure's name that somebody else has chosen
NO_KINDS: Mapping[str, str] = {}
STATES = frozenset(get_args(State))
NONSENSE = (ValueError, TypeError, AttributeError, KeyError, RecursionError, OverflowError)  # what reading it raises
LOADS = json.JSONDecoder().decode
MOST = 2**63 - 1  # that a database holds


class Point(NamedTuple):
    """One reading: of which sensor (`group/sensor`), when (microseconds since 1970), by which run, and what it says."""

    sensor: str
    time_us: int
    run: str
    seq: int
    fields: dict[str, Field]
    unsure: bool = False
    kind: str = ""  # of the sensor, where it is known
    measurement: str = READING


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
        reading = LOADS(payload.decode())
        if b"\\u" in payload:
            json.dumps(reading, ensure_ascii=False).encode()  # half a character can be escaped, and stored nowhere
        moment, run, seq = (reading.pop(name) for name in HEAD)
        time_us = _since_1970(moment)
        unsure = reading.pop("clock", None) is not None
        fields = {name: value if type(value) is str else _finite(value) for name, value in reading.items()}
    except NONSENSE as error:
        raise Refused(f"no reading: {error!r}") from None
    if not isinstance(run, str) or type(seq) is not int or not 0 <= seq <= MOST:
        raise Refused("no reading: its run is no text, or its seq no whole number")
    sensor = "/".join(levels[:2])
    return Point(sensor, time_us, run, seq, fields, unsure, kinds.get(sensor, ""))


def heartbeat(topic: str, payload: bytes, kinds: Mapping[str, str] = NO_KINDS) -> Point:
    """Read a message to `group/sensor/status/heartbeat`: its numbers, at its own time.

    Raises:
        Refused: it is no heartbeat.
    """
    try:
        said = json.loads(payload)
        time_us = _since_1970(said["time"])
        numbers = {name: _finite(value) for name, value in said.items() if type(value) in (int, float)}
    except NONSENSE as error:
        raise Refused(f"no heartbeat: {error!r}") from None
    sensor = "/".join(topic.split("/")[:2])
    return Point(sensor, time_us, "", 0, {**numbers}, kind=kinds.get(sensor, ""), measurement=HEARTBEAT)


def state(topic: str, payload: bytes, at_us: int, kinds: Mapping[str, str] = NO_KINDS) -> Point:
    """Read a message to `group/sensor/status/state`, which has no time but that of its arrival, `at_us`.

    Raises:
        Refused: it is no state.
    """
    word = payload.decode(errors="replace")
    if word not in STATES:
        raise Refused("no state")
    sensor = "/".join(topic.split("/")[:2])
    fields: dict[str, Field] = {"state": word, "online": float(word == "online")}
    return Point(sensor, at_us, "", 0, fields, kind=kinds.get(sensor, ""), measurement=STATE)


def foreign(topic: str, payload: bytes, at_us: int) -> Point:
    """Read what others publish, a value or a JSON object of values, as of its arrival, `at_us`.

    The last level of the topic names the measure, what stands before it the sensor; where an object names the measures,
    all of it does.

    Raises:
        Refused: there is no value in it.
    """
    said = decode(payload)
    levels = [level for level in topic.split("/") if level]
    if not isinstance(said, dict):
        said = {levels.pop() if len(levels) > 1 else VALUE: said}
    fields = {_free(name): value if isinstance(value, str) else float(value) for name, value in _values(said)}
    if not fields or not levels:
        raise Refused("there is no value in it")
    group, *rest = levels
    return Point(f"{group}/{'/'.join(rest) or group}", at_us, FOREIGN + next(iter(fields)), at_us, fields)


def _values(said: dict[str, Json], before: str = "") -> Iterator[tuple[str, float | str]]:
    """The values of an object, and those of objects in it: `{"air": {"temperature": 21}}` is `air_temperature`."""
    for name, value in said.items():
        if isinstance(value, bool | int | float | str):
            yield before + name, value
        elif isinstance(value, dict) and not before:
            yield from _values(value, f"{name}_")


def _free(name: str) -> str:
    """The name of a measure, or one beside it where it is one that stores and readings use themselves."""
    if len(name) > LONGEST_NAME:
        raise Refused(f"the name of a value has more than {LONGEST_NAME} characters")
    return f"{name}_" if name in RESERVED_MEASURES else name


def _since_1970(moment: str) -> int:
    """In microseconds."""
    return (datetime.fromisoformat(moment) - EPOCH) // MICROSECOND


def _finite(value: float) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{number} is no value")
    return number
