"""What `penates doctor` looks at of the hardware that a device needs, as the user it runs as."""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from bootstrap.config.model import SensorSettings
from bootstrap.errors import to_install
from bootstrap.pins.device_pins import package
from bootstrap.sysfs import missing
from penates.doctor.findings import Finding, bad, good
from penates.doctor.machine import WRITE, Who
from penates.installer.device_needs import NODES, needs

MODULES = {"kernel": "gpiod", "lgpio": "lgpio", "rpigpio": "RPi"}
GLOBS = {"gpio": "gpiochip*", "i2c": "i2c-*", "spi": "spidev*"}
SWITCH_ON = {
    "gpio": "is this a Raspberry Pi? GPIOZERO_PIN_FACTORY=simulated needs no lines",
    "i2c": "sudo raspi-config nonint do_i2c 0, and restart",
    "spi": "sudo raspi-config nonint do_spi 0, and restart",
}


def hardware(settings: SensorSettings, who: Who, root: Path = Path("/")) -> Iterator[Finding]:
    """What this kind needs of the machine, and nothing else."""
    wanted = needs(settings.device).nodes
    for name in (name for name, node in NODES.items() if node in wanted):
        if name == "gpio" and who.factory == "simulated":
            yield good(name, "its lines are simulated")
        else:
            yield _nodes(name, who, root)
            yield from _factory(who) if name == "gpio" else ()
    yield from _one_wire(settings)


def _nodes(name: str, who: Who, root: Path) -> Finding:
    found = sorted((root / "dev").glob(GLOBS[name]))
    if not found:
        return bad(name, f"there is no /dev/{GLOBS[name]}", SWITCH_ON[name])
    opened = [path.name for path in found if who.may(path)]
    if not opened:
        return bad(
            name, f"{who.name} may not open /dev/{found[0].name}", f"sudo usermod -aG {name} {who.name}; restart it"
        )
    if who.nodes is not None and NODES[name] not in who.nodes.split():
        return bad(name, f"its unit may not open {NODES[name]}", "sudo penates install, which makes its unit anew")
    return good(name, f"{who.name} may open {', '.join(opened)}")


def _factory(who: Who) -> Iterator[Finding]:
    """Whether gpiozero's way to the lines can work."""
    module = MODULES.get(who.factory)
    if module and find_spec(module) is None:
        yield bad("pins", f"the pin factory {who.factory} needs {module}", to_install(package(who.factory)))
    if who.factory == "lgpio" and not who.may(who.folder, WRITE):
        advice = "have its unit, or yourself, start it in a folder of its own (WorkingDirectory=)"
        yield bad("pins", f"lgpio makes files where it starts, and {who.name} may not in {who.folder}", advice)


def _one_wire(settings: SensorSettings) -> Iterator[Finding]:
    """A device on that bus has the settings `bus` and `serial`."""
    found = settings.device.settings()
    bus, serial = found.get("bus"), found.get("serial")
    if not (isinstance(bus, Path) and isinstance(serial, str)):
        return
    if not bus.is_dir():
        yield bad("1-Wire", missing(bus), "dtoverlay=w1-gpio in /boot/firmware/config.txt, and restart")
    elif not (bus / serial).is_dir():
        yield bad("1-Wire", missing(bus / serial), f"look at its wires, and at `serial` in {settings.file}")
    else:
        yield good("1-Wire", f"{serial} is on the bus")
