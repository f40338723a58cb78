"""What this version changes for one house: read from its files, its history and what is installed of it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from bootstrap.config.kinds import names
from bootstrap.config.loader import DEVICES, HOUSE, Configuration
from bootstrap.config.toml_file import Fault, TomlFile
from bootstrap.errors import Exit, Fatal
from bootstrap.history.sqlite.copy import format_of
from bootstrap.history.sqlite.formats import FORMAT, newer_fault
from bootstrap.outbox.folder import OLD_OUTBOX, OUTBOX
from penates.backup.house_files import HouseFiles
from penates.upgrade.release_notes import Note, Release

DATABASES = {"influxdb": "influxdb", "influxdb1": "influxdb", "victoriametrics": "victoriametrics"}
FOR_AUTHORS = re.compile(r"Python: |For authors: |`@takes` |.*\b(of your own|mine\.)")


@dataclass(frozen=True)
class UpgradedHouse:
    """A house in a configuration folder, looked at by this version."""

    folder: Path

    @cached_property
    def _files(self) -> HouseFiles:
        return HouseFiles.of(self.folder)

    def faults(self) -> list[Fault]:
        """Return what this version does not accept of its configuration."""
        configuration = Configuration(self.folder, secrets=False)
        configuration.all()
        return configuration.faults

    def newer_histories(self) -> list[str]:
        """Return why this version cannot use histories that a newer one has written.

        Raises:
            SettingsError: the configuration does not say where they are.
            OSError: one cannot be read.
        """
        return [f"{file}: {why}" for file, found in self._formats() if (why := newer_fault(found))]

    def histories(self) -> list[str]:
        """Return what becomes of each history that this version can use.

        Raises:
            SettingsError, OSError: as `newer_histories`.
        """
        return [f"{file}: {_becomes(found)}" for file, found in self._formats() if not newer_fault(found)]

    def _formats(self) -> Iterator[tuple[Path, int]]:
        files = [one.file for one in self._files.recorders() if one.file]
        yield from ((file, format_of(file)) for file in dict.fromkeys(files) if file.exists())

    def moved_folders(self) -> list[str]:
        """Return what moves in the state folder when a sensor starts."""
        state = self._files.state
        try:
            old = sorted(one.name for one in (state / OLD_OUTBOX).iterdir() if one.is_dir())
        except OSError:
            return []
        waiting = [one for one in old if not (state / OUTBOX / one).exists()]
        return [f"{state / OLD_OUTBOX / one} becomes {state / OUTBOX / one} when its sensor starts" for one in waiting]

    def concerning(self, release: Release) -> list[Note]:
        """Return what breaks in a version, without what only kinds and databases feel that this house lacks."""
        return [note for note in release.breaks if not self._lacks(note)]

    def _lacks(self, note: Note) -> bool:
        if FOR_AUTHORS.match(note.text):
            return not any("." in kind for kind in self._kinds)
        about = note.about
        if about in DATABASES.values():
            return about not in self._databases
        return about in names() and about not in self._kinds

    @cached_property
    def _tables(self) -> list[dict[str, object]]:
        found = sorted(one.name for one in (self.folder / DEVICES).glob("[!.]*.toml"))
        return [TomlFile(self.folder, f"{DEVICES}/{name}").table for name in found]

    @cached_property
    def _kinds(self) -> set[str]:
        return {str(table.get("kind")) for table in self._tables}

    @cached_property
    def _databases(self) -> set[str]:
        return {DATABASES.get(str(table.get("store")), "") for table in self._tables}


def _becomes(found: int) -> str:
    if found == 0:
        return "empty"
    if found == FORMAT:
        return f"format {found}, as this version has it"
    return f"format {found} becomes {FORMAT} when its recorder starts; back it up first"


def require_known_histories(folder: Path) -> None:
    """Check, before a house is changed, that no history in it was written by a newer version; one may be missing.

    Raises:
        Fatal: one was.
        OSError: one cannot be read.
    """
    if (folder / HOUSE).exists() and (newer := UpgradedHouse(folder).newer_histories()):
        advice = "install that version again, or restore a backup that this one has made"
        raise Fatal(Exit.SETTINGS, f"{'; '.join(newer)}: {advice}; nothing was changed")
