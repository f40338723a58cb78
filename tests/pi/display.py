r"""Displays on a simulated I2C bus of the kernel, which records all that is written: run on the virtual Pi, as root.

    sudo tests/pi/display

Reads from the recording what is on the glass, before and after a value has changed, and the display was unplugged.
Prints a row for each promise, and ends with 1 if one is not kept.
"""

import errno
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from bootstrap.display.bus_port import KernelBus
from bootstrap.display.character_panel import CharacterPanel
from bootstrap.display.graphic_panel import GraphicPanel
from bootstrap.display.panel import Panel
from bootstrap.display.picture import text_dots
from pi.chip_bus import STUB
from pi.machine import failures, verdict
from support.displays import Hd44780, Oled

CHARACTERS, DOTS = 0x27, 0x3C
BUS = Path("/dev/i2c-1")
TRACING = Path("/sys/kernel/tracing")
WRITTEN = re.compile(r"i2c_write: i2c-1 #\d+ a=([0-9a-f]+) f=\w+ l=(\d+) \[([0-9a-f-]*)\]")
BEFORE, AFTER = ["Küche 21.5°C", "Ärger 3 € é"], ["Küche 21.6°C", "Ärger 3 € é"]


def recorded(address: int) -> list[bytes]:
    """Return what the kernel has recorded of the messages to a chip, and forget all of it."""
    found = WRITTEN.findall((TRACING / "trace").read_text())
    (TRACING / "trace").write_text("\n")
    messages = [bytes.fromhex(data.replace("-", "")) for to, _length, data in found if int(to, 16) == address]
    lengths = [int(length) for to, length, _data in found if int(to, 16) == address]
    verdict("the kernel has recorded whole messages", [len(one) for one in messages], lengths)
    return messages


def show(panel: Panel, lines: Sequence[str]) -> None:
    with KernelBus(BUS) as port:
        panel.show(port, panel.fitted(lines), lit=True, anew=False)


def unplugged(panel: Panel) -> int | None:
    """Return with which error a display that is unplugged is missed."""
    (STUB / "absent").write_text("3")
    try:
        show(panel, ["unplugged"])
    except OSError as error:
        return error.errno
    finally:
        (STUB / "absent").write_text("0")
    return None


def characters() -> None:
    panel, glass = CharacterPanel(CHARACTERS, 16, 2, "A00"), Hd44780(16, 2)
    show(panel, BEFORE)
    verdict("characters are on the glass", glass.take(recorded(CHARACTERS)).lines, BEFORE)
    show(panel, AFTER)
    glass.characters = 0
    verdict("a changed digit is on the glass", glass.take(recorded(CHARACTERS)).lines, AFTER)
    verdict("one character was written for it", glass.characters, 1)
    verdict("an absent display of characters is missed", unplugged(panel), errno.EREMOTEIO)
    recorded(CHARACTERS)
    show(panel, BEFORE)
    glass = Hd44780(16, 2).take(recorded(CHARACTERS))
    verdict("plugged in again it has all characters", (glass.lines, glass.lit), (BEFORE, True))


def dots(chip: str, columns: int) -> None:
    panel, glass = GraphicPanel(chip, DOTS, 128, 64, 1), Oled(columns=columns)
    for lines in (BEFORE, AFTER):
        show(panel, lines)
        glass.take(recorded(DOTS))
        verdict(f"{chip}: the text's dots are on the glass", glass.dots == text_dots(lines, 128, 64))
    verdict(f"{chip}: it is on, with its own supply", (glass.on, glass.charged), (True, True))
    verdict(f"{chip}: an absent one is missed", unplugged(panel), errno.EREMOTEIO)
    recorded(DOTS)
    show(panel, AFTER)
    verdict(f"{chip}: plugged in again it has all dots", Oled(columns=columns).take(recorded(DOTS)).dots == glass.dots)


def main() -> int:
    """Show texts on all displays."""
    subprocess.run(["modprobe", "-r", "i2c-stub"], check=True)
    subprocess.run(["modprobe", "i2c-stub", f"chip_addr={CHARACTERS},{DOTS}", "byte_regs=1,1"], check=True)
    if not (TRACING / "trace").exists():
        subprocess.run(["mount", "-t", "tracefs", "none", TRACING], check=True)
    (TRACING / "buffer_size_kb").write_text("4096")
    (TRACING / "events/i2c/i2c_write/enable").write_text("1")
    recorded(0)
    characters()
    dots("ssd1306", 128)
    dots("sh1106", 132)
    (TRACING / "events/i2c/i2c_write/enable").write_text("0")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
