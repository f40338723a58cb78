"""What `penates doctor` checks of the hardware that a device needs, as the user that the sensor runs as."""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from bootstrap.config.conflicts import probe
from bootstrap.config.model import SensorSettings
from bootstrap.errors import to_install
from bootstrap.pins.device_pins import package
from bootstrap.sysfs import missing
from penates.doctor.findings import Finding, bad, good
from penates.doctor.machine import WRITE, SensorUser
from penates.installer.device_needs import NODES, needs

MODULES = {"kernel": "gpiod", "lgpio": "lgpio", "rpigpio": "RPi"}
GLOBS = {"gpio": "gpiochip*", "i2c": "i2c-*", "spi": "spidev*"}
HOW_TO_ENABLE = {
    "gpio": "is this a Raspberry Pi? GPIOZERO_PIN_FACTORY=simulated needs no lines",
    "i2c": "sudo raspi-config nonint do_i2c 0, then restart",
    "spi": "sudo raspi-config nonint do_spi 0, then restart",
}


def hardware(settings: SensorSettings, user: SensorUser, root: Path = Path("/")) -> Iterator[Finding]:
    """Check what this kind of device needs of the machine, and nothing else."""
    wanted = needs(settings.device).nodes
    for name in (name for name, node in NODES.items() if node in wanted):
        if name == "gpio" and user.factory == "simulated":
            yield good(name, "its lines are simulated")
        else:
            yield _nodes(name, user, root)
            yield from _factory(user) if name == "gpio" else ()
    yield from _one_wire(settings)


def _nodes(name: str, user: SensorUser, root: Path) -> Finding:
    found = sorted((root / "dev").glob(GLOBS[name]))
    if not found:
        return bad(name, f"there is no /dev/{GLOBS[name]}", HOW_TO_ENABLE[name])
    allowed = [path.name for path in found if user.may(path)]
    if not allowed:
        return bad(
            name, f"{user.name} may not open /dev/{found[0].name}", f"sudo usermod -aG {name} {user.name}; restart it"
        )
    if user.nodes is not None and NODES[name] not in user.nodes.split():
        return bad(name, f"its unit may not open {NODES[name]}", "sudo penates install, which rewrites its unit")
    return good(name, f"{user.name} may open {', '.join(allowed)}")


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


def _one_wire(settings: SensorSettings) -> Iterator[Finding]:
    """Check the 1-Wire bus of a device that has the settings `bus` and `serial`."""
    found = probe(settings.device)
    if found is None:
        return
    bus, serial = found
    if not bus.is_dir():
        yield bad("1-Wire", missing(bus), "dtoverlay=w1-gpio in /boot/firmware/config.txt, then restart")
    elif not (bus / serial).is_dir():
        yield bad("1-Wire", missing(bus / serial), f"check its wiring, and `serial` in {settings.file}")
    else:
        yield good("1-Wire", f"{serial} is on the bus")
