"""The contract of a device: what it declares, what it must be able to do, and what it never has to care about."""

import math
import re
import socket
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Protocol, TypeAlias, TypeVar, get_args

from bootstrap.contract.commands import Later, Outcome, only_keys
from bootstrap.contract.payload import Json, decode, encode
from bootstrap.contract.topics import ID_RULE, RESERVED_SENSORS, is_id
from bootstrap.errors import NoReading, Refused, reason
from bootstrap.limits import YEAR_S, Limits
from bootstrap.logs.log import Level
from bootstrap.needs import Input as Input  # noqa: PLC0414 - authors import these three from here
from bootstrap.needs import Output as Output  # noqa: PLC0414
from bootstrap.needs import Pin as Pin  # noqa: PLC0414

if TYPE_CHECKING:
    from pathlib import Path

    from bootstrap.contract.heard import Heard, ListeningHandle, Silence
    from bootstrap.contract.other_broker import OtherAddress, OtherBrokerHandle
    from bootstrap.contract.subscription import OnBatch, PublishedReading, SubscriptionHandle
    from bootstrap.eventloop.loop import Timer
    from bootstrap.pins.edge import Edge
    from bootstrap.pins.edge_times import EdgeBatch, EdgesHandle
    from bootstrap.streams import Frames, Source, StreamHandle

Value: TypeAlias = bool | int | float | str | Mapping[str, Json]
Values: TypeAlias = Mapping[str, Value]
Failure = OSError | ValueError  # in place of a value: why this measure, and perhaps no other, could not be read
Reading: TypeAlias = Mapping[str, Value | OSError | ValueError]
ThenTold: TypeAlias = Callable[[Outcome, str], Reading | None]  # the outcome, and why
Seconds: TypeAlias = Annotated[float, Limits(0, YEAR_S)]
T = TypeVar("T")
D = TypeVar("D", bound=Any)  # a gpiozero device
K = TypeVar("K")  # a JSON value
A = TypeVar("A", bound=Callable[..., Any])  # an action

CALIBRATION = "calibration"  # the field of a reading that tells by which calibrations its values were made
RESERVED_MEASURES = frozenset(
    {"reading", "time", "run", "seq", "clock", "boot", "group", "sensor", "kind", CALIBRATION}
)
ACT = "act_"
OBJECT = "object"  # in place of a unit
CONTROLS = ("lock", "cover", "valve", "fan")  # as Home Assistant calls them, too
SHOWN = 60  # characters of an invalid value in a message
STEP_TOLERANCE = 1e-6  # part of a step
MOST_BYTES = 16_384  # of an object
SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Measure:
    """One quantity: its unit such as `"°C"`, or `bool`, `str` or `dict` for one without; numbers may have a range.

    Attributes:
        unit: as shown to people, or the type of a value that has none. `dict` is a JSON object of at most 16 kB.
        words: all words that a `str` can be: a sequence, or a `StrEnum`. Another one is refused.
        low: the lowest number the device can truly measure, in `unit`.
        high: the highest number, in `unit`.
        step: the most by which two consecutive readings can differ. A larger jump is refused, and accepted at the third
            reading that agrees on it.
        power_on: the number that the device holds before it has measured. It is believed only within `step` of another
            number; so `step` must be set, too.
        event: an occurrence such as a click, not a state: never retained, and published late only in the history.
        counter: it only grows, except for a restart at 0.
        assumed: it is what was commanded last; nothing measures whether that has happened.
    """

    unit: str | type[bool] | type[str] | type[dict[str, Any]]
    low: float = -math.inf
    high: float = math.inf
    step: float = math.inf
    event: bool = False
    counter: bool = False
    assumed: bool = False
    power_on: float | None = None
    words: Iterable[str] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "words", tuple(str.__str__(word) for word in self.words))
        if self.words and (self.unit is not str or not all(self.words)):
            raise ValueError("words are those of a str, and none of them is empty")
        if not self.step > 0:
            raise ValueError(f"step must be above 0, not {self.step}")
        if self.power_on is not None and self.step == math.inf:
            raise ValueError("power_on needs a step, within which another number confirms it")

    @property
    def unit_name(self) -> str:
        """The unit as text: `"°C"`, `"bool"`, `"str"` or `"object"`."""
        if isinstance(self.unit, str):
            return self.unit
        return OBJECT if self.unit is dict else self.unit.__name__

    @property
    def facts(self) -> dict[str, Any]:
        """Unit, words, range and step, as `status/about` has them."""
        marks = {"event": self.event, "counter": self.counter, "assumed": self.assumed}
        words = {"words": [*self.words]} if self.words else {}
        return {
            "unit": self.unit_name,
            **words,
            **_limits(self),
            **{mark: True for mark, is_so in marks.items() if is_so},
        }

    def wrong(self, value: Value | OSError | ValueError) -> str | None:
        """Return why a value cannot be true: it has another type than declared, is not finite, or is out of range.

        An exception in its place is the reason itself.
        """
        if isinstance(value, Failure):
            return reason(value)
        wanted = self.unit if isinstance(self.unit, type) else (int, float)
        if not isinstance(value, wanted) or (isinstance(value, bool) and self.unit is not bool):
            return f"{ascii(value)[:SHOWN]} is not a value in {self.unit_name}"
        if isinstance(value, bool):
            return None
        if isinstance(value, str):
            return self._wrong_text(value)
        return _wrong_object(value) if isinstance(value, Mapping) else self._wrong_number(value)

    def _wrong_number(self, value: float) -> str | None:
        if not -sys.float_info.max <= value <= sys.float_info.max or not self.low <= value <= self.high:
            return f"{str(value)[:SHOWN]} {self.unit} is not within {self.low:g} to {self.high:g}"
        return None

    def _wrong_text(self, text: str) -> str | None:
        if SURROGATE.search(text):
            return f"{ascii(text)[:SHOWN]} contains half a surrogate pair"
        if self.words and text not in self.words:
            return f"{ascii(text)[:SHOWN]} is not one of {', '.join(self.words)}"
        return None


