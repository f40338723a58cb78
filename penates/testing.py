"""For the tests of a kind of device: a bench where it works without a broker, and the contract of every kind."""

import math
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from functools import partial
from inspect import getsource
from pathlib import Path
from typing import Any, Self

import gpiozero

from bootstrap.config.kinds import KindError
from bootstrap.config.model import BrokerSettings, SensorSettings
from bootstrap.contract.heard import Heard, Silence
from bootstrap.contract.payload import Json, decode, encode
from bootstrap.contract.topic_filters import covers
from bootstrap.contract.topics import Topics
from bootstrap.device import ACT, BUILT_IN_ACTIONS, Device, Reading, ThenTold
from bootstrap.errors import NoReading
from bootstrap.eventloop.loop import Loop
from bootstrap.eventloop.threads import Inbox, Sockets, Worker
from bootstrap.gateway import Gateway
from bootstrap.needs import GpioLine, Listened, Told, needs_of
from bootstrap.paths import Folders
from bootstrap.pins.device_pins import FACTORY, DevicePins
from bootstrap.pins.edge import Edge
from bootstrap.pins.simulated_factory import SimulatedFactory
from bootstrap.pins.simulated_lines import LINES_VARIABLE, SimulatedLine
from bootstrap.runtime.adoptions import Adoptions
from bootstrap.runtime.conversation import NoConversation
from bootstrap.runtime.declared_lines import DeclaredLines
from bootstrap.runtime.device_context import DeviceContext, DeviceSetup, Subscriptions
from bootstrap.runtime.followed import Listener, Reach
from bootstrap.runtime.kept_values import KeptValues
from bootstrap.runtime.lent_parts import LentParts
from bootstrap.runtime.named_timers import NamedTimers
from bootstrap.runtime.parts import ProcessParts
from penates.datasheet import Sheet, sheet

PATIENCE_S = 5.0
EDGE_S = 5.0  # how long the contract waits for what an edge brings
LONGEST = 60  # lines of a class: a screen
NOBODY = BrokerSettings(host="127.0.0.1", port=1)


