"""What one device says and is told on its topics: the lines of its profile and of its own section, filled in."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import NamedTuple

from bootstrap.adapter.profile import Profile
from bootstrap.adapter.profile_lines import WireCommand, filled
from bootstrap.answers.answer_value import AnswerValue
from bootstrap.contract.topic_filters import a_filter
from bootstrap.device import Measure, Takes, Value
from bootstrap.needs import Listened, Need, Told, a_topic


class DeviceCommand(NamedTuple):
    """A command of one device.

    Attributes:
        topic: where it is told.
        payload: what is told, with `{}` in the place of the value.
        words: what the device calls each word; empty for a number.
        sets: the measure that shows whether it was done; empty if nothing does.
        answer: how that is said; None if nothing says it.
        takes: what it takes.
    """

    topic: str
    payload: str
    words: Mapping[str, str]
    sets: str
    answer: AnswerValue | None
    takes: Takes

    def told(self, given: str | float) -> str:
        """Return what the device calls a word, or a number."""
        if isinstance(given, str):
            return self.words[given]
        number = given / (self.answer.form.factor if self.answer else 1.0)
        return f"{round(number, 9):.12g}"

    def wanted(self, given: str | float) -> Value | None:
        """Return the value that shows that this was done; None if nothing shows it."""
        if self.answer is None:
            return None
        found = self.answer.form.value(self.told(given))
        if isinstance(found, ValueError):
            raise found
        return found


@dataclass(frozen=True)
class DeviceTopics:
    """What one device says and is told.

    Attributes:
        values: what is in the messages of each topic, or of each filter.
        there: what says on which topic whether the device is there.
        moved: the path of a device's number in the messages of each filter, by which one with another name is found.
        seen: the topic that says when it was heard last; empty if nothing does.
        asks: the topics and payloads that make it say how it is.
        commands: by the action's name.
        measures: what it measures.
    """

    values: Mapping[str, Sequence[AnswerValue]]
    there: Mapping[str, AnswerValue]
    moved: Mapping[str, str]
    seen: str
    asks: Sequence[tuple[str, str]]
    commands: Mapping[str, DeviceCommand]
    measures: Mapping[str, Measure]

    @classmethod
    def of(cls, profile: Profile, places: Mapping[str, str], only: Sequence[str] | None) -> "DeviceTopics":
        """Fill in the lines of a profile; `only` are the measures that the device has, or None for all.

        Raises:
            ValueError: they are none for such a device.
        """
        values = dict[str, list[AnswerValue]]()
        measures = dict[str, Measure]()
        for line in profile.values:
            topic, value = _a(a_filter, line.topic or profile.topic, places), line.at(places)
            if measures.setdefault(value.name, value.form.measure) != value.form.measure:
                raise ValueError(f"'values' say two different things of {value.name!r}; name one of them otherwise")
            values.setdefault(topic, []).append(value)
        if missing := [name for name in only or () if name not in measures]:
            raise ValueError(f"'only' has {missing[0]!r}; the profile has {', '.join(sorted(measures))}")
        kept = measures if only is None else {name: measures[name] for name in only}
        values = {topic: [one for one in found if one.name in kept] for topic, found in values.items()}
        return cls(
            {topic: tuple(found) for topic, found in values.items() if found},
            {_a(a_filter, line.topic, places): line.at(places) for line in profile.there},
            {_a(a_filter, line.topic, places): line.path for line in profile.moved},
            _a(a_filter, profile.seen.topic, places) if profile.seen else "",
            [(_a(a_topic, line.topic, places), filled(line.payload, places)) for line in profile.asks],
            _commands([line for line in profile.tells if not line.sets or line.sets in kept], places, values),
            kept,
        )

    @property
    def heard(self) -> list[str]:
        """All that is listened to, in this order: what is said of the device itself comes before what is of others."""
        seen = [self.seen] if self.seen else []
        return [*dict.fromkeys((*self.there, *seen, *self.values, *self.moved))]

    def needs(self) -> list[Need]:
        """Return the topics that are listened to, and those that are published to."""
        told = [*(one.topic for one in self.commands.values()), *(topic for topic, _ in self.asks)]
        return [*map(Listened, self.heard), *(Told(topic) for topic in dict.fromkeys(told))]


def with_lines(profile: Profile, **lines: object) -> Profile:
    """Return a profile with what a device's section says in place of it; None says nothing.

    Devices whose sections say nothing share theirs.
    """
    said = {name: one for name, one in lines.items() if one is not None}
    return replace(profile, **said) if said else profile  # type: ignore[arg-type]


def _a(check: object, text: str, places: Mapping[str, str]) -> str:
    """Return a topic or filter, filled in.

    Raises:
        ValueError: it is none.
    """
    if not text:
        raise ValueError("a value has no topic, and the profile sets none for those")
    topic = filled(text, places)
    try:
        check(topic)  # type: ignore[operator]
    except ValueError as error:
        raise ValueError(f"{topic!r} must be {error}; look at 'base', 'address' and 'channel'") from None
    return topic


def _commands(
    lines: Sequence[WireCommand], places: Mapping[str, str], values: Mapping[str, Iterable[AnswerValue]]
) -> dict[str, DeviceCommand]:
    """Return the commands, filled in.

    Raises:
        ValueError: one is none, or there are two of one name.
    """
    found = dict[str, DeviceCommand]()
    for line in lines:
        if line.action in found:
            raise ValueError(f"'tells' say two ways to {line.action!r}; name one of them otherwise")
        found[line.action] = _command(line, places, values)
    return found


def _command(
    line: WireCommand, places: Mapping[str, str], values: Mapping[str, Iterable[AnswerValue]]
) -> DeviceCommand:
    """Return a command, filled in.

    Raises:
        ValueError: nothing can show that it was done.
    """
    answer = next((one for found in values.values() for one in found if one.name == line.sets), None)
    takes = _takes(line, answer.form.measure if answer else None)
    topic, payload = _a(a_topic, line.topic, places), filled(line.payload, places)
    if answer:
        for word, told in line.words.items():
            _check_shows(answer, word, told)
    return DeviceCommand(topic, payload, line.words, line.sets, answer, takes)


def _check_shows(answer: AnswerValue, word: str, told: str) -> None:
    words = answer.form.words
    if words and told not in words:
        raise ValueError(f"{word!r} tells the device {told!r}, but {answer.name!r} can only be {', '.join(words)}")


@cache
def _takes(line: WireCommand, measure: Measure | None) -> Takes:
    if line.words:
        return Takes((*line.words,), line.sets)
    if measure is None:
        raise ValueError(f"{line.action!r} takes a number, so a measure must show it; or write words, such as press=ON")
    if not isinstance(measure.unit, str) or not (measure.low < measure.high and _bounded(measure)):
        raise ValueError(f"{line.action!r} takes a number: {line.sets!r} needs a unit and a range, such as % 0..100")
    return Takes((), line.sets, measure.unit, measure.low, measure.high)


def _bounded(measure: Measure) -> bool:
    return measure.low > float("-inf") and measure.high < float("inf")


def lines_of(own: Iterable[object] | None, other: Iterable[object]) -> Iterator[object]:
    """Yield the lines of a device's own section, then those of its profile that are of other names."""
    mine = [*(own or ())]
    taken = {getattr(one, "name", getattr(one, "action", None)) for one in mine}
    yield from mine
    yield from (one for one in other if getattr(one, "name", getattr(one, "action", None)) not in taken)
