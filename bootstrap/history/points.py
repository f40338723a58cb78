"""Messages converted to points, the form in which a recorder stores them."""

import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple, TypeAlias, get_args

from bootstrap.contract.payload import text_of
from bootstrap.contract.topics import ID_RULE, State
from bootstrap.contract.values import HALVES, Found, Invalid, parse, parse_json
from bootstrap.device import CALIBRATION, RESERVED_MEASURES, is_measure_name
from bootstrap.errors import Refused

Field: TypeAlias = "float | str"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
KEY = ("time", "run", "seq")
LEVELS = 4
READING, HEARTBEAT, STATE = "reading", "heartbeat", "state"  # measurements
NO_TEXT = "this store holds no text"  # why a value is left out, which is no fault of it
FOREIGN = "foreign/"  # the run of a value that no sensor of penates has measured begins with this
VALUE = "value"  # the measure's name where the topic has none
LONGEST_NAME = 200  # characters of a foreign measure's name
LONGEST = 190_000  # bytes of a reading; a longer one may have lost its end on its way (history/subscription.py)
SHOWN = 80  # characters of a bad name in a message
CACHED = 1024  # names of measures
NO_KINDS: Mapping[str, str] = {}
NONE_INVALID: Mapping[str, str] = {}
UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")  # or no Unicode
SURROGATE = re.compile("[\ud800-\udfff]")
LATEST_US = int(datetime(2262, 1, 1, tzinfo=UTC).timestamp()) * 10**6  # nanoseconds in 64 bits end in this year
STATES = frozenset(get_args(State))
MALFORMED = (ValueError, TypeError, AttributeError, KeyError, RecursionError, OverflowError)  # raised by parsing
LOADS = json.JSONDecoder().decode
LARGEST = 2**63 - 1  # integer that a database can store


class Point(NamedTuple):
    """A reading of a sensor (`group/sensor`): its time in microseconds since 1970, its run and seq, and its values.

    `invalid` are the values of the message that are left out, each with the reason.
    """

    sensor: str
    time_us: int
    run: str
    seq: int
    fields: dict[str, Field]
    unsure: bool = False
    kind: str = ""  # of the sensor, if known
    measurement: str = READING
    invalid: Mapping[str, str] = NONE_INVALID


class LeftOut(NamedTuple):
    """A value that is not stored, though others of its point may be, and why."""

    point: Point
    measure: str
    why: str


OnLeftOut: TypeAlias = Callable[[LeftOut], object]


def point(topic: str, payload: bytes, kinds: Mapping[str, str] = NO_KINDS) -> Point:
    """Parse a message to `group/sensor/data/reading`: numbers and booleans become floats, strings stay strings.

    `kinds` contains the kind of each sensor, by `group/sensor`.

    Raises:
        Refused: it is not a reading, or none of its values can be stored; the text gives the reason.
    """
    levels = topic.split("/")
    if len(levels) != LEVELS or levels[2:] != ["data", "reading"]:
        raise Refused(f"{topic} is not a topic of the history")
    try:
        reading = _object(payload)
        moment, run, seq = (reading.pop(name) for name in KEY)
        time_us = _since_1970(moment)
    except MALFORMED as error:
        raise Refused(f"not a reading: {error!r}") from None
    if not isinstance(run, str) or SURROGATE.search(run) or type(seq) is not int or not 0 <= seq <= LARGEST:
        raise Refused("not a reading: its run is not text, or its seq is not a whole number")
    unsure = reading.pop("clock", None) is not None
    calibration = reading.pop(CALIBRATION, None)
    fields, invalid = _judged(reading.items(), _check_own_name)
    if invalid and not fields:
        raise Refused(f"not a reading: {_first(invalid)}")
    if isinstance(calibration, dict):
        fields[CALIBRATION] = _as_text(calibration)
    sensor = "/".join(levels[:2])
    return Point(sensor, time_us, run, seq, fields, unsure, kinds.get(sensor, ""), invalid=invalid)


def _object(payload: bytes) -> dict[str, Found]:
    """Parse JSON as fast as can be, and only if that fails so that a bad value costs no other."""
    text = text_of(payload, LONGEST, HALVES)
    try:
        found = LOADS(text)
    except ValueError:
        found = parse_json(text)
    if not isinstance(found, dict):
        raise TypeError("it is not an object")
    return found