class Bench:
    """A device at work: its lines are simulated, its readings are collected, and nothing is published.

    `with Bench(Rain(pin=17)) as bench:` sets it up, and tears it down at the end.

    Attributes:
        readings: what the device has returned from `read`, edges, timers, actions, lines and calls, the newest last.
        told: what the device has told others, each with its topic.
        shown: values that the device has published as state alone, since they are none of now.
        ended: of each command that had only begun, what was wrong when it ended, or None.
        problems: why it would be in `fault` apart from its readings, such as a stream that cannot be opened.
    """

    def __init__(self, device: Device, folder: Path | None = None, *, driven: Mapping[int, bool] = {}) -> None:
        """Keep in `folder` what the device keeps, as over a restart; by default in one that is removed at the end.

        Lines in `driven` are high or low already when the device is set up.
        """
        self._device, self._folder, self._stack = device, folder, ExitStack()
        self._driven = dict(driven)
        self.readings: list[Reading] = []
        self.shown: list[Reading] = []
        self.ended: list[str | None] = []
        self.problems: dict[str, str] = {}
        self._talk = _Talk(device, self._collect)
        self.told = self._talk.told
        self._loop, self._edges = Loop(), 0

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            self._lines = folder / "lines"
            stack.enter_context(_simulated(self._lines))
            for pin, high in self._driven.items():
                self.drive(pin, high=high)
            self._set_up(self._folder or folder / "state", stack)
            self._stack = stack.pop_all()
        return self

    def _set_up(self, state: Path, stack: ExitStack) -> None:
        sockets = Sockets()
        stack.callback(sockets.end)
        inbox = Inbox(sockets)
        stack.callback(inbox.close)
        self._loop.add_reader(inbox.socket, inbox.receive)
        worker = Worker(inbox)
        stack.callback(worker.close)
        topics, folders = Topics("bench", "device"), Folders(state, state)
        settings = SensorSettings(
            folder=Path(), file="", topics=topics, kind="", device=self._device, folders=folders, broker=NOBODY
        )
        pins = DevicePins(self._loop, inbox, self._on_edge)
        stack.callback(pins.close)
        subscriptions = Subscriptions(settings, sockets, inbox)
        parts = ProcessParts(self._loop, sockets, inbox, worker)
        heard = _Heard(self.read, self._collect, self.shown)
        lent = LentParts(self._device, parts, heard, self._on_problem)
        stack.callback(lent.end_streams)
        kept = KeptValues(subscriptions.folder, parts, self._on_problem)
        stack.callback(kept.close)
        self._declared = DeclaredLines(self._device, pins)
        setup = DeviceSetup(self._device, self._declared)
        stack.callback(setup.undo)
        stack.callback(subscriptions.close)
        stack.callback(lent.end_calls)
        stack.callback(heard.stop)
        timers = NamedTimers(self._loop, self._collect)
        context = DeviceContext(timers, self._declared, subscriptions, kept, lent=lent)
        context.use(self._talk, lambda call, _at_us: self._collect(call))
        if isinstance(self._device, Gateway):
            self._device.join(Adoptions(self._device, self._loop))
        self._device.attach(context)
        setup.do()

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def drive(self, pin: int, *, high: bool | None) -> None:
        """Drive a line from outside, or let it float (None); a contact to GND that closes drives it low."""
        SimulatedLine(pin, self._lines).drive(high)

    def level(self, pin: int) -> float | None:
        """Return the level of a line: 0, 1, between for PWM, or None if it floats."""
        return SimulatedLine(pin, self._lines).level()

    @property
    def unwatched(self) -> bool:
        """Whether the device has lines and `on_edge`, but watches none: perhaps its setup lacks super().setup()."""
        return self._declared.unwatched

    def read(self) -> Reading:
        """Return what `read` does. Its exceptions propagate."""
        reading = self._device.read()
        self._publish(self._device.complete(reading) if self._device.blocks else reading)
        return self.readings[-1]

    def act(self, action: str, value: Json = None) -> None:
        """Execute a command, as it comes from `action/…`. Refused: it is not what the action takes."""
        self._device.commands[action].check(value)
        found = self._device.actions()[action](value)
        if callable(found):
            found(self.ended.append)
        else:
            self._publish(found)

    def until(self, met: Callable[[], object], seconds: float = PATIENCE_S) -> None:
        """Let time pass, with its edges and timers, until `met()` is true. AssertionError: that takes too long."""
        if not self._loop.run(lambda: bool(met()), seconds):
            raise AssertionError(f"not within {seconds:g} s; the readings so far: {self.readings}")

    def hear(self, topic: str, value: "Json | bytes", *, retained: bool = False) -> None:
        """Have the device hear this, as if somebody had just published it, or long ago if it is `retained`.

        Bytes are the payload as it is.
        """
        now = time.time_ns() // 1000
        payload = value if isinstance(value, bytes) else encode(value)
        for one in self._talk.listeners(topic):
            heard = Heard(topic, payload, decode(payload), retained=retained, at_us=now)
            one.fault = None
            one.keep(heard, time.monotonic())
            self._collect(partial(one.on_message, heard))

    def silence(self, topic: str, why: str) -> None:
        """Have nothing count any more of what the device hears from a topic, such as when its sender is lost."""
        for one in self._talk.listeners(topic):
            one.fault = why
            if one.on_silence is not None:
                self._collect(partial(one.on_silence, Silence(topic, why)))

    def edges(self, pin: int) -> None:
        """Drive a line to its other level and back, and wait for the edges that it may be watched for.

        A line that the device itself drives has none.
        """
        if pin in self._declared.driven:
            return
        now = bool(self.level(pin))
        for high in (not now, now):
            before = self._edges
            self.drive(pin, high=high)
            self._loop.run(lambda seen=before: self._edges > seen, EDGE_S)  # type: ignore[misc]

    def _on_edge(self, edge: Edge) -> None:
        self._edges += 1
        self._collect(lambda: self._device.on_edge(edge))

    def _collect(self, call: Callable[[], Reading | None]) -> None:
        """Make a call of the device between two reads, and collect its reading."""
        with suppress(NoReading):
            self._publish(call())

    def _publish(self, reading: Reading | None) -> None:
        """Collect a reading, if it would be published."""
        if reading is None:
            return
        if wrong := self._device.check(reading):
            raise AssertionError(f"the reading {dict(reading)} has what would be refused: {wrong}")
        self.readings.append(reading)

    def _on_problem(self, what: str, why: str | None) -> None:
        if why is None:
            self.problems.pop(what, None)
        else:
            self.problems[what] = why


class _Talk(NoConversation):
    """Keeps what a device listens to, and what it tells."""

    def __init__(self, device: Device, collect: Callable[[Callable[[], Reading | None]], None]) -> None:
        self._device, self._collect = device, collect
        self._listening: list[Listener] = []
        self.told: list[tuple[str, object]] = []

    def listen(
        self,
        topics: str,
        on_message: Callable[[Heard], Reading | None],
        on_silence: Callable[[Silence], Reading | None] | None = None,
        silent_s: float | None = None,
    ) -> Listener:
        declared = [need.filter for _, need in needs_of(self._device) if isinstance(need, Listened)]
        if not any(covers(one, topics) for one in declared):
            raise AssertionError(f"no setting of the type TopicFilter declares {topics!r}; they declare {declared}")
        self._listening.append(Listener(topics, on_message, on_silence, silent_s, Reach(None, 0.0)))
        return self._listening[-1]

    def listeners(self, topic: str) -> list[Listener]:
        """Return who listens to a topic, of whom there must be one."""
        found = [one for one in self._listening if covers(one.filter, topic)]
        if not found:
            raise AssertionError(f"the device does not listen to {topic!r}")
        return found

    def tell(self, topic: str, payload: object, then: ThenTold | None = None, *, retain: bool = False) -> None:  # noqa: ARG002
        declared = [need.topic for _, need in needs_of(self._device) if isinstance(need, Told)]
        if not any(covers(one, topic) for one in declared):
            raise AssertionError(f"no setting of the type Target declares {topic!r}; they declare {declared}")
        self.told.append((topic, payload))
        if then is not None:
            self._collect(partial(then, "sent", ""))


