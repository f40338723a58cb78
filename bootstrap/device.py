"""The contract of a device: what it declares, what it must be able to do, and what it never has to care about."""

import math
import re
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Protocol, TypeAlias, TypeVar, get_args

from bootstrap.contract.payload import Json
from bootstrap.contract.topics import ID_RULE, is_id
from bootstrap.errors import NoReading
from bootstrap.limits import YEAR_S, Limits
from bootstrap.logs.log import Level

if TYPE_CHECKING:
    from pathlib import Path

    from bootstrap.contract.subscription import OnBatch, SubscriptionHandle
    from bootstrap.eventloop.loop import Timer
    from bootstrap.pins.edge import Edge

Value: TypeAlias = bool | int | float | str
Reading: TypeAlias = Mapping[str, Value]
Pin: TypeAlias = Annotated[int, Limits(0, 27, "BCM number of the line")]
Seconds: TypeAlias = Annotated[float, Limits(0, YEAR_S)]
D = TypeVar("D", bound=Any)  # a gpiozero device
A = TypeVar("A", bound=Callable[..., Any])  # an action

RESERVED_MEASURES = frozenset({"reading", "time", "run", "seq", "clock", "boot", "group", "sensor", "kind"})
ACT = "act_"
SHOWN = 60  # characters of a value that is none
SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Measure:
    """One quantity: its unit such as `"°C"`, or `bool` or `str` for one without; numbers may have a range.

    Attributes:
        unit: as shown to people, or the type of a value that has none.
        low: the least number the device can truly measure, in `unit`.
        high: the greatest.
        step: the most by which two readings in a row can differ. A jump beyond it is refused, and believed at the third
            reading that agrees on it.
        event: it is no state but happens, like a click: never retained, and told late only in the history.
        counter: it only grows, but for a new start at 0.
    """

    unit: str | type[bool] | type[str]
    low: float = -math.inf
    high: float = math.inf
    step: float = math.inf
    event: bool = False
    counter: bool = False

    def __post_init__(self) -> None:
        if not self.step > 0:
            raise ValueError(f"step must be above 0, not {self.step}")

    @property
    def unit_name(self) -> str:
        """`"°C"`, `"bool"` or `"str"`."""
        return self.unit if isinstance(self.unit, str) else self.unit.__name__

    @property
    def facts(self) -> dict[str, str | float]:
        """Unit, range and step, as `about` says them."""
        marks = {"event": self.event, "counter": self.counter}
        return {"unit": self.unit_name, **_known(self), **{mark: True for mark, is_so in marks.items() if is_so}}

    def wrong(self, value: Value) -> str | None:
        """Why a value cannot be true: of another type than declared, not finite, or out of range."""
        wanted = self.unit if isinstance(self.unit, type) else (int, float)
        if not isinstance(value, wanted) or (isinstance(value, bool) and self.unit is not bool):
            return f"{ascii(value)[:SHOWN]} is no value in {self.unit_name}"
        if isinstance(value, str):
            return f"{ascii(value)[:SHOWN]} holds half a character" if SURROGATE.search(value) else None
        if isinstance(value, bool):
            return None
        if not -sys.float_info.max <= value <= sys.float_info.max or not self.low <= value <= self.high:
            return f"{str(value)[:SHOWN]} {self.unit} is not within {self.low:g} to {self.high:g}"
        return None


def _known(limits: "Measure | Takes") -> dict[str, float]:
    """The limits that there are."""
    found = {name: getattr(limits, name) for name in ("low", "high", "step")}
    return {name: limit for name, limit in found.items() if math.isfinite(limit)}


@dataclass(frozen=True)
class Takes:
    """What a command takes: one of some words, or a number from `low` to `high` in steps, or either.

    Attributes:
        words: that it knows.
        sets: the measure that then shows it.
        unit: of the number.
        low: the least number, `high` the greatest; without both it takes none.
        step: between two numbers.
    """

    words: tuple[str, ...] = ()
    sets: str = ""
    unit: str = "1"
    low: float = -math.inf
    high: float = math.inf
    step: float = math.inf

    @property
    def facts(self) -> dict[str, Any]:
        """As `about` says them."""
        number = {"unit": self.unit, **_known(self)} if math.isfinite(self.high - self.low) else {}
        words: dict[str, Any] = {"words": [*self.words]} if self.words else {}
        return {**words, **number, **({"sets": self.sets} if self.sets else {})}


BUILT_IN_ACTIONS = {"log": Takes(get_args(Level)), "read": Takes(("now",))}


def takes(
    *words: str,
    sets: str = "",
    unit: str = "1",
    low: float = -math.inf,
    high: float = math.inf,
    step: float = math.inf,
) -> Callable[[A], A]:
    """Say above `act_NAME` what it takes (see `Takes`), for whoever offers it to people."""

    def declare(act: A) -> A:
        act.takes = Takes(words, sets, unit, low, high, step)  # type: ignore[attr-defined]
        return act

    return declare


