"""Rewriting settings that were renamed: comments, order and layout of a file stay, and a copy of it is kept."""

import os
import shutil
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bootstrap.config.loader import DEVICES, HOUSE
from bootstrap.config.renamed import RENAMES, Rename
from bootstrap.config.toml_file import TomlFile, decoded
from bootstrap.errors import Exit, Fatal
from penates.files.edited_device import EditedDevice
from penates.files.toml_edit import with_renamed

Table = Mapping[str, Any]


@dataclass(frozen=True)
class RenamedSetting:
    """One setting in a file that is to be rewritten."""

    file: str
    line: int
    rename: Rename

    def __str__(self) -> str:
        """Return where it is, and what becomes of it."""
        one = self.rename
        return f"{self.file}:{self.line}: {one.old!r} is called {one.new!r} since {one.since}"


@dataclass(frozen=True)
class RewrittenFile:
    """A file with settings that were renamed, and its text as it is going to be."""

    file: EditedDevice
    text: str
    settings: tuple[RenamedSetting, ...]

    def write(self, version: str) -> Path:
        """Keep a copy of the file, named after the version, and write the text. Returns the copy.

        Raises:
            Fatal: that is not possible; the file is as it was.
        """
        original = self.file.folder / self.file.file
        copy = _free(original, version)
        try:
            _keep(original, copy)
        except OSError as error:
            raise Fatal(Exit.SETTINGS, f"{copy} cannot be written: {error.strerror}; use sudo?") from None
        self.file.put_back(self.text)
        return copy


def renamed_settings(folder: Path, renames: Iterable[Rename] | None = None) -> list[RewrittenFile]:
    """Return the files of a house that have settings which were renamed; what cannot be read is left alone.

    Raises:
        Fatal: a setting is written in a way that is not rewritten, or is there by both names.
    """
    known = tuple(RENAMES if renames is None else renames)
    names = [HOUSE, *(f"{DEVICES}/{one.name}" for one in sorted((folder / DEVICES).glob("[!.]*.toml")))]
    return [found for name in names if (found := _rewritten(TomlFile(folder, name), known))]


def _rewritten(source: TomlFile, renames: Sequence[Rename]) -> RewrittenFile | None:
    kind = None if source.name == HOUSE else source.table.get("kind", "")
    concerned = [one for one in renames if one.concerns(kind)]
    table, found = dict(source.table), list[RenamedSetting]()
    file = EditedDevice(source.folder, source.name)
    if not concerned or not source.loaded:
        return None
    text = file.text
    for one in concerned:
        text = with_renamed(text, one.section, one.old, one.new)
        if one.old in _section(table, one.section):
            table = _with(table, one, source)
            found.append(RenamedSetting(source.name, source.line(one.old, one.section), one))
    if not found:
        return None
    if tomllib.loads(decoded(text.encode())) != table:
        raise Fatal(Exit.SETTINGS, f"{found[0]}, and it is written so that you must rewrite it yourself")
    return RewrittenFile(file, text, tuple(found))


def _section(table: Table, name: str) -> Table:
    found = table.get(name, {}) if name else table
    return found if isinstance(found, dict) else {}


def _with(table: Table, rename: Rename, source: TomlFile) -> dict[str, Any]:
    """Return the table with one setting by its new name."""
    section = dict(_section(table, rename.section))
    if rename.new in section:
        line = source.line(rename.old, rename.section)
        why = f"{rename.old!r} is called {rename.new!r} since {rename.since}, which is there, too; remove one of them"
        raise Fatal(Exit.SETTINGS, f"{source.name}:{line}: {why}")
    section[rename.new] = section.pop(rename.old)
    return {**table, rename.section: section} if rename.section else section


def _free(original: Path, version: str) -> Path:
    """Return a name for the copy that no other content has; what ends in .bak is read by nobody."""
    return next(copy for copy in _names(original, version) if not copy.exists() or _same(copy, original))


def _names(original: Path, version: str) -> Iterator[Path]:
    yield original.with_name(f"{original.name}.before-{version}.bak")
    number = 2
    while True:
        yield original.with_name(f"{original.name}.before-{version}.{number}.bak")
        number += 1


def _same(one: Path, other: Path) -> bool:
    return one.read_bytes() == other.read_bytes()


def _keep(original: Path, copy: Path) -> None:
    """Copy a file with its owner and mode, and have the copy on the disk before the file is changed."""
    if copy.exists():
        return
    status = original.stat()
    fresh = copy.with_name(f".{copy.name}.{os.getpid()}")
    try:
        shutil.copy2(original, fresh)
        if os.geteuid() == 0:
            os.chown(fresh, status.st_uid, status.st_gid)
        with fresh.open("rb") as stream:
            os.fsync(stream.fileno())
        fresh.replace(copy)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise
