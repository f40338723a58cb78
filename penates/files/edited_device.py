"""A device's file that a command changes: checked before it is written, and its owner and mode stay."""

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from bootstrap.config.loader import Configuration
from bootstrap.config.toml_file import Fault, SettingsError, contents
from bootstrap.errors import Exit, Fatal

MODE = 0o7777


@dataclass(frozen=True)
class EditedDevice:
    """One file in a configuration folder; `file` is relative to that."""

    folder: Path
    file: str

    @property
    def text(self) -> str:
        """What is in it, each byte as it is.

        Raises:
            Fatal: it cannot be read.
        """
        try:
            return contents(self.folder / self.file).decode()
        except (OSError, UnicodeDecodeError) as error:
            raise Fatal(Exit.SETTINGS, f"{self.folder / self.file} cannot be read: {error}") from None

    def write(self, text: str) -> Path:
        """Write another text, after a check. Returns the file.

        Raises:
            SettingsError: it would have faults that it did not have, and nothing was written.
            Fatal: the file cannot be written.
        """
        before = self._faults(self.text.encode())
        if new := [fault for fault in self._faults(text.encode()) if fault not in before]:
            raise SettingsError(new)
        return self.put_back(text)

    def put_back(self, text: str) -> Path:
        """Write another text, whatever faults it has; they may be its owner's. Returns the file.

        Raises:
            Fatal: the file cannot be written.
        """
        file = self.folder / self.file
        try:
            _replace(file, text.encode())
        except OSError as error:
            raise Fatal(Exit.SETTINGS, f"{file} cannot be written: {error.strerror}; use sudo?") from None
        return file

    def _faults(self, text: bytes) -> list[Fault]:
        """Return the faults of the file with this text in it."""
        configuration = Configuration(self.folder, drafts={Path(self.file).stem: text}, secrets=False)
        configuration.all()
        return [fault for fault in configuration.faults if fault.file == self.file]


def _replace(file: Path, content: bytes) -> None:
    """Replace the content of a file, which keeps its owner and its mode."""
    status = file.stat()
    new = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        new.write_bytes(content)
        new.chmod(stat.S_IMODE(status.st_mode) & MODE)
        if os.geteuid() == 0:
            os.chown(new, status.st_uid, status.st_gid)
        new.replace(file)
    except OSError:
        new.unlink(missing_ok=True)
        raise
