"""The pins of a device: edges latched where they occur and brought to the loop, outputs that end in a safe state.

gpiozero is the interface. Below it is one of our factories, `kernel` or `simulated`, whose pins deliver their edges
in the loop; or one of gpiozero's own, chosen by `GPIOZERO_PIN_FACTORY`, whose threads post messages.
"""

import contextlib
import itertools
import os
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from bootstrap.errors import to_install
from bootstrap.eventloop.loop import Loop
from bootstrap.eventloop.threads import Inbox
from bootstrap.pins.edge import Edge, wall_ns

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
    return {"lgpio": "lgpio", "rpigpio": "RPi.GPIO"}.get(factory or DEFAULT_FACTORY, "gpiod")


def no_pins(error: Exception) -> str | None:
    """Return what to do if this error means that there is no such pin factory or pin; None for any other error."""
    if isinstance(error, ImportError) or type(error).__name__ == "BadPinFactory":
        factory = os.environ.get(FACTORY)
        wanted = f"on a Pi {to_install(package(factory))}, elsewhere set {FACTORY}=simulated"
        return f"no pin factory {factory!r}: {error}; {wanted}"
    return f"no such pin: {error}" if type(error).__name__.startswith("PinInvalid") else None


class DevicePins:
    """The inputs that one device watches and the outputs that it owns."""

    MESSAGE = "edge"

    def __init__(self, loop: Loop, inbox: Inbox, deliver: Callable[[Edge], None]) -> None:
        """Call `deliver` in the loop with every edge of a watched input."""
        os.environ.setdefault(FACTORY, DEFAULT_FACTORY)
        self._loop, self._inbox, self._deliver = loop, inbox, deliver
        self._watched: dict[int, Any] = {}  # by a number that is never used again
        self._owned: list[tuple[Any, float]] = []
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
