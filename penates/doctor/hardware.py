"""What `penates doctor` checks of the hardware that a device needs, as the user that the sensor runs as."""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from bootstrap.config.conflicts import probes
from bootstrap.config.model import SensorSettings
from bootstrap.errors import to_install
from bootstrap.kernel_sensors.kernel_device import SYSFS, find
from bootstrap.needs import (
    ChildProgram,
    DeviceNode,
    GpioLine,
    IcmpEcho,
    KernelChip,
    KernelFolder,
    KernelPwm,
    Need,
    OneWireBus,
    UsbDevice,
    needs_of,
)
from bootstrap.one_wire.bus_master import BULK_FILE, MASTERS
from bootstrap.pins.device_pins import package
from bootstrap.pins.header_pwm import find_channel
from bootstrap.sysfs import missing
from penates.doctor.findings import Finding, bad, good
from penates.doctor.machine import WRITE, SensorUser
from penates.doctor.usb import usb
from penates.drivers import advice, pwm_advice
from penates.installer.device_needs import GPIO, SERIAL_GROUP, access
from penates.installer.host_setup import may_echo
from penates.installer.steps import program

MODULES = {"kernel": "gpiod", "lgpio": "lgpio", "rpigpio": "RPi"}
CHIPS = "gpiochip*"
NO_CHIP = "is this a Raspberry Pi? GPIOZERO_PIN_FACTORY=simulated needs no lines"
HOW_TO_ENABLE = {  # by the group of the nodes
    "i2c": "sudo raspi-config nonint do_i2c 0, then restart",
    "spi": "sudo raspi-config nonint do_spi 0, then restart",
    SERIAL_GROUP: "is it plugged in? ls -l /dev/serial/by-id; for the header: sudo raspi-config nonint do_serial_hw 0",
}


def hardware(settings: SensorSettings, user: SensorUser, root: Path = Path("/")) -> Iterator[Finding]:
    """Check what this device needs of the machine, and nothing else."""
    needed = needs_of(settings.device)
    if any(isinstance(need, GpioLine) for _name, need in needed):
        yield from _lines(user, root)
    for name, need in needed:
        match need:
            case DeviceNode(path):
                yield _node(path, user, root)
            case UsbDevice():
                yield from usb(need, user, root)
            case IcmpEcho():
                yield _echo(user, root)
            case ChildProgram():
                yield _program(need, f"set `{name}` in {settings.file} to its full path, or install it")
    yield from _one_wire(settings, user, root)
    yield from _drivers(needed, root)
    yield from _pwm(needed, user, root)


def _lines(user: SensorUser, root: Path) -> Iterator[Finding]:
    """Check whether the header's lines can be used."""
    chips = sorted((root / "dev").glob(CHIPS))
    if user.factory == "simulated":
        yield good("gpio", "its lines are simulated")
        return
    if chips:
        yield _opened("gpio", [*filter(user.may, chips)] or chips[:1], "gpio", (GPIO,), user)
    else:
        yield bad("gpio", f"there is no /dev/{CHIPS}", NO_CHIP)
    yield from _factory(user)


def _node(path: Path, user: SensorUser, root: Path) -> Finding:
    """Check one device node."""
    place = root / path.relative_to("/")
    found = access(place if place.exists() else path)
    if not place.exists():
        return bad(path.name, f"there is no {path}", HOW_TO_ENABLE.get(found.group, "is it plugged in?"))
    return _opened(path.name, [place], found.group, found.allowed, user)


def _opened(check: str, found: list[Path], group: str, allowed: tuple[str, ...], user: SensorUser) -> Finding:
    """Check whether its user and its unit may open these nodes."""
    if not user.may(found[0]):
        join = f"sudo usermod -aG {group} {user.name}; restart it" if group else f"ls -l /dev/{found[0].name}"
        return bad(check, f"{user.name} may not open /dev/{found[0].name}", join)
    if user.nodes is not None and not {*allowed} & {*user.nodes.split()}:
        advice = "sudo penates install, which rewrites its unit"
        return bad(check, f"its unit may not open {' or '.join(allowed)}", advice)
    return good(check, f"{user.name} may open {', '.join(one.name for one in found)}")


def _echo(user: SensorUser, root: Path) -> Finding:
    """Check whether its user may ask hosts by ICMP."""
    if may_echo(user.groups, root):
        return good("ping", f"{user.name} may ask hosts by ICMP")
    return bad("ping", f"{user.name} may not ask hosts by ICMP", "sudo penates install, which allows it")


