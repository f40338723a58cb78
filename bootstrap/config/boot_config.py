"""The overlays in config.txt, by which a Pi's firmware tells the kernel what is wired to it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

FILES = (Path("/boot/firmware/config.txt"), Path("/boot/config.txt"))
LINE = re.compile(
    r"^\s*(?P<word>dtoverlay|dtparam)\s*=\s*(?P<what>[^#\s][^#\n]*)|^\s*\[(?P<section>[^\]\n]+)\]", re.MULTILINE
)
BUS = re.compile(r"i2c\d|i2c_csi_dsi\d?")
MODEL = Path("/proc/device-tree/model")
ALL, NEVER = "all", "none"  # the sections that apply to each board, and to no board
BOARDS = {  # by the sections of a model, what the kernel calls it (config.txt, "Conditional filters")
    "pi0": "Zero",
    "pi0w": "Zero (W|2)",
    "pi02": "Zero 2",
    "pi1": "Pi (Model|Compute Module Rev)",
    "pi2": "Pi 2 ",
    "pi3": "(Pi|Module) 3",
    "pi3+": "(Pi|Module) 3.* Plus",
    "pi4": "(Pi 4|Pi 400|Module 4)",
    "pi400": "Pi 400",
    "cm0": "Module 0",
    "cm1": "Compute Module Rev",
    "cm3": "Module 3",
    "cm3+": "Module 3 Plus",
    "cm4": "Module 4 ",
    "cm4s": "Module 4S",
    "pi5": "(Pi 5|Pi 500|Module 5)",
    "pi500": "Pi 500",
    "cm5": "Module 5",
}


@dataclass(frozen=True)
class Overlay:
    """An overlay with its parameters; one without a value, such as `bme280`, has an empty one."""

    name: str
    params: Mapping[str, str]

    @classmethod
    def of(cls, text: str) -> "Overlay":
        """Return the overlay of `i2c-sensor,bme280,addr=0x76`."""
        name, *params = re.split(r"[,:]", text.strip())
        return cls(name.strip(), _params(params))

    @property
    def buses(self) -> set[str]:
        """Its parameters that name another bus than the header's, such as `i2c3`."""
        return {name for name in self.params if BUS.fullmatch(name)}

    def does(self, wanted: "Overlay", *, defaults: bool = False) -> bool:
        """Return whether this one does what another one would. With `defaults`, it may lack the values of the other."""
        needed = {name for name, value in wanted.params.items() if not (value and defaults)}
        if self.name != wanted.name or not needed <= self.params.keys() or self.buses != wanted.buses:
            return False
        both = self.params.keys() & wanted.params.keys()
        return all(_number(self.params[name]) == _number(wanted.params[name]) for name in both)


def overlays(files: tuple[Path, ...] = FILES, model: Path = MODEL) -> tuple[Path | None, list[Overlay]]:
    """Return the first of these files that can be read, and its overlays; `dtparam` lines belong to the one before.

    What is for another board than that of the file `model` is left out. What depends on something else, such as a line
    of the header in `[gpio4=1]`, is not.
    """
    for file in files:
        try:
            return file, _found(file.read_text(encoding="utf-8", errors="replace"), _text(model))
        except OSError:
            continue
    return None, []


def is_before_pi_5(model: Path | None = None) -> bool:
    """Return whether this machine is a Pi, and none with the pins of a Pi 5."""
    name = _text(model or MODEL)
    return "Raspberry Pi" in name and not re.search(BOARDS["pi5"], name)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace").strip("\0\n")
    except OSError:
        return ""


def _found(text: str, model: str) -> list[Overlay]:
    found, here = list[Overlay](), True
    for line in LINE.finditer(text):
        if line["section"]:
            here = _applies(line["section"].strip().lower(), model, before=here)
        elif not here:
            continue
        elif line["word"] == "dtoverlay":
            found.append(Overlay.of(line["what"]))
        elif found:
            last = found.pop()
            found.append(Overlay(last.name, {**last.params, **_params(line["what"].split(","))}))
    return found


def _applies(section: str, model: str, *, before: bool) -> bool:
    """Return whether this board may have what follows. A section that is no model's narrows down the one before."""
    if section in {ALL, NEVER}:
        return section == ALL
    if board := BOARDS.get(section):
        return not model or bool(re.search(board, model))
    return before


def _params(texts: list[str]) -> dict[str, str]:
    pairs = (text.strip().partition("=") for text in texts)
    return {name.strip(): value.strip() for name, _, value in pairs}


def _number(text: str) -> int | str:
    """Return a value as the number that it is: 0x76 and 118 are one address."""
    try:
        return int(text, 0)
    except ValueError:
        return text
