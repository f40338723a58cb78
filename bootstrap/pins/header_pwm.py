"""Which channel of the Pi's own PWM is on which line of the header.

The header's block and its overlays: raspberrypi/linux, arch/arm/boot/dts/overlays/README (pwm, pwm-2chan), the drivers
pwm-bcm2835 and pwm-rp1; the files: Documentation/ABI/testing/sysfs-class-pwm. Chips are found by the address of the
block, because their numbers change from kernel to kernel.
"""

import errno
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bootstrap.sysfs import content

PLATFORM = "bus/platform/devices"
LINES = (12, 13, 18, 19)  # of the header, on which there is hardware PWM
BEFORE_PI_5: Mapping[int, int] = {12: 0, 13: 1, 18: 0, 19: 1}  # the channel of each line
PI_5: Mapping[int, int] = {12: 0, 13: 1, 18: 2, 19: 3}
BLOCKS: Mapping[str, Mapping[int, int]] = {  # what the kernel calls the header's block, with its channels
    "2020c000.pwm": BEFORE_PI_5,  # Pi 1 and Zero
    "3f20c000.pwm": BEFORE_PI_5,  # Pi 2, 3 and Zero 2
    "fe20c000.pwm": BEFORE_PI_5,
    "1f00098000.pwm": PI_5,
}
LEGACY = {12: 4, 13: 4, 18: 2, 19: 2}  # what overlays call the function of each line, on a Pi 5, too
DEFAULTS = (18, 19)  # the lines of the overlays unless told
CELL = 4  # bytes of a number in the device tree


@dataclass(frozen=True)
class PwmChannel:
    """A channel of a PWM chip: the chip's folder and the channel's number in it."""

    chip: Path
    number: int

    @property
    def folder(self) -> Path:
        """Where the kernel has its files, once it is exported."""
        return self.chip / f"pwm{self.number}"

    def __str__(self) -> str:
        return f"channel {self.number} of {self.chip.name}"


def find_channel(sysfs: Path, line: int) -> PwmChannel:
    """Return the channel that drives a line.

    Raises:
        OSError: the kernel has no PWM there; the message says what it has.
    """
    for name, channels in BLOCKS.items():
        block = sysfs / PLATFORM / name
        for chip in sorted(block.glob("pwm/pwmchip*")):
            driven = lines_of(block)
            if line in driven:
                return PwmChannel(chip, channels[line])
            others = ", ".join(f"GPIO{one}" for one in driven) or "no line"
            raise FileNotFoundError(errno.ENOENT, f"the kernel has no PWM on GPIO{line}; its PWM drives {others}")
    raise FileNotFoundError(errno.ENOENT, f"the kernel has no PWM on GPIO{line}; its PWM is off")


def lines_of(block: Path) -> list[int]:
    """Return the GPIO lines that a PWM block drives, by the device tree, without which nobody would know."""
    node = (block / "of_node").resolve()
    wanted = {*_cells(node / "pinctrl-0")}
    pins = (file.parent for file in node.parent.glob("gpio@*/*/phandle") if {*_cells(file)} & wanted)
    return sorted({line for folder in pins for line in _lines(folder)})


def _lines(folder: Path) -> Iterator[int]:
    """Yield the lines of a setting of pins: by number in an overlay, by name in a Pi 5's own device tree."""
    yield from _cells(folder / "brcm,pins")
    names = _property(folder / "pins").decode("ascii", "replace").split("\0")
    yield from (int(name.removeprefix("gpio")) for name in names if name.removeprefix("gpio").isdecimal())


def _cells(file: Path) -> list[int]:
    """Return the numbers in a property of the device tree."""
    found = _property(file)
    return [int.from_bytes(found[at : at + CELL], "big") for at in range(0, len(found), CELL)]


def _property(file: Path) -> bytes:
    """Return a property of the device tree; nothing if there is none."""
    try:
        return content(file)
    except OSError:
        return b""


def shared_channel(line: int) -> int | None:
    """Return the other line that has the same channel as this one, on each Pi but a Pi 5."""
    same = (other for other, channel in BEFORE_PI_5.items() if other != line and channel == BEFORE_PI_5.get(line))
    return next(same, None)


def overlay(lines: Iterable[int]) -> str:
    """Return the overlay that drives these lines, at most two: what follows `dtoverlay=`."""
    found = sorted({*lines})
    if (*found,) == DEFAULTS:
        return "pwm-2chan"
    if len(found) == 1:
        return "pwm" if found[0] == DEFAULTS[0] else f"pwm,pin={found[0]},func={LEGACY[found[0]]}"
    first, second = found[:2]
    return f"pwm-2chan,pin={first},func={LEGACY[first]},pin2={second},func2={LEGACY[second]}"
