"""Making a backup: what belongs in it is collected, copied and written to one file."""

import tempfile
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from bootstrap.history.sqlite.copy import require_history
from bootstrap.history.sqlite.reader import SqliteReader
from penates.backup.archive import HISTORY, Part, write
from penates.backup.house_files import HouseFiles, RecorderHistory, read_folder, secrets_among
from penates.console.output import counted

TOOLS = "`influxd backup -portable` (InfluxDB 1), `influx backup` (InfluxDB 2), `vmbackup` (VictoriaMetrics)"


@dataclass
class Backup:
    """A backup of the house in `folder`: once it is written, what is in it and what is not.

    Attributes:
        secrets: whether passwords, tokens and private keys are in it.
        history: whether the history is in it.
    """

    folder: Path
    secrets: bool
    history: bool
    configuration: list[Part] = field(default_factory=list)
    histories: list[Part] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    def write(self, file: Path) -> None:
        """Write it to a file, which is complete or not there.

        Raises:
            SettingsError: a file of the configuration is faulty, so that the history cannot be found.
            OSError: something cannot be read, or the file cannot be written.
        """
        with tempfile.TemporaryDirectory(prefix=".penates-backup-", dir=file.parent) as place:
            found, house = self._read([Path(place), file])
            self._take_configuration(found, house)
            if self.history:
                self._take_histories(house.recorders(), Path(place))
            else:
                self.left_out.append("the history")
            write(file, Path(place), [*self.configuration, *self.histories], self.left_out)

    def _read(self, apart: list[Path]) -> tuple[Mapping[str, Part], HouseFiles]:
        """Return the files of the configuration folder, which may contain the state folder, and what they say."""
        house = HouseFiles.of(self.folder)
        histories = [one.file for one in house.recorders() if one.file]
        found, odd = read_folder(self.folder, [house.state, *histories, *apart])
        self.left_out += odd
        return found, HouseFiles(self.folder, {name: one.content for name, one in found.items()})

    def _take_configuration(self, found: Mapping[str, Part], house: HouseFiles) -> None:
        secret = secrets_among(found, house, self.folder)
        self.configuration = [one for name, one in found.items() if self.secrets or name not in secret]
        outside = [one for one in house.secret_paths() if not (self.folder / one).is_relative_to(self.folder)]
        self.left_out += [f"{one}, which is outside of {self.folder}" for one in outside]
        if secret and not self.secrets:
            self.left_out.append(f"{counted(len(secret), 'file')} with secrets; use --secrets")

    def _take_histories(self, recorders: list[RecorderHistory], place: Path) -> None:
        copied: set[Path] = set()
        for one in recorders:
            if one.file is None:
                self.left_out.append(f"what {one.name} stores in the database at {one.url}; use its own tool: {TOOLS}")
            elif one.file.resolve() not in copied:  # several recorders may share a file
                copied.add(one.file.resolve())
                self.histories.append(_copied(one.name, one.file, place))
        if not recorders:
            self.left_out.append("a history: this house has no recorder")


def _copied(name: str, file: Path, place: Path) -> Part:
    """Copy a history, check the copy, and return it."""
    copy = place / f"{name}.sqlite"
    with closing(SqliteReader(file)) as reader:
        reader.copy_to(copy)
    try:
        require_history(copy)
    except OSError as error:
        raise OSError(f"{file}: {error}") from None
    return Part(f"{HISTORY}/{name}.sqlite", copy, 0o640)
