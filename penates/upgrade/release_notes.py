"""The release notes of each version, from the changelog that is in the package."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bootstrap import __version__
from bootstrap.package_data import file

CHANGELOG = "CHANGELOG.md"
HEADING = re.compile(r"## (\d+(?:\.\d+)*)(?: — (.+))?")
BREAKS = "Breaks"
ABOUT = re.compile(r"`?([\w. ]+?)`?: ")


@dataclass(frozen=True)
class Note:
    """One entry: the section that it is in, such as `Breaks`, and its text on one line."""

    section: str
    text: str

    @property
    def about(self) -> str:
        """What it begins with, in lower case: a kind, a database, or another word that is no matter of the house."""
        found = ABOUT.match(self.text)
        return found[1].lower() if found else ""


@dataclass(frozen=True)
class Release:
    """A version, when it was released, and what it brought."""

    version: str
    date: str
    notes: tuple[Note, ...]

    @property
    def breaks(self) -> list[Note]:
        """What works otherwise than before."""
        return [note for note in self.notes if note.section == BREAKS]


def numbers(version: str) -> tuple[int, ...]:
    """Return a version such as 0.2.0 in a form that can be compared.

    Raises:
        ValueError: it is none.
    """
    if not (found := re.match(r"\d+(\.\d+)*", version)):
        raise ValueError(f"a version such as 0.2.0, not {version!r}")
    parts = [int(part) for part in found[0].split(".")]
    return tuple(parts[:3] + [0] * (3 - len(parts)))


def releases() -> list[Release]:
    """Return all versions, newest first; the newest is that of the programme.

    Raises:
        FileNotFoundError: this copy of the programme lacks its changelog.
    """
    return [*_parsed(file(CHANGELOG).read_text(encoding="utf-8"))]


def later(than: str) -> list[Release]:
    """Return the versions after another one, newest first."""
    return [one for one in releases() if numbers(one.version) > numbers(than)]


def this_version() -> str:
    """Return the version of the programme; while one is being made, the one that it is going to be."""
    try:
        return releases()[0].version
    except FileNotFoundError:  # a package without the changelog can be installed nevertheless
        return __version__


def _parsed(text: str) -> Iterator[Release]:
    for part in re.split(r"^(?=## )", text, flags=re.MULTILINE):
        if heading := HEADING.match(part):
            yield Release(heading[1], heading[2] or "", tuple(_notes(part)))


def _notes(part: str) -> Iterator[Note]:
    section, entry = "", list[str]()
    for row in [*part.splitlines(), ""]:
        if entry and not row.startswith("  "):
            yield Note(section, " ".join(entry))
            entry = []
        if row.startswith("### "):
            section = row[4:]
        elif row.startswith("- ") or entry:
            entry.append(row.removeprefix("- ").strip())
