"""The recorder of the house's configuration, for the commands that use its history."""

import argparse
import os
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from bootstrap.config.loader import DEVICES, Configuration, device_file, load
from bootstrap.config.model import House
from bootstrap.config.toml_file import Fault, SettingsError, TomlFile, suggestion
from bootstrap.errors import Exit, Fatal
from bootstrap.history.known_facts import KINDS, KnownKinds
from bootstrap.history.reader import HistoryReader
from bootstrap.history.sqlite.editor import HistoryEditor
from bootstrap.history.stores import NOTE, Store
from bootstrap.outbox.folder import outbox_folder
from daemons.recorder import Recorder
from penates.console.arguments import config_option, house
from penates.files.planned_file import acting_as
from penates.history.series import KnownMeasure

KIND = "recorder"


@dataclass(frozen=True)
class Recorded:
    """A house and its recorder."""

    configuration: Configuration
    house: House
    recorder: Recorder
    state: Path
    folder: Path  # the recorder's own, in `state`

    @classmethod
    def by(cls, given: argparse.Namespace) -> "Recorded":
        """Find the recorder that `--config` and `--recorder` select.

        Raises:
            SettingsError: there is no recorder, more than one, or a fault in its file.
        """
        configuration, found, folders = house(given)
        name = _name(configuration, given.recorder)
        settings = load(configuration.folder, name, secrets=False)  # reading the history needs no broker password
        if not isinstance(settings.device, Recorder):
            raise SettingsError([Fault(device_file(name), 1, f"{name} is not a recorder")])
        return cls(configuration, found, settings.device, folders.state, outbox_folder(folders.state, settings.topics))

    def open_reader(self) -> HistoryReader:
        """Open the history for reading.

        Raises:
            OSError: it does not exist, or cannot be read.
        """
        return self.recorder.open_reader(self.state)

    def open_store(self) -> Store:
        """Open the history for adding to it, even while the recorder does so.

        Raises:
            OSError: it cannot be opened, or is missing.
        """
        with self.as_owner():
            store = self.recorder.open_store(self.state, owner=False, note=self.folder / NOTE)
        if store.trouble:
            store.close()
            raise OSError(store.trouble)
        return store

    def open_editor(self) -> HistoryEditor:
        """Open the history for changing it, even while the recorder writes.

        Raises:
            OSError: there is no file of SQLite, or it cannot be opened.
        """
        with self.as_owner():
            return HistoryEditor(self.recorder.sqlite_file(self.state))

    def as_owner(self) -> AbstractContextManager[None]:
        """Have root act as the owner of the state folder."""
        return as_owner_of(self.state)

    def kinds(self) -> Mapping[str, str]:
        """Return the kind of each sensor that the recorder knows."""
        return KnownKinds(self.folder / KINDS).known

    def measures(self, sensor: str) -> dict[str, KnownMeasure]:
        """Return what is known of each measure; nothing if this house has no such sensor."""
        for settings in (one for found in self.configuration.all().values() for one in found.all_carried):
            if settings.topics.client_id == sensor:
                found = settings.measures.items()
                return {
                    name: KnownMeasure(one.unit_name, one.event, settings.every_s(name), one.counter)
                    for name, one in found
                }
        return {}

    def sensor(self, name: str) -> str:
        """Return `group/sensor`; the group is the house's if the name has none."""
        return name if "/" in name else f"{self.house.group}/{name}"


def as_owner_of(folder: Path) -> AbstractContextManager[None]:
    """Have root act as the owner of a folder with state: the recorder must be able to write files that are made there.

    Nor must root follow links that somebody else made.
    """
    if os.geteuid() or not folder.exists():
        return nullcontext()
    status = folder.stat()
    return acting_as(status.st_uid, status.st_gid)


def _name(configuration: Configuration, named: str | None) -> str:
    if named:
        return named
    files = {name: TomlFile(configuration.folder, device_file(name)) for name in configuration.sensors}
    found = [name for name, file in files.items() if file.table.get("kind") == KIND]
    if not found:  # perhaps only because its file cannot be read
        missing = Fault(DEVICES, 1, 'there is no recorder; make devices/recorder.toml with kind = "recorder"')
        raise SettingsError([fault for file in files.values() for fault in file.faults] or [missing])
    if len(found) > 1:
        raise SettingsError([Fault(DEVICES, 1, f"there are several recorders; use --recorder {' or '.join(found)}")])
    return found[0]


def recorder_arguments(parser: argparse.ArgumentParser) -> None:
    """Add `--config DIR --recorder NAME`."""
    config_option(parser)
    parser.add_argument("--recorder", metavar="NAME", help="the recorder's file in devices/, if there are several")


def found(reader: HistoryReader, name: str) -> str:
    """Return the sensor in the history that a name such as `home/cellar` or `cellar` means.

    Raises:
        Fatal: there is none, or there are several.
    """
    sensors = reader.sensors()
    if name in sensors:
        return name
    meant = [sensor for sensor in sensors if sensor.partition("/")[2] == name]
    if len(meant) == 1:
        return meant[0]
    if meant:
        raise Fatal(Exit.ABSENT, f"{name} is in several groups; use {' or '.join(meant)}")
    if not sensors:
        raise Fatal(Exit.ABSENT, "the history is empty")
    known = sensors if "/" in name else [sensor.partition("/")[2] for sensor in sensors]
    raise Fatal(Exit.ABSENT, f"there is no history of {name!r}; {suggestion(name, known)}")
