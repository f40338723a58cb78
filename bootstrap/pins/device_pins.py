"""The pins of a device: edges latched where they occur and brought to the loop, outputs that end in a safe state.

gpiozero is the interface. Below it is one of our factories, `kernel` or `simulated`, whose pins deliver their edges
in the loop; or one of gpiozero's own, chosen by `GPIOZERO_PIN_FACTORY`, whose threads post messages.
"""

import contextlib
import itertools
import os
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any, TypeVar

from bootstrap.errors import Exit, Fatal, to_install
from bootstrap.eventloop.loop import Loop
from bootstrap.eventloop.threads import Inbox
from bootstrap.pins.edge import Edge, wall_ns
from bootstrap.pins.unwritten_outputs import Tell, UnwrittenOutputs

D = TypeVar("D", bound=Any)  # a gpiozero device; gpiozero has no types

FACTORY = "GPIOZERO_PIN_FACTORY"
DEFAULT_FACTORY = "kernel"
HOLDER = "PENATES_LINE_HOLDER"
NUMBERS = itertools.count(1)  # of watched inputs, each used only once in a process
OUR_FACTORIES = {"kernel": "bootstrap.pins.kernel_factory", "simulated": "bootstrap.pins.simulated_factory"}


def set_line_holder(sensor: str) -> None:
    """Have the kernel show `sensor` as the holder of every line that is requested from now on."""
    os.environ[HOLDER] = sensor


def line_holder() -> str:
    """Return the name that the kernel is to show as the holder of our lines.

    A folder in /proc/irq is named after it, and the kernel warns about a slash.
    """
    return os.environ.get(HOLDER, "penates").replace("/", ":")


def package(factory: str | None) -> str:
    """Return the name of the package to install for a pin factory."""
    return {"lgpio": "lgpio", "rpigpio": "rpi-lgpio"}.get(factory or DEFAULT_FACTORY, "gpiod")


def pin_failure(error: Exception) -> Fatal | OSError | None:
    """Return what a failure in the setup of a device means if pins are its cause; None if they are not.

    Fatal: the pin or the pin factory is not of this board, which takes a change. OSError: it may be there later.
    """
    factory = os.environ.get(FACTORY, DEFAULT_FACTORY)
    names = {cls.__name__ for cls in type(error).__mro__}  # gpiozero is loaded only by devices that have pins
    if "PinUnknownPi" in names:
        what = "a Raspberry Pi has one in /proc, unless its unit or container hides it"
        return Fatal(Exit.SETTINGS, f"this machine has no board revision: {what}; elsewhere set {FACTORY}=simulated")
    if names & {"PinError", "GPIOPinInUse"}:
        return Fatal(Exit.SETTINGS, f"no such pin: {error}" if "PinInvalidPin" in names else f"a wrong pin: {error}")
    if isinstance(error, OSError):
        return None  # what our own factories raise
    absent = type(error).__module__ == "lgpio"  # its errors: no chip, no permission, a line that is taken
    if "BadPinFactory" in names or (_passed(error, "_default_pin_factory") and not absent):
        return Fatal(Exit.SETTINGS, f"no pin factory {factory!r}: {error}; {_other_factory(factory, error)}")
    if factory not in OUR_FACTORIES and _passed(error, "gpiozero.pins."):
        return OSError(f"no line by the pin factory {factory!r}: {error}")
    return None


def _passed(error: Exception, what: str) -> bool:
    """Return whether an exception came through a function of gpiozero with this name, or a module that begins so."""
    frames = (frame for frame, _line in traceback.walk_tb(error.__traceback__))
    places = ((frame.f_globals.get("__name__", ""), frame.f_code.co_name) for frame in frames)
    return any(module.startswith(what) or (module == "gpiozero.devices" and name == what) for module, name in places)


def _other_factory(factory: str, error: Exception) -> str:
    """Return what makes a pin factory work, or works in its place."""
    wanted = f"on a Pi {to_install(package(factory))}"
    if factory == "rpigpio" and not isinstance(error, ImportError):
        known = f"{to_install(package(factory))} in its place, or set {FACTORY}={DEFAULT_FACTORY}"
        wanted = f"on a Pi that RPi.GPIO does not know, {known}"
    return f"{wanted}; elsewhere set {FACTORY}=simulated"


class DevicePins:
    """The inputs that one device watches and the outputs that it owns."""

    MESSAGE = "edge"

    def __init__(
        self, loop: Loop, inbox: Inbox, deliver: Callable[[Edge], None], tell: Tell = lambda _why: None
    ) -> None:
        """Call `deliver` in the loop with every edge of a watched input.

        `tell` is called with what is wrong when an output could not be set, and with None once all are safe again.
        """
        os.environ.setdefault(FACTORY, DEFAULT_FACTORY)
        self._loop, self._inbox, self._deliver = loop, inbox, deliver
        self._watched: dict[int, Any] = {}  # by a number that is never used again
        self._owned: list[tuple[Any, float]] = []
        self._unwritten = UnwrittenOutputs(loop, inbox, self.make_safe, tell)
        self._thread = threading.get_ident()
        inbox.on(self.MESSAGE, self._on_posted)

    def watch(self, device: D) -> D:
        """Deliver every change of this input device. Return the device."""
        number = next(NUMBERS)
        self._watched[number] = device
        device.when_activated = lambda: self._on_change(number, True)
        device.when_deactivated = lambda: self._on_change(number, False)
        if hasattr(device.pin, "attach"):
            device.pin.attach(self._loop)
        return device

    def own(self, device: D, safe: float = 0) -> D:
        """Set this output device to `safe` whenever the sensor stops. Return the device."""
        self._owned.append((device, safe))
        self._unwritten.watch(device)
        return device

    @property
    def owns(self) -> bool:
        """Whether there is an output to make safe."""
        return bool(self._owned)

    def _on_change(self, number: int, active: bool) -> None:
        """Handle a call by gpiozero: from one of our pins, in the loop, or from a thread of its own."""
        own = hasattr(self._watched[number].pin, "attach") and threading.get_ident() == self._thread
        (self._latch if own else self._post)(number, active)

    def _latch(self, number: int, active: bool) -> None:
        """Deliver an edge of one of our pins, which knows when it occurred. Runs in the loop."""
        device = self._watched[number]
        self._deliver(Edge(device, active, wall_ns(device.pin.edge_ns)))

    def _post(self, number: int, active: bool) -> None:
        """Latch value and time in a thread of another factory, and leave the rest to the loop."""
        self._inbox.post(self.MESSAGE, f"{number} {active:d} {time.time_ns()}".encode())

    def _on_posted(self, body: bytes) -> None:
        number, active, time_ns = map(int, body.split())
        if device := self._watched.get(number):  # else it was closed meanwhile
            self._deliver(Edge(device, bool(active), time_ns))

    def make_safe(self) -> None:
        """Set every output to its safe value, even if others fail; then raise what went wrong."""
        with contextlib.ExitStack() as stack:
            for device, safe in self._owned:
                if not device.closed:
                    stack.callback(setattr, device, "value", safe)

    def close(self) -> None:
        """Make safe, then release every line. The kernel decides what a line does then: hence the pull resistors."""
        with contextlib.ExitStack() as stack:
            stack.callback(self._owned.clear)
            stack.callback(self._watched.clear)
            for device in [*self._watched.values(), *(device for device, _safe in self._owned)]:
                stack.callback(device.close)
            stack.callback(self.make_safe)
            stack.callback(self._unwritten.close)