class Context(Protocol):
    """What a device may use while it runs."""

    def watch(self, device: D) -> D:
        """See `Device.watch`."""

    def own(self, device: D, safe: float) -> D:
        """See `Device.own`."""

    def after(self, seconds: float, call: Callable[[], Reading | None]) -> "Timer":
        """See `Device.after`."""

    def subscribe(
        self, filters: Sequence[str], on_batch: "OnBatch", retained: Sequence[str] = ()
    ) -> "SubscriptionHandle":
        """See `Device.subscribe`."""

    def dead_letter(self, topic: str, payload: bytes, reason: str) -> None:
        """Keep in `dead_letters.jsonl` what nobody can use, and log it."""

    @property
    def state(self) -> "Path":
        """The house's folder for what must outlive a restart."""

    @property
    def folder(self) -> "Path":
        """This sensor's own folder for what must outlive a restart."""


def host_name(file_name: str) -> str:  # noqa: ARG001 - it stands for `sensor_id`
    """This machine's name, without its domain: the sensor id of what there is one of in each machine."""
    return socket.gethostname().partition(".")[0]


@dataclass(kw_only=True)
class Device:
    """Base of all devices. Fields are settings; `Measure` class attributes are what it measures.

    The loop alone calls it, in one thread: `setup` once, `read` at the start and then every `every_s` seconds,
    `act_NAME` for each command to `action/NAME`, and `teardown` at every end, even one by a bug.
    """

    every_s: float = 60.0  # seconds between readings

    measures: ClassVar[Mapping[str, Measure]] = {}
    opens: ClassVar[Sequence[str]] = ()  # "i2c", "spi": device nodes beside its lines, which its unit may open
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
        acts = (name for name in dir(cls) if name.startswith(ACT))
        takes = {name.removeprefix(ACT): getattr(getattr(cls, name), "takes", Takes()) for name in acts}
        cls.commands = dict(sorted({**BUILT_IN_ACTIONS, **takes}.items()))
        for name, command in takes.items():
            if command.sets and command.sets not in cls.measures:
                raise TypeError(f"{cls.__name__}: {ACT}{name} sets {command.sets!r}, which is not a declared measure")

    @staticmethod
    def sensor_id(file_name: str) -> str:
        """The sensor id, where the device's file says none: the file's name."""
        return file_name

    def settings(self) -> dict[str, object]:
        """The settings to be shown; `field(repr=False)` keeps one that is a secret out of the log."""
        return {one.name: getattr(self, one.name) for one in fields(self) if one.repr}

    def progress(self) -> Mapping[str, float | None]:
        """What its heartbeats say beside what those of all devices do."""
        return {}

    def attach(self, context: Context) -> None:
        """Take what the device may use while it runs; called once, before `setup`."""
        self.context: Context = context

    def setup(self) -> None:
        """Open what is needed. OSError: the device is absent, and we end with exit code 1."""

    def watch(self, device: D) -> D:
        """In `setup`: have `on_edge` called at every change of this gpiozero input device; returns it."""
        return self.context.watch(device)

    def own(self, device: D, safe: float = 0) -> D:
        """In `setup`: have this gpiozero output device set to `safe` at every end; returns it."""
        return self.context.own(device, safe)

    def after(self, seconds: float, call: Callable[[], Reading | None]) -> "Timer":
        """Call once, later; what it returns is published like a reading. The timer can be cancelled."""
        return self.context.after(seconds, call)

    def subscribe(
        self, filters: Sequence[str], on_batch: "OnBatch", retained: Sequence[str] = ()
    ) -> "SubscriptionHandle":
        """In `setup`: receive all that is published to `filters`, even what is published while this process is away.

        `on_batch` is called in a thread of its own. When it returns, what it was given is acknowledged; if it raises
        OSError, all of it is given to it again later. Of the filters in `retained`, it is also given what the broker
        has kept.
        """
        return self.context.subscribe(filters, on_batch, retained)

    def on_edge(self, edge: "Edge") -> Reading | None:
        """Tell what an edge means; its time is the reading's. It may raise what `read` may."""
        raise NotImplementedError(f"{type(self).__name__} watches an input and has no on_edge")

    def read(self) -> Reading:
        """Measure now.

        Raises:
            NoReading: there is nothing to say; no error.
            OSError: the device does not answer. The state becomes `fault` until it does.
            ValueError: what it says cannot be true. Likewise.

        A value that cannot be true is refused by itself, and the others are published: out of range, not finite, of
        another type than declared, or further from the one before than `step`.

        Anything else that it raises is a bug and ends the daemon. While it works the loop stands: it must be quick.
        """
        raise NoReading

    def teardown(self) -> None:
        """Let go of everything; called once, even after a `setup` that raised."""

    def actions(self) -> dict[str, Callable[[Json], Reading | None]]:
        """The device's own commands: `act_set(value)` is called for `action/set`.

        It may return a reading to publish, and raise `ValueError` to refuse or `OSError` when it cannot.
        """
        return {name: getattr(self, ACT + name) for name in self.commands if name not in BUILT_IN_ACTIONS}

    def check(self, reading: Reading) -> dict[str, str]:
        """Name the values that cannot be true, each with the reason.

        Raises:
            TypeError: it is no reading, or has a measure that was never declared: a bug.
        """
        if not isinstance(reading, Mapping):
            raise TypeError(f"a reading is a dict of measures, not {reading!r}")
        for name in reading:
            if name not in self.measures:
                raise TypeError(f"read() gave {name!r}, which is not a declared measure")
        found = ((name, self.measures[name].wrong(value)) for name, value in reading.items())
        return {name: why for name, why in found if why is not None}
