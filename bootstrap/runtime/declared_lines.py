"""Whether the GPIO lines that a device uses are those that its settings declare."""

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from bootstrap.device import Device
from bootstrap.errors import Exit, Fatal
from bootstrap.needs import GpioLine, needs_of
from bootstrap.pins.device_pins import DevicePins

D = TypeVar("D", bound=Any)  # a gpiozero device


class DeclaredLines:
    """Watches and owns lines for one device, if it declares them; what it does not, its unit may not open either."""

    def __init__(self, device: Device, pins: DevicePins) -> None:
        self._device, self._pins = device, pins
        self._watches = False
        self.driven: set[int] = set()  # the lines that it owns

    @property
    def unwatched(self) -> bool:
        """Whether the device has `on_edge`, and lines of no use to it: perhaps its setup lacks super().setup()."""
        hears_edges = type(self._device).on_edge is not Device.on_edge
        return hears_edges and not self._watches and any(line.number not in self.driven for _, line in self._declared())

    def watch(self, device: D) -> D:
        """Implement `Device.watch`."""
        for number in _lines(device):
            require_line(self._device, number)
        self._watches = True
        return self._pins.watch(device)

    def own(self, device: D, safe: float = 0) -> D:
        """Implement `Device.own`."""
        for number in _lines(device):
            found = [(name, line.driven) for name, line in self._declared() if line.number == number]
            if not any(driven for _name, driven in found):
                by = f"{found[0][0]!r} declares it as an Input" if found else "no setting declares it"
                raise _refusal(self._device, f"GPIO{number} is driven, but {by}", "Output or Pin")
            self.driven.add(number)
        return self._pins.own(device, safe)

    def _declared(self) -> list[tuple[str, GpioLine]]:
        """Return the lines of the settings that declare some."""
        return _declared(self._device)


def require_line(device: Device, number: int) -> None:
    """Do nothing if a setting of the device declares this line.

    Raises:
        Fatal: none does, which is an error in the kind (78).
    """
    if number not in {line.number for _name, line in _declared(device)}:
        raise _refusal(device, f"GPIO{number} is watched, but no setting declares it", "Input or Pin")


def _declared(device: Device) -> list[tuple[str, GpioLine]]:
    return [(name, need) for name, need in needs_of(device) if isinstance(need, GpioLine)]


def _refusal(device: Device, what: str, types: str) -> Fatal:
    """Return what ends a process that uses a line otherwise than declared."""
    return Fatal(Exit.SETTINGS, f"{what}: in {type(device).__name__} the type of its setting must be {types}")


def _lines(device: object) -> Iterator[int]:
    """Yield the BCM numbers of the lines of a gpiozero device, which may be made of several."""
    info = getattr(getattr(device, "pin", None), "info", None)
    if info is not None:
        yield int(info.name.removeprefix("GPIO"))
    for part in device if isinstance(device, Iterable) else ():
        yield from _lines(part)
