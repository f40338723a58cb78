"""A device of another make that speaks MQTT, as a sensor of its own."""

import errno
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, ClassVar, TypeGuard

from bootstrap.adapter.awaited_answers import AwaitedAnswers
from bootstrap.adapter.device_topics import DeviceTopics, lines_of, with_lines
from bootstrap.adapter.last_heard import LastHeard
from bootstrap.adapter.newness import Newness, SaidValue, number_of
from bootstrap.adapter.profile import NamedProfile
from bootstrap.adapter.profile_lines import WireCommand, WirePresence, WireValue, places_of
from bootstrap.adapter.told_presence import ToldPresence, line_of
from bootstrap.adapter.told_times import told_time
from bootstrap.answers.answer_value import AnswerValue
from bootstrap.contract.commands import Later
from bootstrap.contract.heard import CLEARED, Heard, ListeningHandle, Silence
from bootstrap.contract.payload import Json
from bootstrap.contract.topic_filters import WILD
from bootstrap.device import BUILT_IN_ACTIONS, Measure, Reading, Seconds, Value
from bootstrap.errors import NoReading
from bootstrap.gateway import Adopted

NOTHING = frozenset({"", "null", "none", "nan", "unknown", "unavailable"})  # words for: there is no value
UNREACHABLE = "unreachable"  # how the reason begins when nothing at all can be heard
SILENCE = "silence"  # the name of a timer
LOOKS = 3  # at a device within the time that it may be silent
MICRO = 1_000_000


def one_device(text: str) -> None:
    """Raise ValueError, saying what is allowed, if a part of topics may match those of several devices."""
    if WILD & {*text}:
        raise ValueError("a part of topics without + and #")