def _wrong_object(value: Mapping[str, Json]) -> str | None:
    try:
        payload = encode(value)
        decode(payload)
    except (TypeError, ValueError, RecursionError) as error:
        return f"an object that JSON cannot hold: {reason(error)}"
    return f"an object of {len(payload)} bytes; at most {MOST_BYTES}" if len(payload) > MOST_BYTES else None


def _limits(limits: "Measure | Takes") -> dict[str, float]:
    """Return the limits that are set."""
    found = {name: getattr(limits, name) for name in ("low", "high", "step")}
    return {name: limit for name, limit in found.items() if math.isfinite(limit)}


@dataclass(frozen=True)
class Takes:
    """What a command takes: one of some words, or a number from `low` to `high` in steps, or either.

    Attributes:
        words: the words it accepts.
        sets: the measure that then shows the value.
        unit: the unit of the number.
        low: the lowest number, and `high` the highest; without either it takes no number.
        step: the difference between two neighbouring numbers, counted from `low`.
        keys: of an object that it accepts as well; the first of them holds the word or the number.
        expires: whether a command must say, by `before`, when it is too late to carry it out.
        once: those of the words, such as `unlock`, that are carried out at most once, and never late: the command must
            have `before`, at most a minute ahead, and nothing like it may have come before, not even to an earlier
            process. With any of them, the same goes for all numbers; the other words stay free.
        control: what other programs offer for it, where the words alone do not tell: one of `CONTROLS`.
    """

    words: tuple[str, ...] = ()
    sets: str = ""
    unit: str = "1"
    low: float = -math.inf
    high: float = math.inf
    step: float = math.inf
    keys: tuple[str, ...] = ()
    expires: bool = False
    once: tuple[str, ...] = ()
    control: str = ""

    def __post_init__(self) -> None:
        if not {*self.once} <= {*self.words}:
            raise ValueError(f"what is carried out once is one of the words {', '.join(self.words)}: {self.once}")
        if not (self.step > 0 and self.low <= self.high):
            raise ValueError(f"step must be above 0, and low at most high: {self.step}, {self.low}, {self.high}")
        if self.control and self.control not in CONTROLS:
            raise ValueError(f"a control is one of {', '.join(CONTROLS)}, not {self.control!r}")

    @property
    def facts(self) -> dict[str, Any]:
        """Words, number and measure, as `status/about` has them."""
        number = {"unit": self.unit, **_limits(self)} if self._numbers else {}
        words: dict[str, Any] = {"words": [*self.words]} if self.words else {}
        sets = {"sets": self.sets} if self.sets else {}
        expires: dict[str, Any] = {"expires": True} if self.expires or self.once else {}
        once = {"once": [*self.once]} if self.once else {}
        control = {"control": self.control} if self.control else {}
        return {**words, **number, **sets, **expires, **once, **control}

    def only_once(self, value: Json) -> bool:
        """Return whether a command that carries this is carried out at most once: all but those with a free word."""
        if isinstance(value, dict):
            value = value.get(self.keys[0]) if self.keys else None
        free = isinstance(value, str) and value in self.words and value not in self.once
        return bool(self.once) and not free

    @property
    def _numbers(self) -> bool:
        """Whether it takes a number."""
        return math.isfinite(self.high) or math.isfinite(self.low)

    def check(self, value: Json) -> None:
        """Refuse a command that carries something else. If nothing is declared, the device judges.

        Raises:
            Refused: with what is allowed.
        """
        if isinstance(value, dict):
            if not self.keys:
                return
            only_keys(value, self.keys)
            if self.keys[0] not in value:
                raise Refused(f"the key {self.keys[0]!r} is missing; it holds what is to be done")
            value = value[self.keys[0]]
        if (self.words or self._numbers) and not self._accepts(value):
            raise Refused(f"send {self._wanted}")

    def _accepts(self, value: Json) -> bool:
        if isinstance(value, str):
            return value in self.words
        if not isinstance(value, int | float) or isinstance(value, bool) or not self._numbers:
            return False
        return self.low <= value <= self.high and self._is_a_step(value)

    def _is_a_step(self, value: float) -> bool:
        """Return whether a number is a whole number of steps away from `low`, but for the last bits of a float."""
        if not math.isfinite(self.step):
            return True
        steps = (value - (self.low if math.isfinite(self.low) else 0)) / self.step
        return abs(steps - round(steps)) <= STEP_TOLERANCE

    @property
    def _wanted(self) -> str:
        """What a command must carry, for people."""
        unit = "" if self.unit == "1" else f" {self.unit}"
        words = f"one of {', '.join(self.words)}" if self.words else ""
        number = f"a number {self._range}{unit}{self._steps}" if self._numbers else ""
        return ", or ".join(part for part in (words, number) if part)

    @property
    def _range(self) -> str:
        if math.isfinite(self.low) and math.isfinite(self.high):
            return f"from {self.low:g} to {self.high:g}"
        return f"of at least {self.low:g}" if math.isfinite(self.low) else f"of at most {self.high:g}"

    @property
    def _steps(self) -> str:
        return f" in steps of {self.step:g}" if math.isfinite(self.step) else ""


