"""Text for a display, with fields in braces: `{home/cellar/temperature:.1f}°C {home/cellar!age}`."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias

from bootstrap.contract.topic_filters import WILD, a_filter
from bootstrap.contract.topics import Kind, Topics
from bootstrap.needs import Listened, Need, TextSetting

Fact: TypeAlias = Literal["", "age", "state"]

FIELD = re.compile(r"\{\{|\}\}|\{(?P<field>[^{}\n]*)\}|[{}]")
# A colon begins the form; in a topic as it is, of which a member is wanted, it is part of the topic.
PARTS = re.compile(r"(?P<what>=[^!#]*(?=#\w)|[^!#:]*)(?P<keys>#[^!:]*)?(?:!(?P<fact>[^:]*))?(?::(?P<form>.*))?")
FORM = re.compile(r"(?:[^{}]?[<>=^])?[-+ ]?0?\d{0,2}(?:\.\d)?[a-zA-Z%]?")
AS_IT_IS, KEYS, WORDS = "=", "#", "|"  # before a topic that is no measure of penates; members of objects; true or false
FACTS: tuple[Fact, ...] = ("age", "state")
SENSOR_LEVELS, MEASURE_LEVELS = 2, 3
HEARTBEAT, STATE = "heartbeat", "state"


@dataclass(frozen=True)
class TextField:
    """What stands in place of a field.

    Attributes:
        topic: whose value it is; of a fact, the one of the sensor that tells it.
        keys: which member of an object, and of that, if it is one.
        fact: what of a sensor, if it is no value.
        form: how it is written: as of Python's `format`, or two words for true and false.
    """

    topic: str
    keys: tuple[str, ...] = ()
    fact: Fact = ""
    form: str = ""

    @classmethod
    def of(cls, text: str) -> "TextField":
        """Return the field that this text in braces means.

        Raises:
            ValueError: it means none.
        """
        found = PARTS.fullmatch(text)
        if not found:
            raise ValueError("a field is {GROUP/SENSOR/MEASURE:FORM}")
        keys = tuple((found["keys"] or "").removeprefix(KEYS).split(".")) if found["keys"] else ()
        if not all(keys) or (keys and found["fact"] is not None):
            raise ValueError("members of an object are #NAME, or #NAME.NAME")
        topic, fact = _topic(found["what"], found["fact"])
        if found["form"] is not None:
            _check_form(found["form"])
        return cls(topic, keys, fact, found["form"] or "")

    @property
    def sensor(self) -> str:
        """The sensor that the topic belongs to, if it is one of penates."""
        return self.topic.split("/data/")[0].split("/status/")[0]

    @property
    def topics(self) -> list[str]:
        """What must be listened to for it."""
        return [self.topic, f"{self.sensor}/{Kind.STATUS}/{HEARTBEAT}"] if self.fact == "state" else [self.topic]


def _topic(what: str, fact: str | None) -> tuple[str, Fact]:
    """Return the topic that a field names, and the fact that it wants of a sensor.

    Raises:
        ValueError: nobody can publish to it, or it lacks a part.
    """
    levels = what.split("/")
    if fact is not None:
        wanted = next((one for one in FACTS if one == fact), None)
        if wanted is None or len(levels) != SENSOR_LEVELS:
            raise ValueError("what is known of a sensor is {GROUP/SENSOR!age} or {GROUP/SENSOR!state}")
        return Topics(*levels).status(STATE if wanted == "state" else HEARTBEAT), wanted
    if len(levels) == MEASURE_LEVELS and not what.startswith(AS_IT_IS):
        return Topics(*levels[:2]).data(levels[2]), ""
    if len(levels) < MEASURE_LEVELS and not what.startswith(AS_IT_IS):
        raise ValueError("a measure is {GROUP/SENSOR/MEASURE}, and another topic is {=TOPIC}")
    return a_plain_topic(what.removeprefix(AS_IT_IS)), ""


def a_plain_topic(text: str) -> str:
    """Return a topic.

    Raises:
        ValueError: it is none.
    """
    a_filter(text)
    if not text or WILD & {*text}:
        raise ValueError("a topic has at least one character, and no + and no #")
    return text


def _check_form(form: str) -> None:
    """Raise ValueError if nothing can be written in this form."""
    if WORDS in form:
        if form.count(WORDS) > 1:
            raise ValueError("for true and false there are two words, such as :open|shut")
    elif not FORM.fullmatch(form) or not any(formatted(value, form) for value in (0.5, 1, "text")):
        raise ValueError(f"{form!r} is no form; for a number write :.1f or :5.1f, for text :>8, for bool :yes|no")


def formatted(value: float | str, form: str) -> str | None:
    """Return a value in a form of Python's `format`; None if that is of another type."""
    try:
        return format(value, form)
    except (ValueError, OverflowError):
        return None


Line: TypeAlias = list[str | TextField]


@dataclass(frozen=True)
class DisplayText(TextSetting):
    """Lines of text with fields. ValueError: it has none; the message says where in it, and why."""

    def __post_init__(self) -> None:
        self.lines  # noqa: B018 - they are parsed, and then kept

    def needs(self) -> list[Need]:
        """Return the topics that must be listened to."""
        return [Listened(topic) for topic in dict.fromkeys(topic for one in self.fields for topic in one.topics)]

    @cached_property
    def lines(self) -> Sequence[Line]:
        """The parts of each line, in their order."""
        return [[*_parts(line, number)] for number, line in enumerate(self.text.rstrip("\n").split("\n"), 1)]

    @property
    def fields(self) -> list[TextField]:
        """All fields, in their order."""
        return [part for line in self.lines for part in line if isinstance(part, TextField)]


def _parts(line: str, number: int) -> Iterator[str | TextField]:
    """Yield the parts of a line. `{{` and `}}` are braces as such."""
    at = 0
    for found in FIELD.finditer(line):
        yield line[at : found.start()]
        at = found.end()
        try:
            yield _part(found)
        except ValueError as error:
            where = f"line {number}, character {found.start() + 1}"
            raise ValueError(f"text for a display ({where}: {error})") from None
    yield line[at:]


def _part(found: re.Match[str]) -> str | TextField:
    if found["field"] is not None:
        return TextField.of(found["field"])
    if len(found[0]) == 1:
        raise ValueError(f"a {found[0]} without its other half; to mean one, write it twice")
    return found[0][0]
