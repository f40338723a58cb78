"""What a backup of a house consists of: its configuration, its secrets, and where its recorders keep the history."""

import os
import re
import stat
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from bootstrap.config.loader import DEVICES, HOUSE
from bootstrap.config.toml_file import Fault, SettingsError, TomlFile, is_path
from bootstrap.history.stores import StoreSettings
from bootstrap.paths import Folders
from penates.backup.archive import CONFIGURATION, LARGEST, Part
from penates.history.recorder_lookup import KIND

DEVICE = re.compile(rf"{DEVICES}/([^/.][^/]*)\.toml")
SECRET_FOLDERS = ("secrets", "invited")
SECRET_SETTINGS = ("password_file", "token_file")
PRIVATE_KEY = b"PRIVATE KEY-----"
CACHE = "__pycache__"
SQLITE = "sqlite"


@dataclass(frozen=True)
class RecorderHistory:
    """Where a recorder keeps its history: in a file of SQLite, or in a database, whose backup is not ours to make."""

    name: str
    file: Path | None
    url: str = ""


class HouseFiles:
    """The files of a configuration, by their path in its folder, and what their settings say; they may be faulty."""

    def __init__(self, folder: Path, files: Mapping[str, bytes | None]) -> None:
        """Take these files as those of `folder`, whether they are there or not; None is read from there."""
        self._folder = folder.absolute()
        self._sources = {name: TomlFile(folder, name, one) for name, one in files.items() if name.endswith(".toml")}

    @classmethod
    def of(cls, folder: Path) -> Self:
        """Return those that are there now; what cannot be read is a fault of theirs."""
        names = [HOUSE, *(f"{DEVICES}/{one.name}" for one in sorted((folder / DEVICES).glob("*.toml")))]
        return cls(folder, dict.fromkeys(names))

    @property
    def state(self) -> Path:
        """The state folder."""
        return Folders.usual(self._path(HOUSE, "state")).state

    def recorders(self) -> list[RecorderHistory]:
        """Return where each recorder keeps its history.

        Raises:
            SettingsError: there is none, and a file that cannot be read may be one; or its path is none.
        """
        names = {found[1]: name for name in self._sources if (found := DEVICE.fullmatch(name))}
        tables = {stem: self._sources[name].table for stem, name in names.items()}
        recorders = {stem: table for stem, table in tables.items() if table.get("kind") == KIND}
        faults = [fault for name in names.values() for fault in self._sources[name].faults]
        if faults and not recorders:
            raise SettingsError(faults)
        return [self._history(stem, names[stem]) for stem in sorted(recorders)]

    def _history(self, stem: str, name: str) -> RecorderHistory:
        table = self._sources[name].table
        if table.get("store", SQLITE) != SQLITE:
            return RecorderHistory(stem, None, str(table.get("url", StoreSettings.url)))
        return RecorderHistory(stem, StoreSettings(file=self._path(name, "file")).sqlite_file(self.state))

    def _path(self, name: str, key: str) -> Path | None:
        source = self._sources.get(name)
        named = source.table.get(key) if source else None
        if source and named is not None and not (isinstance(named, str) and is_path(named)):
            raise SettingsError([Fault(name, source.line(key), f"{key!r} must be a full path")])
        return self._folder / named if named else None

    def secret_paths(self) -> list[str]:
        """Return the paths of secrets that the settings name; `{sensor}` in them stands for anything."""
        tables = [one.table for one in self._sources.values()]
        tables += [table["broker"] for table in tables if isinstance(table.get("broker"), dict)]
        named = [table.get(key) for table in tables for key in SECRET_SETTINGS]
        return sorted({one for one in named if isinstance(one, str)})


def is_secret_place(file: Path) -> bool:
    """Return whether a folder's name says that what is in it is secret."""
    return file.parent.name in SECRET_FOLDERS


def read_folder(folder: Path, apart: Collection[Path]) -> tuple[dict[str, Part], list[str]]:
    """Return the files of a configuration folder, and what is left out of it.

    What is in `apart` is not its own, nor is a file whose name goes on after one of these, such as that of a journal.

    Raises:
        OSError: a file cannot be read.
    """
    found: dict[str, Part] = {}
    left_out = []
    for file in _walk(folder, {one.resolve() for one in apart}):
        status = file.stat()
        name = file.relative_to(folder).as_posix()
        if not stat.S_ISREG(status.st_mode) or status.st_size > LARGEST or not name.isprintable():
            left_out.append(f"{file}: not a regular file of at most {LARGEST} bytes")
        else:
            found[name] = Part(f"{CONFIGURATION}/{name}", file.read_bytes(), stat.S_IMODE(status.st_mode) & 0o777)
    return found, left_out


def _walk(folder: Path, apart: Collection[Path]) -> Iterator[Path]:
    def failed(error: OSError) -> None:
        raise error

    for place, folders, files in os.walk(folder, onerror=failed):
        folders[:] = sorted(name for name in folders if name != CACHE and Path(place, name).resolve() not in apart)
        beside = [one.name for one in apart if one.parent == Path(place).resolve()]
        others = tuple(f"{name}{more}" for name in beside for more in "-.")
        yield from (Path(place, name) for name in sorted(files) if name not in beside and not name.startswith(others))


def secrets_among(files: Mapping[str, Part], house: HouseFiles, folder: Path) -> set[str]:
    """Return the names of those files that are secret: by their folder, by a setting, or since they hold a key."""
    named = [re.escape(str(folder / one)).replace(re.escape("{sensor}"), "[^/]*") for one in house.secret_paths()]
    return {
        name
        for name, part in files.items()
        if name.partition("/")[0] in SECRET_FOLDERS
        or any(re.fullmatch(pattern, str(folder / name)) for pattern in named)
        or PRIVATE_KEY in part.content
    }
