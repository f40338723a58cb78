"""The GPIO chips of this machine, and who has their lines."""

import os
from collections.abc import Iterable, Iterator

from bootstrap.errors import to_install
from bootstrap.pins.device_pins import FACTORY, package
from bootstrap.pins.line_names import BCM_NUMBERS
from penates.scan.found_device import AdoptionOffer, FoundDevice, NotLookedAt

AREA = "GPIO"
NO_CHIP = "there is no /dev/gpiochip*; GPIOZERO_PIN_FACTORY=simulated needs none"
MOST_USERS = 28  # that are shown; as many as a header has lines
SIMULATED = "the lines are simulated: `penates gpio` drives them"


def gpio_chips() -> Iterator[FoundDevice | NotLookedAt]:
    """Yield each chip, with its lines in use."""
    if os.environ.get(FACTORY) == "simulated":
        yield FoundDevice(AREA, "", SIMULATED)
        return
    try:
        import gpiod  # noqa: PLC0415 - a library of C, which may be missing

        from bootstrap.pins.header import HEADER_LABELS, chips  # noqa: PLC0415
    except ImportError:
        yield NotLookedAt(AREA, "", f"the library is missing: {to_install(package('kernel'))}")
        return
    found = [*chips()]
    if not found:
        yield NotLookedAt(AREA, "", NO_CHIP)
    for path in found:
        try:
            with gpiod.Chip(str(path)) as chip:
                info = chip.get_info()
                lines = map(chip.get_line_info, range(info.num_lines))
                used = [(line.offset, line.consumer) for line in lines if line.used]
                yield chip_with(path.name, info.label, info.num_lines, used, header=info.label in HEADER_LABELS)
        except OSError as error:
            yield NotLookedAt(AREA, path.name, f"{error.strerror}: run it with sudo, or be in the group gpio")


def chip_with(name: str, label: str, count: int, used: Iterable[tuple[int, str]], *, header: bool) -> FoundDevice:
    """Return a chip of so many lines, with who uses which. The lines of the header are offered to devices."""
    taken = {number: consumer or "the kernel" for number, consumer in used}
    shown = [f"{f'GPIO{one}' if header else one}: {user}" for one, user in taken.items()]
    users = ", ".join([*shown[:MOST_USERS], *([f"and {len(shown) - MOST_USERS} more"] if shown[MOST_USERS:] else [])])
    what = f"{label}, {count} lines"
    if not header:
        return FoundDevice(AREA, name, what, note=f"in use: {users}" if users else "no line is in use")
    free = [line for line in BCM_NUMBERS if line not in taken and line > 1]  # 0 and 1 are those of a board's EEPROM
    offers = (AdoptionOffer("door", {"pin": str(free[-1])}),) if free else ()
    note = "; ".join([f"in use: {users}" if users else "no line is in use", "nothing tells what is wired to a line"])
    return FoundDevice(AREA, name, f"{what}; the header of a Pi", offers, note=note, present=False)