@dataclass(kw_only=True)
class AdoptedDevice(Adopted):
    """A device of another make that speaks MQTT, by itself or through a program such as Zigbee2MQTT.

    Wiring: none.
    """

    profile: NamedProfile  # of its make, such as "zwave-js-ui"
    address: Annotated[str, one_device]  # what its topics call it, such as "nodeID_3"
    # The first levels of its topics, if they are not those of the profile, such as "zwave".
    base: Annotated[str, one_device] | None = None
    channel: Annotated[str, one_device] | None = None  # which part of it, where it has several, such as "endpoint_1"
    only: list[str] | None = None  # which of the profile's measures it has, such as ["open", "battery"]
    values: list[WireValue] | None = None  # more of them, or other ones, such as ["flow = flow/{address}: . L/min"]
    # What says whether it is there, in place of the profile's, such as ["{address}/LWT: . Up=true|Down=false"].
    there: list[WirePresence] | None = None
    tells: list[WireCommand] | None = None  # more commands, or others, such as ["set on = {address}/set: on=1|off=0"]
    silent_s: Seconds | None = None  # how long nothing may come of it, if not as long as the profile says
    answer_s: Seconds | None = None  # how long it may take to carry out a command, if not as long as the profile says

    topics: DeviceTopics = field(init=False, repr=False, compare=False)

    measures: ClassVar[Mapping[str, Measure]] = {}

    def __post_init__(self) -> None:
        """Fill in what the profile says."""
        profile = self.profile.profile
        self.says = with_lines(
            profile,
            values=self.values and [*lines_of(self.values, profile.values)],
            tells=self.tells and [*lines_of(self.tells, profile.tells)],
            there=self.there,
            silent_s=self.silent_s,
            answer_s=self.answer_s,
        )
        only = None if self.only is None else [*dict.fromkeys((*self.only, *(one.name for one in self.values or ())))]
        self.topics = DeviceTopics.of(self.says, self._places, only)
        self.measures = self.topics.measures  # type: ignore[misc]
        self.commands = {**BUILT_IN_ACTIONS, **{name: one.takes for name, one in self.topics.commands.items()}}  # type: ignore[misc]

    @property
    def _places(self) -> dict[str, str]:
        """What stands in the places of its lines."""
        profile = self.profile.profile
        base = profile.base if self.base is None else self.base
        channel = profile.channel if self.channel is None else self.channel
        return places_of(base, self.address, channel)

    @property
    def key(self) -> dict[str, Value]:
        """Who it is."""
        return {**self._identity}

    @property
    def _identity(self) -> dict[str, str]:
        return {"profile": self.profile.text, **{place.strip("{}"): text for place, text in self._places.items()}}

    @property
    def period_s(self) -> float:
        """How often it is expected; it is believed to be there for three times that."""
        return self.says.silent_s / LOOKS

    def facts(self) -> Mapping[str, Json]:
        """Return what it stands for: recorders leave these topics to it, and nobody adopts it twice."""
        topics: list[Json] = [*self.topics.values, *self.topics.there, *filter(None, [self.topics.seen])]
        return {"adopts": {**self._identity, "topics": topics}}

    def excuses(self, name: str) -> bool:  # noqa: ARG002 - all of them are alike
        """Return True: what has not changed may not be said again, and a device that is gone is so as a whole."""
        return True

    def setup(self) -> None:
        """Listen."""
        self.newness = Newness()
        self.awaited = AwaitedAnswers(self, self.says.answer_s, self.says.guess_s, self._settled)
        self.presence = ToldPresence(self.topics.there, self.topics.moved, self.says.time)
        self.trouble = ""  # why it is not there
        self.heard = LastHeard(self.says.silent_s)
        self.handles: list[ListeningHandle] = []
        hear, silent = self._hear, self._fall_silent  # each made once for all topics
        for topic in self.topics.heard:
            self.handles.append(self.listen(topic, hear, silent))
        self.after(self.says.silent_s, self._check_silence, SILENCE)

    def read(self) -> Reading:
        """Publish its state again, so that others know that it still counts; that is no reading."""
        if not self.trouble:
            self.context.show(self._states(self.newness.values))
        raise NoReading

    def teardown(self) -> None:
        """Answer the commands that are still waiting."""
        if hasattr(self, "awaited"):
            self.awaited.close()

    def actions(self) -> dict[str, Callable[[Json], Reading | Later | None]]:
        """Return its commands."""
        return {name: partial(self._act, name) for name in self.topics.commands}

    def _act(self, name: str, value: Json) -> Later:
        return self.awaited.begin(self.topics.commands[name], value)

    def _hear(self, heard: Heard) -> None:
        """Take what a message says, and keep nothing else of it."""
        for one in self.handles:
            one.forget()
        self._forgive()
        if heard.topic == self.topics.seen:
            self._hear_seen(heard)
        self._hear_presence(heard)
        if line := line_of(self.topics.values, heard.topic):
            self._hear_values(self.topics.values[line], heard)
        else:
            self._look()

    # Whether it is there.

    def _hear_presence(self, heard: Heard) -> None:
        there, is_news = self.presence.hear(heard)
        if there and (heard.retained or is_news):
            self._ask()
        if there and not heard.retained:
            self.heard.note()

    def _ask(self) -> None:
        """Have it say how it is: what it said before that may never have been heard."""
        for topic, payload in self.topics.asks:
            self.tell(topic, payload.encode())

    def _fall_silent(self, silence: Silence) -> None:
        """Take notice that a topic was cleared, or that nothing can be heard."""
        if silence.why == CLEARED:
            self.presence.forget(silence.topic)
            self._look()
        else:
            self.heard.deafen()

    def _hear_seen(self, heard: Heard) -> None:
        at = told_time(self.says.seen.path, heard.value, time.time()) if self.says.seen else None
        if at is not None and not self._is_past(at) and not heard.retained:
            self.heard.note()

    def _is_past(self, at: float | None) -> bool:
        """Return whether a time is so long ago that what was said then counts no more."""
        return at is not None and time.time() - at > self.says.silent_s

    def _forgive(self) -> None:
        """Count silence from now on if nothing could be heard in the meantime: the device is not to blame."""
        self.heard.forgive(deaf=any((one.problem or "").startswith(UNREACHABLE) for one in self.handles[:1]))

    def _check_silence(self) -> None:
        """Look whether it was silent for too long."""
        self._forgive()
        left_s = self.heard.left_s
        self.after(max(left_s, 1.0) if left_s > 0 else self.says.silent_s, self._check_silence, SILENCE)
        self._look()

    def _look(self) -> None:
        """Take notice of whether it is there.

        Raises:
            OSError: it is not.
        """
        silence = [f"nothing was heard of it for {self.says.silent_s:g} s"] if self.heard.left_s <= 0 else []
        why = "; ".join(self.presence.reasons or silence)
        before, self.trouble = self.trouble, why
        if why and why != before:
            raise OSError(errno.ENODEV, why)
        if before and not why:
            self.context.show(self._states(self.newness.values), whole=True)

    def _states(self, values: Mapping[str, Value]) -> dict[str, Value]:
        """Return those values that are states, and no events."""
        return {name: value for name, value in values.items() if not self.measures[name].event}

    # What it says.

    def _hear_values(self, values: Sequence[AnswerValue], heard: Heard) -> None:
        said = {one.name: found for one in values if (found := said_value(one, heard.value)) is not None}
        at = told_time(self.says.time, heard.value, time.time())
        if self._is_past(at):
            self.gateway.count(dropped=len(said))
            return
        message = SaidValue("", at, time.monotonic(), number_of(self.says.number, heard.value))
        if heard.retained:
            self._hear_stored(said, message)
            return
        self.heard.note()
        reading = self._new(said, message)
        self.newness.numbered |= message.number is not None
        self._look()
        self._publish(reading, at)

    def _settled(self, name: str, said: SaidValue) -> None:
        """Publish a value that was held back."""
        self._publish(self._new({name: said.value}, said), said.time)

    def _publish(self, reading: Mapping[str, Value | OSError | ValueError], at: float | None) -> None:
        """Publish a reading of this time, if there is one.

        Raises:
            OSError: the device is not there all the same.
        """
        if reading:
            self.gateway.count(heard=1)
            self.context.publish(reading, None if at is None else round(at * MICRO))
        if self.trouble and reading:
            raise OSError(errno.ENODEV, self.trouble)

    def _hear_stored(self, said: Mapping[str, Value | ValueError], message: SaidValue) -> None:
        """Take what the broker had stored as the state, and as no reading."""
        fresh = dict[str, Value]()
        for name, value in said.items():
            if _fits(value, self.measures[name]) and not self.newness.is_older(name, message.time):
                fresh[name] = value
                self.newness.note(name, message._replace(value=value))
        self._show(fresh)

    def _show(self, values: Mapping[str, Value]) -> None:
        """Publish values as the state, but for those that are events."""
        if (states := self._states(values)) and not self.trouble:
            self.context.show(states)

    def _new(
        self, said: Mapping[str, Value | ValueError], message: SaidValue
    ) -> dict[str, Value | OSError | ValueError]:
        """Return what is a reading of what it says, and show what is the state though it is none."""
        reading, known = dict[str, Value | OSError | ValueError](), dict[str, Value]()
        for name, value in said.items():
            if not _fits(value, self.measures[name]):
                reading[name] = value
                continue
            one = message._replace(value=value)
            if self.awaited.note(name, one, late=self.newness.is_older(name, message.time)):
                continue
            cached = self.says.cached and name not in self.says.live
            verdict = self.newness.judge(name, one, self.measures[name], cached=cached)
            if verdict == "new":
                reading[name] = value
            elif verdict == "known":
                known[name] = value
            else:
                self.gateway.count(dropped=1)
        self._show(known)
        return reading


def _fits(value: Value | ValueError, measure: Measure) -> TypeGuard[Value]:
    return not isinstance(value, ValueError) and measure.wrong(value) is None


def said_value(value: AnswerValue, payload: Json) -> Value | ValueError | None:
    """Return the value in a payload, an error if it is none, or None if the payload says nothing of it."""
    try:
        found = value.found(payload)
    except ValueError as error:
        return None if isinstance(payload, dict | list) or payload is None else error
    if found is None or (isinstance(found, str) and found.strip().lower() in NOTHING):
        return None
    return value.value(payload)
