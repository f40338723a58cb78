"""The recorder that the house's configuration names, for those who use its history."""

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
from bootstrap.history.reader import HistoryReader
from bootstrap.history.recording import KINDS, KnownKinds
from bootstrap.history.stores import Store
from bootstrap.outbox.folder import outbox_folder
from daemons.recorder import Recorder
from penates.console.arguments import config_option, house
from penates.files.planned_file import acting_as

KIND = "recorder"


@dataclass(frozen=True)
class Recorded:
    """A house, and its recorder."""

    configuration: Configuration
    house: House
    recorder: Recorder
    state: Path
    folder: Path  # the recorder's own in it

    @classmethod
    def by(cls, given: argparse.Namespace) -> "Recorded":
        """What `--config` and `--recorder` lead to.

        Raises:
            SettingsError: there is no recorder, more than one, or a fault in its file.
        """
        configuration, found, folders = house(given)
        name = _name(configuration, given.recorder)
        settings = load(configuration.folder, name, secrets=False)  # to read takes no password
        if not isinstance(settings.device, Recorder):
            raise SettingsError([Fault(device_file(name), 1, f"{name} is no recorder")])
        return cls(configuration, found, settings.device, folders.state, outbox_folder(folders.state, settings.topics))

    def open_reader(self) -> HistoryReader:
        """Its history, to be read.

        Raises:
            OSError: it is not there, or cannot be read.
        """
        return self.recorder.open_reader(self.state)

    def open_store(self) -> Store:
        """Its history, to be added to while it may be adding to it.

        Raises:
            OSError: it cannot be opened.
        """
        with _as_owner_of(self.state):
            return self.recorder.open_store(self.state, owner=False)

    def kinds(self) -> Mapping[str, str]:
        """The kind of each sensor that it has heard of."""
        return KnownKinds(self.folder / KINDS).known

    def units(self, sensor: str) -> dict[str, str]:
        """The unit of each measure, `bool` or `str`, as far as the sensor is one of this house's."""
        for settings in self.configuration.all().values():
            if settings.topics.client_id == sensor:
                return {name: measure.unit_name for name, measure in settings.device.measures.items()}
        return {}

    def sensor(self, name: str) -> str:
        """`group/sensor`; the group is the house's where none is named."""
        return name if "/" in name else f"{self.house.group}/{name}"


def _as_owner_of(state: Path) -> AbstractContextManager[None]:
    """A file that root makes there the recorder could not write; and root follows no links of others."""
    if os.geteuid() or not state.exists():
        return nullcontext()
    there = state.stat()
    return acting_as(there.st_uid, there.st_gid)


def _name(configuration: Configuration, named: str | None) -> str:
    if named:
        return named
    tables = {name: TomlFile(configuration.folder, device_file(name)).table for name in configuration.sensors}
    there = [name for name, table in tables.items() if table.get("kind") == KIND]
    if not there:
        raise SettingsError(
            [Fault(DEVICES, 1, 'there is no recorder; make devices/recorder.toml with kind = "recorder"')]
        )
    if len(there) > 1:
        raise SettingsError([Fault(DEVICES, 1, f"there are several recorders; say --recorder {' or '.join(there)}")])
    return there[0]


def recorder_arguments(parser: argparse.ArgumentParser) -> None:
    """`--config DIR --recorder NAME`."""
    config_option(parser)
    parser.add_argument("--recorder", metavar="NAME", help="its file in devices/, if there are several")


def found(reader: HistoryReader, name: str) -> str:
    """The sensor of the history that is meant by `cm/cellar` or `cellar`.

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
        raise Fatal(Exit.ABSENT, f"{name} is in several groups; say {' or '.join(meant)}")
    if not sensors:
        raise Fatal(Exit.ABSENT, "the history is empty")
    known = sensors if "/" in name else [sensor.partition("/")[2] for sensor in sensors]
    raise Fatal(Exit.ABSENT, f"there is no history of {name!r}; {suggestion(name, known)}")
