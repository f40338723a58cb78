"""For the tests of a kind of device: a bench where it works without a broker, and the contract of every kind."""

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from inspect import getsource
from pathlib import Path
from typing import Any, Self

import gpiozero

from bootstrap.config.kinds import KindError
from bootstrap.config.model import BrokerSettings, SensorSettings
from bootstrap.contract.payload import Json
from bootstrap.contract.topics import Topics
from bootstrap.device import ACT, BUILT_IN_ACTIONS, Device, Reading
from bootstrap.errors import NoReading
from bootstrap.eventloop.loop import Loop
from bootstrap.eventloop.threads import Inbox, Sockets, Worker
from bootstrap.needs import GpioLine, needs_of
from bootstrap.paths import Folders
from bootstrap.pins.device_pins import FACTORY, DevicePins
from bootstrap.pins.edge import Edge
from bootstrap.pins.simulated_factory import SimulatedFactory
from bootstrap.pins.simulated_lines import LINES_VARIABLE, SimulatedLine
from bootstrap.runtime.declared_lines import DeclaredLines
from bootstrap.runtime.device_context import DeviceContext, DeviceSetup, Subscriptions
from bootstrap.runtime.kept_values import KeptValues
from bootstrap.runtime.named_timers import NamedTimers
from bootstrap.runtime.parts import ProcessParts
from penates.datasheet import Sheet, sheet

PATIENCE_S = 5.0
EDGE_S = 1.0  # how long the contract waits for what an edge brings
LONGEST = 60  # lines of a class: a screen
NOBODY = BrokerSettings(host="127.0.0.1", port=1)


class Bench:
    """A device at work: its lines are simulated, its readings are collected, and nothing is published.

    `with Bench(Rain(pin=17)) as bench:` sets it up, and tears it down at the end.

    Attributes:
        readings: what the device has returned from `read`, from edges, timers and actions, the newest last.
    """

    def __init__(self, device: Device, folder: Path | None = None) -> None:
        """Keep in `folder` what the device keeps, as over a restart; by default in one that is removed at the end."""
        self._device, self._folder, self._stack = device, folder, ExitStack()
        self.readings: list[Reading] = []
        self._loop, self._edges = Loop(), 0

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            self._lines = folder / "lines"
            stack.enter_context(_simulated(self._lines))
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
        kept = KeptValues(subscriptions.folder, ProcessParts(self._loop, sockets, inbox, worker), self._on_problem)
        stack.callback(kept.close)
        setup = DeviceSetup(self._device)
        stack.callback(setup.undo)
        stack.callback(subscriptions.close)
        timers = NamedTimers(self._loop, self._collect)
        self._device.attach(DeviceContext(timers, DeclaredLines(self._device, pins), subscriptions, kept))
        setup.do()

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def drive(self, pin: int, *, high: bool | None) -> None:
        """Drive a line from outside, or let it float (None); a contact to GND that closes drives it low."""
        SimulatedLine(pin, self._lines).drive(high)

    def level(self, pin: int) -> float | None:
        """Return the level of a line: 0, 1, between for PWM, or None if it floats."""
        return SimulatedLine(pin, self._lines).level()

    def read(self) -> Reading:
        """Return what `read` does. Its exceptions propagate."""
        self._collect(self._device.read)
        return self.readings[-1]

    def act(self, action: str, value: Json = None) -> None:
        """Execute a command, as it comes from `action/…`. Refused: it is not what the action takes."""
        self._device.commands[action].check(value)
        self._collect(lambda: self._device.actions()[action](value))

    def until(self, met: Callable[[], object], seconds: float = PATIENCE_S) -> None:
        """Let time pass, with its edges and timers, until `met()` is true. AssertionError: that takes too long."""
        if not self._loop.run(lambda: bool(met()), seconds):
            raise AssertionError(f"not within {seconds:g} s; the readings so far: {self.readings}")

    def edges(self, pin: int) -> None:
        """Drive a line low and high, and wait for the edges that it may be watched for."""
        for high in (False, True):
            before = self._edges
            self.drive(pin, high=high)
            self._loop.run(lambda seen=before: self._edges > seen, EDGE_S)  # type: ignore[misc]

    def _on_edge(self, edge: Edge) -> None:
        self._edges += 1
        self._collect(lambda: self._device.on_edge(edge))

    def _collect(self, call: Callable[[], Reading | None]) -> None:
        """Make a call of the device, and collect its reading, as far as it would be published."""
        if (reading := call()) is None:
            return
        if wrong := self._device.check(reading):
            raise AssertionError(f"the reading {dict(reading)} has what would be refused: {wrong}")
        self.readings.append(reading)

    def _on_problem(self, what: str, why: str | None) -> None:
        if why is not None:
            raise AssertionError(f"{what}: {why}")


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
    if type(device).on_edge is not Device.on_edge:
        for line in (need for _, need in needs_of(device) if isinstance(need, GpioLine)):
            bench.edges(line.number)
