"""The lines of a profile: where a value is, what says that a device is there, and how it is told a command."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import ClassVar

from bootstrap.answers.answer_value import AnswerValue
from bootstrap.contract.topics import is_id
from bootstrap.needs import TextSetting
from bootstrap.value_forms import words_of

PLACES = ("{base}", "{address}", "{channel}")
SAID = "{}"  # where the value is in what a device is told
NOTHING = "-"  # in place of a measure: nothing shows that a command was done
PLACE = re.compile(r"\{\w*\}")
LINE = re.compile(r"(?:(?P<topic>\S+):\s+)?(?P<rest>\S.*)")
NAMED = re.compile(r"(?P<name>[^\s=]+)\s*=\s*(?P<line>\S.*)")
TOLD = re.compile(r"(?P<action>[^\s=]+)\s+(?P<sets>[^\s=]+)\s*=\s*(?P<topic>\S+):(?:\s+(?P<rest>\S.*))?")
AS = re.compile(r"(?:(?P<words>.*?)\s*)\bas\s+(?P<form>\S.*)")
A_VALUE = "open = {base}/{address}/contact: value true|false"
A_PRESENCE = "{base}/{address}/status: status Alive=true|Dead=false"
A_TIME = "{base}/{address}/lastActive: value"
A_QUESTION = "{base}/{address}/command: update"
A_COMMAND = "set on = {base}/{address}/set: on=ON|off=OFF"


@cache
def answer_value(text: str) -> AnswerValue:
    """Return what this text says; devices of one make share it."""
    return AnswerValue(text)


def places_of(base: str, address: str, channel: str) -> dict[str, str]:
    """Return what stands in the places of the lines for one device, in the order of `PLACES`."""
    return dict(zip(PLACES, (base, address, channel), strict=True))


def filled(text: str, places: Mapping[str, str]) -> str:
    """Return a text with what a device's section says in the places of `{base}`, `{address}` and `{channel}`."""
    for place, value in places.items():
        text = text.replace(place, value)
    return text


def _check_places(text: str) -> None:
    for found in PLACE.findall(text):
        if found not in PLACES:
            raise ValueError(f"{found} stands for nothing; {', '.join(PLACES)} do")


def _check_truths(value: AnswerValue) -> None:
    if value.form.measure.unit is not bool:
        raise ValueError("each word stands for true or false")


def _check_payload(text: str) -> None:
    if SAID not in text:
        raise ValueError(f"the payload after 'as' must have {SAID} in the place of the value")


def _as_if_filled(text: str) -> str:
    return filled(text, dict.fromkeys(PLACES, "x"))


@dataclass(frozen=True)
class WireValue(TextSetting):
    """A measure and where its value is: `NAME = TOPIC: PATH FORM`. ValueError: it is none, and what one must be.

    Without `TOPIC:` it is the profile's `topic`. Two lines of one name are two places of one value.
    """

    def __post_init__(self) -> None:
        try:
            _check_places(self.text)
            answer_value(f"{self.name} = {_as_if_filled(self._rest)}")
        except ValueError as error:
            raise ValueError(f"values such as {A_VALUE!r} (of {self.text!r}: {error})") from None

    @property
    def name(self) -> str:
        """The measure's name."""
        return self._parts[0]

    @property
    def topic(self) -> str:
        """The topic, not yet filled; empty for that of the profile."""
        return self._parts[1]

    @property
    def _rest(self) -> str:
        return self._parts[2]

    @cached_property
    def _parts(self) -> tuple[str, str, str]:
        named = NAMED.fullmatch(self.text.strip())
        line = named and LINE.fullmatch(named["line"])
        if not (named and line):
            raise ValueError("write NAME = TOPIC: PATH, then the unit or the words")
        return named["name"], line["topic"] or "", line["rest"]

    def at(self, places: Mapping[str, str]) -> AnswerValue:
        """Return where the value is in the messages of one device."""
        return answer_value(f"{self.name} = {filled(self._rest, places)}")