def heartbeat(topic: str, payload: bytes, kinds: Mapping[str, str] = NO_KINDS) -> Point:
    """Parse a message to `group/sensor/status/heartbeat`: its numbers, with its own timestamp.

    Raises:
        Refused: it is not a heartbeat.
    """
    try:
        facts = _object(payload)
        time_us = _since_1970(facts["time"])
    except MALFORMED as error:
        raise Refused(f"not a heartbeat: {error!r}") from None
    numbers = [(name, value) for name, value in facts.items() if type(value) in (int, float, Invalid)]
    fields, invalid = _judged(numbers, _check_own_name)
    sensor = "/".join(topic.split("/")[:2])
    kind = kinds.get(sensor, "")
    return Point(sensor, time_us, "", 0, fields, kind=kind, measurement=HEARTBEAT, invalid=invalid)


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
        Refused: it contains no value, or its topic cannot be shown.
    """
    found = parse(payload)
    levels = [level for level in topic.split("/") if level]
    if UNPRINTABLE.search(topic):
        raise Refused(f"its topic has a control character: {ascii(topic)[:SHOWN]}")
    if not isinstance(found, dict):
        found = {levels.pop() if len(levels) > 1 else VALUE: found}
    fields, invalid = _judged(_values(found), _check_foreign_name)
    if not fields or not levels:
        raise Refused(_first(invalid) if invalid else "it contains no value")
    group, *rest = levels
    sensor = f"{group}/{'/'.join(rest) or group}"
    return Point(sensor, at_us, FOREIGN + next(iter(fields)), at_us, fields, invalid=invalid)


def _values(found: Mapping[str, Found], prefix: str = "") -> Iterator[tuple[str, Found]]:
    """Yield the values of an object and of objects in it: `{"air": {"temperature": 21}}` yields `air_temperature`."""
    for name, value in found.items():
        if isinstance(value, bool | int | float | str | Invalid):
            whole = prefix + name
            yield f"{whole}_" if whole in RESERVED_MEASURES else whole, value
        elif isinstance(value, dict) and not prefix:
            yield from _values(value, f"{name}_")


# Judging each value by itself.


def _judged(
    values: Iterable[tuple[str, Found]], check_name: Callable[[str], None]
) -> tuple[dict[str, Field], dict[str, str]]:
    """Return the values that can be stored, and those that cannot, each with the reason."""
    fields: dict[str, Field] = {}
    invalid: dict[str, str] = {}
    for name, value in values:
        if name in fields:
            invalid[name] = "another value of the message has this name"
            continue
        try:
            check_name(name)
            fields[name] = _field(value)
        except Refused as why:
            invalid[ascii(name)[1:-1][:SHOWN]] = str(why)
    return fields, invalid


@lru_cache(CACHED)
def _check_own_name(name: str) -> None:
    if not is_measure_name(name):
        raise Refused(f"the name of a measure must be {ID_RULE}, and not one of {', '.join(sorted(RESERVED_MEASURES))}")


@lru_cache(CACHED)
def _check_foreign_name(name: str) -> None:
    if not name or len(name) > LONGEST_NAME or UNPRINTABLE.search(name):
        raise Refused(f"a name must have 1 to {LONGEST_NAME} characters that can be shown")


def _field(value: Found) -> Field:
    """Return a value as it is stored.

    Raises:
        Refused: it cannot be.
    """
    if type(value) is float and math.isfinite(value):  # nearly always
        return value
    if isinstance(value, str):
        if SURROGATE.search(value):
            raise Refused("it is not Unicode, or has half a surrogate pair")
        return value
    if isinstance(value, Invalid):
        raise Refused(value.why)
    if isinstance(value, dict):
        return _as_text(value)
    if not isinstance(value, bool | int | float):
        raise Refused(f"{type(value).__name__} is not a value")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise Refused("it is not a finite number")
    return number


def _as_text(value: Mapping[str, Found]) -> str:
    """Return an object, which no store has a form for, as JSON."""
    try:
        return _field(json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")))  # type: ignore[return-value]
    except (TypeError, ValueError) as error:
        raise Refused(f"an object that JSON cannot hold: {error}") from None


def _first(invalid: Mapping[str, str]) -> str:
    return ": ".join(next(iter(invalid.items())))


def _since_1970(moment: Found) -> int:
    """Return an ISO 8601 time in microseconds since 1970.

    Raises:
        ValueError: it is not such a time, or one that no sensor can have measured at.
        TypeError: it is no text, or has no time zone.
    """
    if not isinstance(moment, str):
        raise TypeError("its time is not text")
    time_us = (datetime.fromisoformat(moment) - EPOCH) // MICROSECOND
    if not 0 <= time_us < LATEST_US:
        raise ValueError(f"time outside range: {moment[:SHOWN]} is not between 1970 and 2261")
    return time_us