BUILT_IN_ACTIONS = {"log": Takes(get_args(Level)), "read": Takes(("now",))}


def takes(  # noqa: PLR0913 - all but the words are keywords
    *words: str,
    sets: str = "",
    unit: str = "1",
    low: float = -math.inf,
    high: float = math.inf,
    step: float = math.inf,
    keys: Sequence[str] = (),
    expires: bool = False,
    once: Sequence[str] = (),
    control: str = "",
) -> Callable[[A], A]:
    """Declare above `act_NAME` what it takes (see `Takes`): anything else is refused, and programs can offer it."""

    def declare(act: A) -> A:
        found = Takes(words, sets, unit, low, high, step, (*keys,), expires, (*once,), control)
        act.takes = found  # type: ignore[attr-defined]
        return act

    return declare


def is_measure_name(text: str) -> bool:
    """Return whether a measure can have this name."""
    return is_id(text) and text not in RESERVED_MEASURES


def a_measure_name(text: str) -> None:
    """Raise ValueError, saying what is allowed, if a measure cannot have this name."""
    if not is_measure_name(text):
        raise ValueError(f"a name for a measure: {ID_RULE}, and not one of {', '.join(sorted(RESERVED_MEASURES))}")


MeasureName: TypeAlias = Annotated[str, a_measure_name]


class Kept(Protocol[K]):
    """A small value that survives a restart and a power cut: see `Device.keep`.

    Attributes:
        value: to read it, and to assign another one. An object that is changed in place is not written.
        saved: the value that a power cut would leave. While no disk takes it, which is a fault, it is the value itself.
        lost: whether this run has begun with the default because the file was damaged, or held something else.
    """

    value: K

    @property
    def saved(self) -> K:
        """The value on the disk."""

    @property
    def lost(self) -> bool:
        """Whether the value of an earlier run could not be read."""


