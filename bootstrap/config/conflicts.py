"""What the sensors of a house may not need: a thing of the machine or a name of another, or all topics."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from bootstrap.config import boot_config
from bootstrap.config.model import SensorSettings
from bootstrap.config.toml_file import Fault, shown
from bootstrap.contract.topic_filters import sees_all
from bootstrap.device import Device
from bootstrap.gateway import Adopted
from bootstrap.needs import (
    BusAddress,
    DeviceNode,
    GpioLine,
    KernelChip,
    KernelPwm,
    Listened,
    OneWireBus,
    OneWireSerial,
    UsbDevice,
    needs_of,
)
from bootstrap.pins import header_pwm

KERNEL_BUS = Path("/sys/bus/w1/devices")
ONE_WIRE_PIN = 4  # of the overlay w1-gpio, unless config.txt says another
ONE_WIRE_OVERLAYS = ("w1-gpio", "w1-gpio-pullup")
SERIAL, EXAMPLE = re.compile(r"[0-9a-f]{2}-[0-9a-f]{12}"), "28-0316a2795fff"
NAME_ON_BUS = re.compile(r"[0-9a-f]{2}-[\w-]+")

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


def buses(device: Device) -> list[Path]:
    """Return the folders of the 1-Wire buses that a device declares."""
    return [need.folder for _name, need in needs_of(device) if isinstance(need, OneWireBus)]


def probes(device: Device, of_gateway: Iterable[Path] = ()) -> list[tuple[str, Probe]]:
    """Return what a device is on its 1-Wire buses, or on those of its gateway, each with the setting that names it."""
    serials = [(name, need.serial) for name, need in needs_of(device) if isinstance(need, OneWireSerial)]
    return [(name, Probe(folder, serial)) for folder in (*buses(device), *of_gateway) for name, serial in serials]


def refused_needs(device: Device) -> Iterator[tuple[str, str]]:
    """Yield each setting whose need no device of its kind may have, with what it must be instead."""
    for name, probe in probes(device):
        if probe.problem:
            yield name, f"{probe.problem}, not {shown(probe.serial)}"
    for name, need in needs_of(device):
        if isinstance(need, Listened) and not device.sees_all and sees_all(need.filter):
            yield name, f"a filter that names a level: only the user eyes may see everything, not {shown(need.filter)}"
        if isinstance(need, KernelPwm) and (elsewhere := [*filter(_without_pwm, need.lines)]):
            there = ", ".join(f"GPIO{one}" for one in header_pwm.LINES)
            yield name, f'"software" on GPIO{elsewhere[0]}: the Pi\'s own PWM is on {there}'


def conflicts(found: Sequence[SensorSettings], line: LineOf) -> list[Fault]:
    """Return a fault for each sensor that uses or is called what another sensor before it does."""
    own = lambda settings: line(settings, "") if settings.section else 1  # noqa: E731 - the line of a name
    return [
        *_shared(found, line),
        *_same_names(found, own),
        *_same_announcements(found, own),
        *_adopted_twice(found, line),
    ]


class _Thing(NamedTuple):
    """Something of the machine that one device alone can use, or those that share it."""

    setting: str
    thing: str
    known_as: str
    shared_as: str = ""  # devices that call it so may share it


def _shared(found: Sequence[SensorSettings], line: LineOf) -> Iterator[Fault]:
    """Yield a fault for each thing of the machine that another device uses, too."""
    owners = {f"GPIO{pin}": (f"1-Wire bus of {sensor} (w1-gpio)", "") for pin, sensor in _one_wire(found).items()}
    for settings, (name, thing, known_as, shared_as) in _claimed(found):
        if thing not in owners:
            owners[thing] = (f"{name} of {settings.topics.sensor}", shared_as)
        elif not shared_as or owners[thing][1] != shared_as:
            yield Fault(settings.file, line(settings, name), f"{known_as} is already the {owners[thing][0]}")


def claims(found: Sequence[SensorSettings]) -> Mapping[str, str]:
    """Return the sensor, as `group/sensor`, that uses each thing of the machine that one device alone can use.

    A thing is a GPIO line (`GPIO17`), the path of a device node or of a probe's folder, or an address on a bus
    (`118 on /dev/i2c-1`); the paths are those behind all links.
    """
    used = [(claim.thing, settings.topics.client_id) for settings, claim in _claimed(found)]
    return dict(reversed(used))  # the first one has it, as in a conflict


def _claimed(found: Sequence[SensorSettings]) -> Iterator[tuple[SensorSettings, _Thing]]:
    """Yield each sensor with what it alone can use."""
    carried_on = {one.file: buses(one.device) for one in found if not one.section}
    for settings in found:
        of_gateway = carried_on.get(settings.file, []) if settings.section else []
        yield from ((settings, claim) for claim in _things(settings.device, of_gateway))


def _things(device: Device, of_gateway: Iterable[Path]) -> Iterator[_Thing]:
    """Yield what one device alone can use: the setting that names it, which thing it is, and how people call it."""
    needed = needs_of(device)
    for name, need in needed:
        match need:
            case GpioLine(number):
                yield _Thing(name, f"GPIO{number}", f"GPIO{number}")
            case DeviceNode(path, shared=False):
                yield _Thing(name, str(path.resolve()), str(path))
            case UsbDevice(usb):
                yield _Thing(name, f"USB device {usb}", f"the USB device {usb!r}")
            case BusAddress(number):
                for bus in (other.path for _, other in needed if isinstance(other, DeviceNode) and other.shared):
                    yield _on_bus(name, number, bus)
            case KernelChip():
                yield from _held(name, need)
            case KernelPwm(lines):
                yield from (_pwm_channel(name, one) for one in lines if boot_config.is_before_pi_5())
    for name, probe in probes(device, of_gateway):
        yield _Thing(name, str((probe.bus / probe.serial).resolve()), probe.serial)


def _on_bus(name: str, number: int, bus: Path, shared_as: str = "") -> _Thing:
    return _Thing(name, f"{number} on {bus.resolve()}", f"address {number:#04x} on {bus.name}", shared_as)


def _without_pwm(line: int) -> bool:
    return line not in header_pwm.LINES


def _pwm_channel(name: str, line: int) -> _Thing:
    """Return the channel that a line shares with another one, on each Pi but a Pi 5."""
    channel = header_pwm.BEFORE_PI_5.get(line)
    return _Thing(name, f"PWM channel {channel}", f"the PWM channel of GPIO{line}")


def _held(name: str, chip: KernelChip) -> Iterator[_Thing]:
    """Yield what the driver of a chip holds. Several sensors may read one chip, such as each an input of it."""
    shared_as = f"{chip.part} at {chip.place}"
    if chip.address is not None:
        yield _on_bus(name, chip.address, Path(f"/dev/i2c-{chip.bus}"), shared_as)
    elif chip.place.startswith("spi"):
        node = Path(f"/dev/spidev{chip.place.removeprefix('spi')}")
        yield _Thing(name, str(node.resolve()), str(node), shared_as)
    yield from (_Thing(name, f"GPIO{line}", f"GPIO{line}", shared_as) for line in chip.lines)


def _one_wire(found: Sequence[SensorSettings]) -> Mapping[int, str]:
    """Return the line of the kernel's 1-Wire bus, and the first sensor that is on it; nothing if no sensor is."""
    on_it = [one.topics.sensor for one in found if KERNEL_BUS in buses(one.device)]
    return dict.fromkeys(one_wire_pins(), on_it[0]) if on_it else {}


def one_wire_pins() -> list[int]:
    """Return the BCM numbers of the lines on which config.txt has 1-Wire buses; without that file, the usual one."""
    file, found = boot_config.overlays(boot_config.FILES)
    pins = [one.params.get("gpiopin", "") for one in found if one.name in ONE_WIRE_OVERLAYS]
    return [int(pin) if pin.isdecimal() else ONE_WIRE_PIN for pin in pins] if file else [ONE_WIRE_PIN]


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
