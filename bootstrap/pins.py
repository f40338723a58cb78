"""Pins of a device: edges latched where they happen and brought to the loop, outputs that end safe.

gpiozero is the interface. Under it stands one of our factories, `kernel` or `simulated`, whose pins hand their edges
to the loop; or one of gpiozero's own, by `GPIOZERO_PIN_FACTORY`, whose threads hand in notes.
"""

import contextlib
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from bootstrap.errors import to_install
from bootstrap.loop import Loop
from bootstrap.sockets import Inbox

D = TypeVar("D", bound=Any)  # a gpiozero device; gpiozero has no types

FACTORY = "GPIOZERO_PIN_FACTORY"
DEFAULT_FACTORY = "kernel"
OUR_FACTORIES = {"kernel": "bootstrap.kernel_pins", "simulated": "bootstrap.simulated_pins"}


@dataclass(frozen=True, slots=True)
class Edge:
    """An input changed.

    Attributes:
        source: the gpiozero device, as `watch` returned it.
        active: its value after the edge, by its own sense (a pressed button, a closed contact).
        time_ns: when, in nanoseconds since 1970, by the kernel where it tells.
    """

    source: Any
    active: bool
    time_ns: int


def wall_ns(monotonic_ns: int) -> int:
    """A time of the kernel's monotonic clock as one of the wall clock, by how long ago it was."""
    return time.time_ns() - (time.monotonic_ns() - monotonic_ns)


def package(factory: str | None) -> str:
    """What to install for a pin factory."""
    return {"lgpio": "lgpio", "rpigpio": "RPi.GPIO"}.get(factory or DEFAULT_FACTORY, "gpiod")


def no_pins(error: Exception) -> str | None:
    """What to do if this error says that there is no pin factory, or no such pin."""
    if isinstance(error, ImportError) or type(error).__name__ == "BadPinFactory":
        factory = os.environ.get(FACTORY)
        wanted = f"on a Pi {to_install(package(factory))}, elsewhere set {FACTORY}=simulated"
        return f"no pin factory {factory!r}: {error}; {wanted}"
    return f"no such pin: {error}" if type(error).__name__.startswith("PinInvalid") else None


class Pins:
    """What one device watches and owns."""

    NOTE = "edge"
    holder = "penates"  # whom the kernel names as the holder of our lines

    def __init__(self, holder: str, loop: Loop, inbox: Inbox, deliver: Callable[[Edge], None]) -> None:
        os.environ.setdefault(FACTORY, DEFAULT_FACTORY)
        Pins.holder = holder
        self._loop, self._inbox, self._deliver = loop, inbox, deliver
        self._watched: dict[int, Any] = {}  # by a number that no other device ever gets
        self._count = 0
        self._owned: list[tuple[Any, float]] = []
        self._thread = threading.get_ident()
        inbox.on(self.NOTE, self._noted)

    def watch(self, device: D) -> D:
        """Deliver every change of this input device; returns it."""
        number = self._count = self._count + 1
        self._watched[number] = device
        device.when_activated = lambda: self._hand_in(number, True)
        device.when_deactivated = lambda: self._hand_in(number, False)
        if hasattr(device.pin, "attach"):
            device.pin.attach(self._loop)
        return device

    def own(self, device: D, safe: float = 0) -> D:
        """Set this output device to `safe` at every end; returns it."""
        self._owned.append((device, safe))
        return device

    @property
    def owns(self) -> bool:
        """Whether there is an output to make safe."""
        return bool(self._owned)

    def _hand_in(self, number: int, active: bool) -> None:
        """Gpiozero calls: from one of our pins, in the loop; or from a thread of its own."""
        own = hasattr(self._watched[number].pin, "attach") and threading.get_ident() == self._thread
        (self._latch if own else self._note)(number, active)

    def _latch(self, number: int, active: bool) -> None:
        """In the loop: one of our pins is delivering, and knows when it was."""
        device = self._watched[number]
        self._deliver(Edge(device, active, wall_ns(device.pin.edge_ns)))

    def _note(self, number: int, active: bool) -> None:
        """In a thread of another factory: latch value and time here, act in the loop."""
        self._inbox.post(self.NOTE, f"{number} {active:d} {time.time_ns()}".encode())

    def _noted(self, body: bytes) -> None:
        number, active, time_ns = map(int, body.split())
        if device := self._watched.get(number):  # else it was let go of meanwhile
            self._deliver(Edge(device, bool(active), time_ns))

    def make_safe(self) -> None:
        """Set every output to its safe value, whatever becomes of the others; then raise what went wrong."""
        with contextlib.ExitStack() as stack:
            for device, safe in self._owned:
                if not device.closed:
                    stack.callback(setattr, device, "value", safe)

    def close(self) -> None:
        """Make safe, then let go of every line. The kernel decides what a line does then: see the pull resistor."""
        with contextlib.ExitStack() as stack:
            stack.callback(self._owned.clear)
            stack.callback(self._watched.clear)
            for device in [*self._watched.values(), *(device for device, _safe in self._owned)]:
                stack.callback(device.close)
            stack.callback(self.make_safe)