class Context(Protocol):
    """What a device may use while it runs."""

    def watch(self, device: D) -> D:
        """Watch an input: see `Device.watch`."""

    def own(self, device: D, safe: float) -> D:
        """Own an output: see `Device.own`."""

    def after(self, seconds: float, call: Callable[[], Reading | None], name: str = "") -> "Timer":
        """Call later: see `Device.after`."""

    def ask(
        self,
        call: Callable[[], T],
        then: Callable[[T], Reading | None],
        failed: Callable[[OSError | ValueError], Reading | None] | None = None,
        bus: "str | Path | None" = None,
    ) -> None:
        """Run what may block in a worker thread: see `Device.ask`."""

    def lines(
        self, source: "Source", on_line: Callable[[Any], Reading | None], frames: "Frames | None" = None
    ) -> "StreamHandle":
        """Hear the lines of a stream: see `Device.lines`."""

    def edges(self, number: int, on_edges: "Callable[[EdgeBatch], None]", *, pull_up: bool = False) -> "EdgesHandle":
        """Have `on_edges` called with the times of all edges of a line that may change thousands of times a second.

        A setting declares the line; nothing else may use it. A contact to GND needs the Pi's own pull-up. A batch comes
        ten times a second as long as there are edges; an empty one says that the line rests. `catch_up()` of what is
        returned passes on at once what has come since the last batch. OSError: the line cannot be had.
        """

    def waits_for(self, name: str) -> bool:
        """Tell whether a call is still to come: see `Device.waits_for`."""

    def cancel(self, name: str) -> bool:
        """Cancel a call: see `Device.cancel`."""

    def keep(self, name: str, default: K, write_s: float = ...) -> Kept[K]:
        """Keep a value: see `Device.keep`."""

    def subscribe(
        self, filters: Sequence[str], on_batch: "OnBatch", retained: Sequence[str] = ()
    ) -> "SubscriptionHandle":
        """Subscribe to topics: see `Device.subscribe`."""

    def redescribe(self) -> None:
        """Publish what the device is again: see `Device.redescribe`."""

    def publish(self, reading: Reading, at_us: int | None = None) -> None:
        """Publish a reading that no call of the device has returned, made now or `at_us` microseconds since 1970."""

    def show(self, reading: Reading, *, whole: bool = False) -> None:
        """Publish values as state that are none of now, such as those that a broker had stored: no history has them.

        `whole` says that nothing is wrong with the measures that have no value in it.
        """

    def listen(
        self,
        topics: str,
        on_message: "Callable[[Heard], Reading | None]",
        on_silence: "Callable[[Silence], Reading | None] | None" = None,
        silent_s: float | None = None,
    ) -> "ListeningHandle":
        """Listen to others: see `Device.listen`."""

    def tell(self, topic: str, payload: object, then: ThenTold | None = None, *, retain: bool = False) -> None:
        """Tell others: see `Device.tell`."""

    def other_broker(
        self,
        address: "OtherAddress",
        filters: Sequence[str],
        on_message: Callable[[str, bytes, bool], Reading | None],
        on_change: Callable[[str | None], Reading | None],
    ) -> "OtherBrokerHandle":
        """Connect to a second broker; whoever does so closes that in `teardown`.

        `on_message(topic, payload, retained)` is called with each message on `filters`, and `on_change` when there is
        a connection (None), or with why there is none; what they return is published.
        """

    def dead_letter(self, topic: str, payload: bytes, reason: str) -> None:
        """Keep a message that nobody can use in `dead_letters.jsonl`, and log it."""

    def clear(self, measure: str) -> None:
        """Clear what the broker has retained of a measure, because nobody knows its value any more."""

    def set_problem(self, what: str, why: str | None) -> None:
        """Enter a problem that is not a measure's; the state is `fault` while there is one. None removes it."""

    def said(self, name: str) -> bytes:
        """Return what this sensor has published last as `status/NAME`; empty if it has said nothing there."""

    @property
    def sensor(self) -> str:
        """This sensor's name, `group/sensor`."""

    @property
    def published(self) -> "PublishedReading":
        """The last reading that was published."""

    @property
    def state(self) -> "Path":
        """The house's folder for what must outlive a restart."""

    @property
    def folder(self) -> "Path":
        """This sensor's own folder for what must outlive a restart."""


