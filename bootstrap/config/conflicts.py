"""Conflicts between the sensors of a house: two that use one thing of the machine, or that have one name."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from bootstrap.config.model import SensorSettings
from bootstrap.config.toml_file import Fault
from bootstrap.device import Device
from bootstrap.gateway import Adopted

KERNEL_BUS = Path("/sys/bus/w1/devices")
ONE_WIRE_PIN = 4  # of the overlay w1-gpio, unless config.txt says another
BOOT_CONFIGS = (Path("/boot/firmware/config.txt"), Path("/boot/config.txt"))
OVERLAY = re.compile(r"^\s*dtoverlay\s*=\s*w1-gpio(?:-pullup)?\b(?P<options>[^#\n]*)", re.MULTILINE)
SERIAL, EXAMPLE = re.compile(r"[0-9a-f]{2}-[0-9a-f]{12}"), "28-0316a2795fff"
NAME_ON_BUS = re.compile(r"[0-9a-f]{2}-[\w-]+")
GPIO_PIN = re.compile(r"\bgpiopin=(\d+)")

LineOf = Callable[[SensorSettings, str], int]  # the line of a setting in a sensor's file


class Probe(NamedTuple):
    """A device on a 1-Wire bus: the folder where the kernel lists the bus, and the device's own folder in it."""

    bus: Path
    serial: str

    @property
    def problem(self) -> str:
        """What the serial must be, if it cannot be one; in a folder other than the kernel's, its end may be a word."""
        if self.bus == KERNEL_BUS and not SERIAL.fullmatch(self.serial):
            return f"2 and 12 hexadecimal digits in lower case, such as {EXAMPLE} (ls {KERNEL_BUS})"
        return "" if NAME_ON_BUS.fullmatch(self.serial) else f"the name of a folder in bus, such as {EXAMPLE}"


def gpio_lines(device: Device) -> dict[str, int]:
    """Return the BCM numbers of the lines a device uses: its settings `pin` and those that end in `_pin`."""
    return {
        name: value
        for name, value in device.settings().items()
        if isinstance(value, int) and (name == "pin" or name.endswith("_pin"))
    }


def probe(device: Device) -> Probe | None:
    """Return what a device with the settings `bus` and `serial` is on a 1-Wire bus; None for any other device."""
    found = device.settings()
    bus, serial = found.get("bus"), found.get("serial")
    return Probe(bus, serial) if isinstance(bus, Path) and isinstance(serial, str) else None


def conflicts(found: Sequence[SensorSettings], line: LineOf) -> list[Fault]:
    """Return a fault for each sensor that uses or is called what another sensor before it does."""
    own = lambda settings: line(settings, "") if settings.section else 1  # noqa: E731 - the line of a name
    return [
        *_shared(found, line),
        *_same_names(found, own),
        *_same_announcements(found, own),
        *_adopted_twice(found, line),
    ]


def _shared(found: Sequence[SensorSettings], line: LineOf) -> Iterator[Fault]:
    """Yield a fault for each thing of the machine that another device uses, too."""
    owners: dict[object, str] = {pin: f"1-Wire bus of {sensor} (w1-gpio)" for pin, sensor in _one_wire(found).items()}
    for settings in found:
        for name, thing in _things(settings.device).items():
            owner = f"{name} of {settings.topics.sensor}"
            if owners.setdefault(thing, owner) != owner:
                shown = f"GPIO{thing}" if isinstance(thing, int) else thing.name
                yield Fault(settings.file, line(settings, name), f"{shown} is already the {owners[thing]}")


def _things(device: Device) -> Mapping[str, int | Path]:
    """Return what each setting names of the machine that one device alone can use: a GPIO line, or a probe's folder."""
    found = probe(device)
    return {**gpio_lines(device), **({"serial": (found.bus / found.serial).resolve()} if found else {})}


def _one_wire(found: Sequence[SensorSettings]) -> Mapping[int, str]:
    """Return the line of the kernel's 1-Wire bus, and the first sensor that is on it; nothing if no sensor is."""
    on_it = [one.topics.sensor for one in found if (at := probe(one.device)) and at.bus == KERNEL_BUS]
    return dict.fromkeys(one_wire_pins(), on_it[0]) if on_it else {}


def one_wire_pins() -> list[int]:
    """Return the BCM numbers of the lines on which config.txt has 1-Wire buses; without that file, the usual one."""
    for file in BOOT_CONFIGS:
        try:
            text = file.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        options = [overlay["options"] for overlay in OVERLAY.finditer(text)]
        return [int(pin[1]) if (pin := GPIO_PIN.search(one)) else ONE_WIRE_PIN for one in options]
    return [ONE_WIRE_PIN]


def _place(settings: SensorSettings) -> str:
    """Return where a sensor is defined, for people: its file, or its section of a gateway's file."""
    return f"[{settings.section}] of {settings.file}" if settings.section else settings.file


def _same_names(found: Sequence[SensorSettings], line: Callable[[SensorSettings], int]) -> Iterator[Fault]:
    """Yield a fault for each sensor whose id another sensor has, too."""
    owners: dict[str, str] = {}
    for settings in found:
        owner = owners.setdefault(settings.topics.client_id, _place(settings))
        if owner != _place(settings):
            taken = f"{settings.topics.client_id} is already defined in {owner}"
            other = "rename the section" if settings.section else "set another sensor = …"
            yield Fault(settings.file, line(settings), f"{taken}; {other}")


def _same_announcements(found: Sequence[SensorSettings], line: Callable[[SensorSettings], int]) -> Iterator[Fault]:
    """Yield a fault for each sensor that Home Assistant cannot tell from another, such as `x/b-a` from `x-b/a`."""
    owners: dict[str, SensorSettings] = {}
    for settings in found:
        owner = owners.setdefault(settings.homeassistant.topic(settings.topics), settings)
        if settings.homeassistant.enabled and owner.topics != settings.topics:
            both = f"{settings.topics.client_id} and {owner.topics.client_id} of {owner.file}"
            other = "rename the section" if settings.section else "set another sensor = …"
            yield Fault(settings.file, line(settings), f"{both} are the same to Home Assistant; {other}")


def _adopted_twice(found: Sequence[SensorSettings], line: LineOf) -> Iterator[Fault]:
    """Yield a fault for each sensor that another gateway of the same kind has adopted, too."""
    owners: dict[tuple[object, ...], SensorSettings] = {}
    for settings in found:
        if isinstance(device := settings.device, Adopted):
            owner = owners.setdefault((settings.kind, *device.key.items()), settings)
            if owner.file != settings.file:
                key = ", ".join(f"{name} {value!r}" for name, value in device.key.items())
                text = f"{key} is already adopted as {owner.topics.client_id} in {owner.file}"
                yield Fault(settings.file, max(line(settings, name) for name in device.key), text)