@dataclass(frozen=True)
class _TopicLine(TextSetting):
    """The base class of lines that begin with a topic: `TOPIC: REST`."""

    rest: ClassVar[str]  # what stands behind the topic, for people

    @property
    def topic(self) -> str:
        """The topic, not yet filled."""
        return self._parts[0]

    @cached_property
    def _parts(self) -> tuple[str, str]:
        line = LINE.fullmatch(self.text.strip())
        if not (line and line["topic"]):
            raise ValueError(f"write TOPIC: {self.rest}")
        return line["topic"], line["rest"]


@dataclass(frozen=True)
class WirePresence(_TopicLine):
    """What says whether a device is there: `TOPIC: PATH WORD=true|WORD=false`. ValueError: it is none."""

    rest = "PATH, then the words"

    def __post_init__(self) -> None:
        try:
            _check_places(self.text)
            _check_truths(self.at(dict.fromkeys(PLACES, "x")))
        except ValueError as error:
            raise ValueError(f"lines such as {A_PRESENCE!r} (of {self.text!r}: {error})") from None

    def at(self, places: Mapping[str, str]) -> AnswerValue:
        """Return where the word is in the messages of one device."""
        return answer_value(f"there = {filled(self._parts[1], places)}")


@dataclass(frozen=True)
class WireTime(_TopicLine):
    """Where it is said when a device was heard last: `TOPIC: PATH`. ValueError: it is none."""

    rest = "PATH"

    def __post_init__(self) -> None:
        try:
            _check_places(self.text)
            answer_value(f"seen = {_as_if_filled(self._parts[1])} text")
        except ValueError as error:
            raise ValueError(f"a line such as {A_TIME!r} (of {self.text!r}: {error})") from None

    @property
    def path(self) -> str:
        """The path of the time in its payload."""
        return self._parts[1]


@dataclass(frozen=True)
class WireQuestion(_TopicLine):
    """What makes a device say how it is: `TOPIC: PAYLOAD`. ValueError: it is none."""

    rest = "PAYLOAD"

    def __post_init__(self) -> None:
        try:
            _check_places(self.text)
            self._parts  # noqa: B018 - it is built, and then kept
        except ValueError as error:
            raise ValueError(f"lines such as {A_QUESTION!r} (of {self.text!r}: {error})") from None

    @property
    def payload(self) -> str:
        """What is told, not yet filled."""
        return self._parts[1]


@dataclass(frozen=True)
class WireCommand(TextSetting):
    """How a command is told: `ACTION MEASURE = TOPIC: WORDS as PAYLOAD`. ValueError: it is none.

    `MEASURE` shows whether it was done; `-` if nothing does. `WORDS` such as `on=ON|off=OFF` have what the device calls
    each of them; a number has none. `as PAYLOAD` has `{}` in the places of that; without it the payload is that alone.
    """

    def __post_init__(self) -> None:
        try:
            _check_places(self.text.replace(SAID, ""))
            self.words  # noqa: B018 - it is built, and then kept
            _check_payload(self.payload)
        except ValueError as error:
            raise ValueError(f"lines such as {A_COMMAND!r} (of {self.text!r}: {error})") from None

    @property
    def action(self) -> str:
        """The action's name."""
        return self._parts["action"]

    @property
    def sets(self) -> str:
        """The measure that shows it; empty if nothing does."""
        return "" if self._parts["sets"] == NOTHING else self._parts["sets"]

    @property
    def topic(self) -> str:
        """The topic, not yet filled."""
        return self._parts["topic"]

    @cached_property
    def words(self) -> Mapping[str, str]:
        """What the device calls each word; empty if the command takes a number."""
        text = self._form["words"].strip()
        return words_of(text) if text else {}

    @property
    def payload(self) -> str:
        """What is told, not yet filled, with `{}` in the place of the value."""
        return self._form["form"]

    @cached_property
    def _parts(self) -> Mapping[str, str]:
        found = TOLD.fullmatch(self.text.strip())
        if found is None:
            raise ValueError("write ACTION MEASURE = TOPIC: and then the words")
        if not is_id(found["action"]) or found["action"] in ("log", "read"):
            raise ValueError(f"{found['action']!r} cannot be the name of an action")
        return found.groupdict("")

    @cached_property
    def _form(self) -> Mapping[str, str]:
        found = AS.fullmatch(self._parts["rest"])
        return found.groupdict("") if found else {"words": self._parts["rest"], "form": SAID}
