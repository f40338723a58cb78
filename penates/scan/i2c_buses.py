"""The I2C buses of this machine, and the chips on them."""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from bootstrap.kernel_sensors.kernel_device import ON_I2C
from bootstrap.pins.device_pins import FACTORY
from bootstrap.pins.simulated_lines import lines_folder
from penates.scan.found_device import FoundDevice, NotLookedAt, on_bus, text_of
from penates.scan.i2c_probe import answering
from penates.scan.kernel_chips import i2c_thing
from penates.scan.part_offers import at_address

AREA = "I2C"
BUS = re.compile(r"i2c-(\d+)")
# Adapters that people wire sensors to. Others belong to a monitor (that at 7e805000 on a Pi before the 4), a camera
# (the second channel of the Pi's own switch) or the mainboard, where some chips are not to be disturbed.
FOR_SENSORS = re.compile(
    r"bcm2835 (?!\(i2c@7e805000)|bcm2708|i2c-gpio|Synopsys DesignWare|SMBus stub"
    r"|i2c-\d-mux|i2c-\d+-mux \(chan_id 0\)|ch341|MCP2221|i2c-tiny"
)
NOT_FOR_SENSORS = "it belongs to a monitor, a camera or the mainboard; to ask there, too: --bus {}"
NO_BUS = "there is no I2C bus; on a Pi: sudo raspi-config nonint do_i2c 0, then restart"
NO_NODE = "there is no {}: sudo modprobe i2c-dev"
STUCK = "nothing is answered in time: is SDA or SCL held low, or without a pull-up?"
MAY_NOT = "no permission for {}: run it with sudo, or be in the group i2c"
CHIP_IN_SIMULATION = re.compile(r"0x[0-7][0-9a-f]")


def i2c_chips(root: Path, wanted: Sequence[int]) -> Iterator[FoundDevice | NotLookedAt]:
    """Yield who answers on each bus, and what of them a driver has. Of the buses `wanted` all are asked."""
    if os.environ.get(FACTORY) == "simulated":
        yield from _simulated(lines_folder())
        return
    folder = root / "sys/bus/i2c/devices"
    names = [one.name for one in folder.iterdir()] if folder.is_dir() else []
    numbers = sorted(int(found[1]) for found in map(BUS.fullmatch, names) if found)
    if not numbers:
        yield NotLookedAt(AREA, "", NO_BUS)
    for number in numbers:
        asked = [*_asked(root, number, always=number in wanted)]
        answered = {one.thing for one in asked if isinstance(one, FoundDevice)}
        yield from (one for one in _held(folder, names, number) if one.thing not in answered)
        yield from asked


def _held(folder: Path, names: list[str], bus: int) -> Iterator[FoundDevice]:
    """Yield the chips that the kernel knows on a bus, and that offer nothing by which they are listed elsewhere."""
    for chip in sorted(name for name in names if name.startswith(f"{bus}-") and ON_I2C.fullmatch(name)):
        address = int(chip.partition("-")[2], 16)
        own, driver = folder / chip, folder / chip / "driver"
        if any(own.glob("iio:device*")) or any(own.glob("hwmon/hwmon*")):
            continue
        of = f"its driver is {driver.resolve().name}" if driver.exists() else "the kernel has no driver for it"
        what = text_of(own / "name") or "a chip"
        yield FoundDevice(AREA, on_bus(address, bus), what, note=of, thing=i2c_thing(address, bus))


def _asked(root: Path, bus: int, *, always: bool) -> Iterator[FoundDevice | NotLookedAt]:
    """Yield who answers on a bus, or why nobody was asked."""
    adapter, node = text_of(root / f"sys/bus/i2c/devices/i2c-{bus}/name"), Path(f"/dev/i2c-{bus}")
    place = f"i2c-{bus} ({adapter})" if adapter else f"i2c-{bus}"
    try:
        if not (always or FOR_SENSORS.search(adapter)):
            yield NotLookedAt(AREA, place, NOT_FOR_SENSORS.format(bus))
        else:
            yield from (_answering(address, bus) for address in answering(root / node.relative_to("/")))
    except FileNotFoundError:
        yield NotLookedAt(AREA, place, NO_NODE.format(node))
    except PermissionError:
        yield NotLookedAt(AREA, place, MAY_NOT.format(node))
    except TimeoutError:
        yield NotLookedAt(AREA, place, STUCK)
    except OSError as error:
        yield NotLookedAt(AREA, place, error.strerror or str(error))


def _simulated(folder: Path) -> Iterator[FoundDevice]:
    """Yield the chips on the simulated buses, which are files."""
    for one in sorted(folder.glob("i2c-*/0x*")):
        bus = BUS.fullmatch(one.parent.name)
        if bus and CHIP_IN_SIMULATION.fullmatch(one.name):
            yield _answering(int(one.name, 16), int(bus[1]))


def _answering(address: int, bus: int) -> FoundDevice:
    """Return a chip that answers, with all that it may be."""
    offers = (*at_address(address, bus),)
    parts = [*dict.fromkeys(one.part for one in offers)]
    what = f"answers; it may be {' or '.join(parts)}" if parts else "answers; no kind knows a part at this address"
    return FoundDevice(AREA, on_bus(address, bus), what, offers, thing=i2c_thing(address, bus))
