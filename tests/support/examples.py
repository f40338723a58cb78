"""The examples of a page, and an environment in which a reader would type them."""

import os
import re
import sys
from pathlib import Path

from bootstrap.config.loader import check
from bootstrap.config.model import SensorSettings
from penates.datasheet import sheet
from support.paths import ROOT


def blocks(page: str, language: str) -> list[str]:
    """Return the blocks of code in a page."""
    return re.findall(rf"^```{language}\n(.*?)^```$", (ROOT / page).read_text(), re.MULTILINE | re.DOTALL)


def example_of(kind: str, folder: Path) -> SensorSettings:
    """Return the settings of a device that has the examples in the comments of its kind, in a house of its own."""
    house = folder / f"house-of-{kind}"
    (house / "devices").mkdir(parents=True)
    (house / "house.toml").write_text('group = "cm"\n')
    found = sheet(kind, None)
    file = house / "devices" / f"{'recorder' if kind == 'recorder' else 'it'}.toml"
    file.write_text(found.write(found.examples(), "cm", file.stem))
    (settings,) = check(house)
    return settings


def programs(folder: Path, root: Path = ROOT) -> None:
    """Put `penates` and `python` of this Python into a folder, as they are in a virtual environment."""
    folder.mkdir(parents=True)
    for name, words in (("python", ""), ("penates", "-m penates")):
        file = folder / name
        file.write_text(f'#!/bin/sh\nPYTHONPATH="{root}" exec "{sys.executable}" {words} "$@"\n')
        file.chmod(0o755)


def reader(home: Path, bin_folder: Path) -> dict[str, str]:
    """Return the environment of somebody who reads the page at this home."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("XDG", "GPIOZERO", "PENATES"))}
    return {**kept, "HOME": str(home), "PATH": f"{bin_folder}:{os.environ['PATH']}", "PYTHONWARNINGS": "error"}