def _program(need: ChildProgram, advice: str) -> Finding:
    """Check whether a program that the device runs is there."""
    if where := program(need.name):
        return good("program", f"{need.name} is {where}")
    advice = f"sudo apt install {need.package}" if need.package else advice
    return bad("program", f"there is no program {need.name}", advice)


def _factory(user: SensorUser) -> Iterator[Finding]:
    """Check whether gpiozero's pin factory can work."""
    module = MODULES.get(user.factory)
    if module and find_spec(module) is None:
        yield bad("pins", f"the pin factory {user.factory} needs {module}", to_install(package(user.factory)))
    if user.factory in ("lgpio", "rpigpio") and not user.may(user.folder, WRITE):
        advice = "start it, or have its unit start it (WorkingDirectory=), in a folder of its own"
        yield bad(
            "pins",
            f"{package(user.factory)} creates files in its working folder; {user.name} may not in {user.folder}",
            advice,
        )


def _one_wire(settings: SensorSettings, user: SensorUser, root: Path) -> Iterator[Finding]:
    """Check the 1-Wire buses of a device, and what it and the sensors that it carries are on them."""
    for need in (need for _name, need in needs_of(settings.device) if isinstance(need, OneWireBus)):
        carried = [(one, [] if one is settings else [need.folder]) for one in settings.all_carried]
        found = [at for one, of_gateway in carried for at in probes(one.device, of_gateway)]
        if not need.folder.is_dir():
            yield from [bad("1-Wire", missing(need.folder), advice(need, root))] if found or need.bulk else []
            continue
        yield from (_probe(name, bus / serial, settings) for name, (bus, serial) in found)
        if need.bulk:
            yield from _bulk(need.folder, user)


def _probe(name: str, folder: Path, settings: SensorSettings) -> Finding:
    if not folder.is_dir():
        return bad("1-Wire", missing(folder), f"check its wiring, and `{name}` in {settings.file}")
    return good("1-Wire", f"{folder.name} is on the bus")


def _bulk(bus: Path, user: SensorUser) -> Iterator[Finding]:
    """Check whether all thermometers on a bus can be told to convert at once."""
    for file in sorted(bus.glob(f"{MASTERS}/{BULK_FILE}")):
        if user.may(file, 0o2):
            yield good("1-Wire", f"{user.name} may have all probes of {file.parent.name} convert at once")
        else:
            slow = f"{user.name} may not write {file}: each probe is converted by itself, 0.8 s each"
            yield bad("1-Wire", slow, "restart its unit; sudo penates install, which rewrites it")


def _drivers(needed: list[tuple[str, Need]], root: Path) -> Iterator[Finding]:
    """Check whether the kernel offers the chips that a device reads."""
    folders = [need.folder for _name, need in needed if isinstance(need, KernelFolder)]
    for chip in (need for _name, need in needed if isinstance(need, KernelChip)):
        for folder in folders:
            yield _driver(chip, _below(root, folder), root)


def _pwm(needed: list[tuple[str, Need]], user: SensorUser, root: Path) -> Iterator[Finding]:
    """Check whether the kernel has its PWM on the lines of a device, and whether its user may set it."""
    folders = [need.folder for _name, need in needed if isinstance(need, KernelFolder)]
    for line in (line for _name, need in needed if isinstance(need, KernelPwm) for line in need.lines):
        for folder in folders or [SYSFS]:
            yield _channel(line, _below(root, folder), user, root)


def _channel(line: int, sysfs: Path, user: SensorUser, root: Path) -> Finding:
    try:
        channel = find_channel(sysfs, line)
    except OSError as error:
        return bad("pwm", str(error.strerror or error), pwm_advice(line, root))
    file = channel.folder / "duty_cycle" if channel.folder.exists() else channel.chip / "export"
    if not user.may(file, 0o2):
        return bad("pwm", f"{user.name} may not write {file}", "sudo penates install, and restart its unit")
    return good("pwm", f"GPIO{line} is {channel}, which {user.name} may set")


def _below(root: Path, folder: Path) -> Path:
    """Return the folder of the kernel's files as the machine has it whose files are below `root`."""
    return folder if folder != SYSFS else root / SYSFS.relative_to("/")


def _driver(chip: KernelChip, sysfs: Path, root: Path) -> Finding:
    """Check whether the kernel offers one chip."""
    try:
        found = find(sysfs, chip.names, chip.place, chip.part)
    except OSError as error:
        return bad("driver", f"{chip.part}: {error.strerror or error}", advice(chip, root))
    return good("driver", f"{chip.part} is {found.folder}")
