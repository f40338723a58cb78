"""The overlays in config.txt, by which a Pi's firmware tells the kernel what is wired to it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

FILES = (Path("/boot/firmware/config.txt"), Path("/boot/config.txt"))
LINE = re.compile(
    r"^\s*(?P<word>dtoverlay|dtparam)\s*=\s*(?P<what>[^#\s][^#\n]*)|^\s*\[(?P<section>\w+)\]", re.MULTILINE
)
NEVER = "none"  # the section that applies to no board


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

    def does(self, wanted: "Overlay", *, defaults: bool = False) -> bool:
        """Return whether this one does what another one would. With `defaults`, it may lack the values of the other."""
        needed = {name for name, value in wanted.params.items() if not (value and defaults)}
        if self.name != wanted.name or not needed <= self.params.keys():
            return False
        both = self.params.keys() & wanted.params.keys()
        return all(_number(self.params[name]) == _number(wanted.params[name]) for name in both)


def overlays(files: tuple[Path, ...] = FILES) -> tuple[Path | None, list[Overlay]]:
    """Return the first of these files that can be read, and its overlays; `dtparam` lines belong to the one before."""
    for file in files:
        try:
            return file, _found(file.read_text(encoding="utf-8", errors="replace"))
        except OSError:
            continue
    return None, []


def _found(text: str) -> list[Overlay]:
    found, section = list[Overlay](), ""
    for line in LINE.finditer(text):
        if line["section"]:
            section = line["section"]
        elif section == NEVER:
            continue
        elif line["word"] == "dtoverlay":
            found.append(Overlay.of(line["what"]))
        elif found:
            last = found.pop()
            found.append(Overlay(last.name, {**last.params, **_params(line["what"].split(","))}))
    return found


def _params(texts: list[str]) -> dict[str, str]:
    pairs = (text.strip().partition("=") for text in texts)
    return {name.strip(): value.strip() for name, _, value in pairs}


def _number(text: str) -> int | str:
    """Return a value as the number that it is: 0x76 and 118 are one address."""
    try:
        return int(text, 0)
    except ValueError:
        return text