def host_name(file_name: str) -> str:  # noqa: ARG001 - it replaces `sensor_id`
    """Return the sensor id of a device that each machine has once: this machine's name, as in `id_of_host`."""
    return id_of_host(this_host())


def this_host() -> str:
    """Return this machine's name without its domain."""
    return socket.gethostname().partition(".")[0]


def id_of_host(host: str) -> str:
    """Return a host's name as a sensor id; one that is also a user of the broker, such as `homeassistant`, gets `-pi`.

    The host of Home Assistant is often called that.
    """
    return f"{host}-pi" if host in RESERVED_SENSORS else host


@dataclass(kw_only=True)
class Device:
    """The base class of all devices. Fields are settings; class attributes of type `Measure` are what it measures.

    Only the loop calls it, in one thread: `setup` once, `read` at the start and then every `every_s` seconds,
    `act_NAME` for each command to `action/NAME`, and `teardown` once at the end, even after a bug.
    """

    every_s: float = 60.0  # seconds between readings

    measures: ClassVar[Mapping[str, Measure]] = {}
    private: ClassVar[bool] = False  # whether it is kept from recorders, Home Assistant and other sites unless asked
    records: ClassVar[bool] = False  # whether it is a recorder, whose own readings wait for no other
    is_heard: ClassVar[bool] = False  # whether its values come by themselves, so that a read without them says nothing
    memory_mb: ClassVar[int] = 96  # the most that its unit may use
    parts: ClassVar[Mapping[str, str]] = {}  # the parts that people look for, each with its proof: bootstrap/proof.py
    shown_as: ClassVar[Mapping[str, str]] = {}  # by measure: Home Assistant's device class, or an icon (`mdi:fan`)
    must_end: ClassVar[bool] = False  # whether it drives what must not stay on: doctor and `install` see to that, too
    sees_all: ClassVar[bool] = False  # whether it may listen to everything, by a filter such as `#`
    also_listens: ClassVar[Sequence[str]] = ()  # topics that its owner's derived measures need, not the device itself
    blocks: ClassVar[bool] = False  # whether `read` takes long: then it runs in a worker thread, one at a time on `bus`
    commands: ClassVar[Mapping[str, Takes]] = BUILT_IN_ACTIONS

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        own = {name: value for name, value in vars(cls).items() if isinstance(value, Measure)}
        for name in own:
            if name in RESERVED_MEASURES:
                raise TypeError(f"{cls.__name__}: the measure name {name!r} is reserved; choose another")
            if not is_id(name):
                raise TypeError(f"{cls.__name__}: the measure name {name!r} must be {ID_RULE}")
        for action in BUILT_IN_ACTIONS:
            if hasattr(cls, ACT + action):
                raise TypeError(f"{cls.__name__}: every device has the action {action!r}; choose another name")
        cls.measures = {**cls.measures, **own}
        for name in cls.shown_as:
            if name not in cls.measures:
                raise TypeError(f"{cls.__name__}: shown_as has {name!r}, which is not a declared measure")
        acts = (name for name in dir(cls) if name.startswith(ACT))
        takes = {name.removeprefix(ACT): getattr(getattr(cls, name), "takes", Takes()) for name in acts}
        cls.commands = dict(sorted({**BUILT_IN_ACTIONS, **takes}.items()))
        for name, command in takes.items():
            if command.sets and command.sets not in cls.measures:
                raise TypeError(f"{cls.__name__}: {ACT}{name} sets {command.sets!r}, which is not a declared measure")

    @staticmethod
    def sensor_id(file_name: str) -> str:
        """Return the sensor id to use if the device's file sets none: the file's name."""
        return file_name

    def settings(self) -> dict[str, object]:
        """Return the settings to show; `field(repr=False)` keeps a secret out of the log."""
        return {one.name: getattr(self, one.name) for one in fields(self) if one.repr}

    @property
    def period_s(self) -> float:
        """Seconds between two readings, as others are told: `every_s`, unless the device knows better by now."""
        return self.every_s

    def facts(self) -> Mapping[str, Json]:
        """Return what `status/about` tells of it in addition to what that has of every device."""
        return {}

    def excuses(self, name: str) -> bool:  # noqa: ARG002 - who overrides it looks at the name
        """Return whether this measure may lack a value now, so that it is not stale, however long that lasts."""
        return False

    def redescribe(self) -> None:
        """Publish `status/about` again, after `measures`, `period_s` or `facts` has changed.

        From then on a reading may have the new measures.
        """
        self.context.redescribe()

    def progress(self) -> Mapping[str, float | None]:
        """Return what its heartbeats report in addition to those of every device; called once `setup` is complete."""
        return {}

    def attach(self, context: Context) -> None:
        """Keep what the device may use while it runs; called once, before `setup`."""
        self.context: Context = context

    def setup(self) -> None:
        """Open what is needed. OSError: the device is absent, and the daemon exits with code 1."""

    def watch(self, device: D) -> D:
        """Have `on_edge` called at every change of this gpiozero input device; for `setup`. Return the device."""
        return self.context.watch(device)

    def own(self, device: D, safe: float = 0) -> D:
        """Have this gpiozero output device set to `safe` whenever the sensor stops; for `setup`. Return the device."""
        return self.context.own(device, safe)

    def after(self, seconds: float, call: Callable[[], Reading | None], name: str = "") -> "Timer":
        """Call once, later, and publish what it returns like a reading. The timer can be cancelled.

        A call with a name replaces the one of that name that is still to come.
        """
        return self.context.after(seconds, call, name)

    def waits_for(self, name: str) -> bool:
        """Return whether the call that `after` gave this name is still to come."""
        return self.context.waits_for(name)

    def cancel(self, name: str) -> bool:
        """Cancel the call that `after` gave this name. Return whether it was still to come."""
        return self.context.cancel(name)

    def keep(self, name: str, default: K, write_s: float = math.inf) -> Kept[K]:
        """Return the handle of a small value that survives a restart and a power cut; for `setup`.

        `self.tips = self.keep("tips", 0)`, then `self.tips.value += 1`. It is a JSON scalar or a small object, of the
        type of `default`, which is its first value. A change is written to disk at once, the next ones 60 s after it,
        or `write_s` if that is less, and the last one at the stop: a power cut loses at most the changes of this time,
        and so does a kill if the house is not run by systemd. While the disk is full or cannot be written, the state is
        `fault`, and the value stays in memory. A damaged file is moved aside, which the log says. OSError: the file is
        there and cannot be read.
        """
        return self.context.keep(name, default, write_s)

    def ask(
        self,
        call: Callable[[], T],
        then: Callable[[T], Reading | None],
        failed: Callable[[OSError | ValueError], Reading | None] | None = None,
        bus: "str | Path | None" = None,
    ) -> None:
        """Run `call` in a worker thread, because it may block; then publish what `then(its result)` returns.

        `call` must not touch what the loop's thread uses. What it raises counts as if `read` raised it; with `failed`,
        an OSError or ValueError is passed to that instead, and what it returns is published.

        Calls of one `bus` come one after the other, in the order of asking. A path of a bus, such as `/dev/i2c-1`, is
        locked meanwhile (flock), so that other processes wait, too; a word is a bus of this process alone. A call that
        has not ended after 30 s, or what the watchdog allows, is a fault, and the process is restarted.
        """
        self.context.ask(call, then, failed, bus)

    def lines(
        self, source: "Source", on_line: Callable[[Any], Reading | None], frames: "Frames | None" = None
    ) -> "StreamHandle":
        """Have `on_line` called with each line of a child process, a serial port or a TCP connection, without its end.

        What it returns is published; it may raise what `read` may. `frames` splits binary data: it is given what has
        arrived, takes the complete frames from its front, and returns them; `on_line` is called with each.

        The stream is opened in the loop's next turn, and again after it has ended. Until it then gives a line that
        `on_line` accepts, the state is `fault`, with the reason.
        """
        return self.context.lines(source, on_line, frames)

    def subscribe(
        self, filters: Sequence[str], on_batch: "OnBatch", retained: Sequence[str] = ()
    ) -> "SubscriptionHandle":
        """Receive all that is published to `filters`, even while this process does not run; for `setup`.

        `on_batch` is called in a thread of its own. When it returns, its messages are acknowledged; if it raises
        OSError, it receives all of them again later. For the filters in `retained`, it also receives what the broker
        has retained.
        """
        return self.context.subscribe(filters, on_batch, retained)

    def listen(
        self,
        topics: str,
        on_message: "Callable[[Heard], Reading | None]",
        on_silence: "Callable[[Silence], Reading | None] | None" = None,
        silent_s: float | None = None,
    ) -> "ListeningHandle":
        """Hear what others publish to a topic or filter that a setting of the type `TopicFilter` declares; for `setup`.

        `on_message` is called with each message that counts; what it returns is published, and it may raise what `read`
        may. `on_silence` is called when nothing counts any more: the sender of a measure is lost, has stopped or is
        late (3 times its `every_s`), nothing came for `silent_s` seconds, or the broker is away. After that, the next
        call of `on_message` says that all is well again.
        """
        return self.context.listen(topics, on_message, on_silence, silent_s)

    def tell(self, topic: str, payload: object, then: ThenTold | None = None, *, retain: bool = False) -> None:
        """Publish to a topic that a setting of the type `Target` declares: now or not at all, never late.

        `payload` is bytes, or a value that is encoded as for a measure. `then` is called later with `"sent"` if the
        broker has taken it, with `"undelivered"` and the reason, or with `"unknown"` if the connection broke before it
        was acknowledged; what it returns is published.

        Raises:
            ValueError: it cannot be sent, or is a command and to be retained.
        """
        self.context.tell(topic, payload, then, retain=retain)

    def on_edge(self, edge: "Edge") -> Reading | None:
        """Return what an edge means; its time is the reading's. It may raise what `read` may."""
        raise NotImplementedError(f"{type(self).__name__} watches an input but has no on_edge")

    def read(self) -> Reading:
        """Measure now.

        Raises:
            NoReading: there is nothing to report, which is not an error.
            OSError: the device does not answer. The state becomes `fault` until it does.
            ValueError: the answer cannot be true. The state becomes `fault` until one can.

        A single value that cannot be true is refused, and the others are published: one that is out of range, not
        finite, of another type than declared, or further from the previous one than `step`.

        An OSError or ValueError in place of a value tells why this one could not be measured; the others are published
        (see `bootstrap.sysfs.present`).

        Any other exception is a bug and ends the daemon. Reading blocks the loop, so it must be quick, unless the class
        says `blocks = True`: then it runs in a worker thread, while all other methods are called as ever, and the
        bus is the one that its settings declare (`I2CBus`, `OneWireFolder`), or else its attribute `bus`, as in `ask`.
        """
        raise NoReading

    def complete(self, reading: Reading) -> Reading:
        """Return what is published for a reading of a class that says `blocks = True`.

        It is called in the loop's thread, so it may change what other methods use, such as a kept value. It may raise
        what `read` may.
        """
        return reading

    def stopping(self) -> None:
        """Do what must not wait until readings are delivered, if it owns outputs; `teardown` follows."""

    def teardown(self) -> None:
        """Release everything; called once, even after a `setup` that raised."""

    def actions(self) -> dict[str, Callable[[Json], Reading | Later | None]]:
        """Return the device's own commands: `act_set(value)` is called for `action/set`.

        A command may return a reading to publish, and raise `ValueError` to refuse or `OSError` if it fails. One that
        has only begun returns a function: it is called with another one, which is to be called once when the command
        has ended, with what is wrong or None.
        """
        return {name: getattr(self, ACT + name) for name in self.commands if name not in BUILT_IN_ACTIONS}

    def check(self, reading: Reading) -> dict[str, str]:
        """Return the values that cannot be true, each with the reason.

        Raises:
            TypeError: it is not a reading, or has an undeclared measure, which is a bug.
        """
        if not isinstance(reading, Mapping):
            raise TypeError(f"{type(self).__name__}: a reading is a dict of measures, not {reading!r}")
        for name in reading:
            if name not in self.measures:
                declared = ", ".join(sorted(self.measures))
                raise TypeError(f"a reading has {name!r}, which is not a declared measure; declared: {declared}")
        found = ((name, self.measures[name].wrong(value)) for name, value in reading.items())
        return {name: why for name, why in found if why is not None}