class _Heard:
    """Collects what a device makes of lines and of calls that have ended."""

    def __init__(
        self, read: Callable[[], Reading], collect: Callable[[Callable[[], Reading | None]], None], shown: list[Reading]
    ) -> None:
        self._read, self._collect, self._shown = read, collect, shown
        self.stopped_at = math.inf

    def run_later(self, call: Callable[[], Reading | None], _at_us: int | None = None) -> None:
        self._collect(call)

    def stop(self) -> None:
        self.stopped_at = time.monotonic()

    def show(self, reading: Reading, *, whole: bool = False) -> None:  # noqa: ARG002
        self._shown.append(reading)

    def read_soon(self) -> None:
        with suppress(NoReading, OSError, ValueError):
            self._read()


@contextmanager
def _simulated(lines: Path) -> Iterator[None]:
    """Have gpiozero use lines that are simulated in a folder; afterwards everything is as before."""
    before, environment = gpiozero.Device.pin_factory, dict(os.environ)
    os.environ.update({FACTORY: "simulated", LINES_VARIABLE: str(lines)})
    gpiozero.Device.pin_factory = factory = SimulatedFactory()
    try:
        yield
    finally:
        factory.close()
        gpiozero.Device.pin_factory = before
        os.environ.clear()
        os.environ.update(environment)


def check_kind(kind: str, folder: Path = Path(), **settings: Any) -> None:  # noqa: ANN401 - any setting
    """Check what every kind must keep: its data sheet, and that it is set up, read and torn down, and that again.

    `kind` is as in a device's file, `folder` where a module of one's own is, and `settings` are what has no default.

    Raises:
        AssertionError: with everything that is wrong.
    """
    try:
        found = sheet(kind, folder)
    except KindError as error:
        raise AssertionError(str(error)) from None
    if wrong := [*_undeclared(found), *_failing(found.device, settings)]:
        raise AssertionError("\n".join(f"{kind}: {one}" for one in wrong))


def _undeclared(found: Sheet) -> Iterator[str]:
    """Yield what the data sheet lacks."""
    cls = found.device
    if not found.what:
        yield "say in the docstring what it is"
    if "Wiring:" not in (cls.__doc__ or ""):
        yield 'say in the docstring how to wire it: "Wiring: …", or "Wiring: none."'
    if not found.settings[0].comment:
        yield f"explain the setting {found.settings[0].name!r} in a comment behind it"
    for name in (name for name, measure in cls.measures.items() if not measure.unit):
        yield f'give the measure {name!r} its unit, such as "°C", or "1" for a count'
    for name in (
        name for name in cls.commands if name not in BUILT_IN_ACTIONS and not getattr(cls, ACT + name).__doc__
    ):
        yield f"say in the docstring of {ACT}{name} what it does"
    if (lines := len(getsource(cls).splitlines())) > LONGEST:
        yield f"the class has {lines} lines; with more than {LONGEST} it reads like a program, not like a data sheet"


def _failing(cls: type[Device], settings: Mapping[str, Any]) -> Iterator[str]:
    """Yield what fails while a device works. A reload sets a copy of it up again after it was torn down."""
    try:
        device = cls(**settings)
    except TypeError as error:
        yield f"it cannot be made: {error}; give check_kind what has no default, such as pin=17"
        return
    for when, one in (("", device), (" after a teardown", replace(device))):
        try:
            with Bench(one) as bench:
                _use(bench, one)
        except Exception as error:  # noqa: BLE001 - whatever it is, its author wants to know
            yield f"it fails{when}: {type(error).__name__}: {error}"


def _use(bench: Bench, device: Device) -> None:
    """Read a device, and give edges to each line that it watches. That it is absent, or has nothing, is no error."""
    for _ in range(2):
        with suppress(NoReading, OSError, ValueError):
            bench.read()
    if bench.unwatched:
        raise AssertionError("it watches none of its lines; a setup of its own calls super().setup()")
    if type(device).on_edge is not Device.on_edge:
        for line in (need for _, need in needs_of(device) if isinstance(need, GpioLine)):
            with suppress(OSError, ValueError):
                bench.edges(line.number)
