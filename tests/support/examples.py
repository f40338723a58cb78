"""The examples of a page, and an environment in which a reader would type them."""

import os
import re
import sys
from pathlib import Path

from support.paths import ROOT


def blocks(page: str, language: str) -> list[str]:
    """Return the blocks of code in a page."""
    return re.findall(rf"^```{language}\n(.*?)^```$", (ROOT / page).read_text(), re.MULTILINE | re.DOTALL)


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
