"""The examples of a page, and an environment in which a reader would type them."""

import os
import re
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from bootstrap.config.loader import check
from bootstrap.config.model import SensorSettings
from penates.datasheet import sheet
from support.paths import ROOT
from support.world import PATIENCE_S, Running

FENCED = re.MULTILINE | re.DOTALL


def blocks(page: str, language: str) -> list[str]:
    """Return the blocks of code in a page."""
    return re.findall(rf"^```{language}\n(.*?)^```$", (ROOT / page).read_text(), re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A block of code in a page: under which heading, in which language; and why no test runs it, if none does."""

    heading: str
    language: str
    text: str
    not_run: str = ""


def marked_blocks(page: str) -> list[Block]:
    """Return all blocks of a page; `<!-- not run: WHY -->` stands on the line before one that no test runs."""
    found: list[Block] = []
    parts = re.split(r"^## (.*)$", (ROOT / page).read_text(), flags=re.MULTILINE)
    for heading, text in zip(["", *parts[1::2]], parts[::2], strict=True):
        for why, language, code in re.findall(r"(?:^<!-- not run: ([^\n]*) -->\n)?^```(\w*)\n(.*?)^```$", text, FENCED):
            found.append(Block(heading, language, code, why))
    return found


def example_of(kind: str, folder: Path) -> SensorSettings:
    """Return the settings of a device that has the examples in the comments of its kind, in a house of its own."""
    house = folder / f"house-of-{kind}"
    (house / "devices").mkdir(parents=True)
    (house / "house.toml").write_text('group = "home"\n')
    found = sheet(kind, None)
    file = house / "devices" / f"{'recorder' if kind == 'recorder' else 'it'}.toml"
    file.write_text(found.write(found.examples(), "home", file.stem))
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


class Reader:
    """Somebody with a page and some terminals."""

    def __init__(self, home: Path, env: dict[str, str], folder: Path) -> None:
        self.home, self.env, self.folder = home, env, folder
        self._stack = ExitStack()

    def types(self, text: str) -> str:
        """Type a block, wait for its end, and return what it prints."""
        done = subprocess.run(
            ["bash", "-e", "-c", text],
            cwd=self.folder,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=4 * PATIENCE_S,  # a block may test all kinds
            check=False,
        )
        assert done.returncode == 0, f"{text}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def starts(self, text: str) -> Running:
        """Type a block that goes on, in a terminal of its own. The last command takes the place of the shell."""
        before, _, last = text.rstrip().rpartition("\n")
        words = last.split()
        count = next(number for number, word in enumerate(words) if "=" not in word)
        command = " ".join([*words[:count], "exec", *words[count:]])
        running = Running(["bash", "-e", "-c", f"{before}\n{command} >&2"], self.env, self.folder)
        self._stack.callback(running.close)
        return running

    def leaves(self) -> None:
        self._stack.close()
