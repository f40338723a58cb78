"""Restoring a backup: everything is checked and copied beside its place before anything is replaced."""

import os
import secrets
import tempfile
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from bootstrap.errors import Exit, Fatal
from bootstrap.history.sqlite.copy import put_in_place, require_history
from bootstrap.history.sqlite.history_memory import HistoryMemory
from bootstrap.history.stores import NOTE
from bootstrap.outbox.folder import OUTBOX
from penates.backup.archive import CONFIGURATION, HISTORY, Archive
from penates.backup.house_files import HouseFiles, is_secret_place
from penates.history.recorder_lookup import as_owner_of

SHOWN = 5  # files that exist and are named
FOLDER, PRIVATE_FOLDER = 0o755, 0o750


@dataclass(frozen=True)
class Restore:
    """A backup, and the configuration folder in which it is going to be restored.

    Attributes:
        what: `configuration` or `history`; both where it is None.
    """

    archive: Archive
    folder: Path
    what: str | None = None

    @property
    def configuration(self) -> dict[Path, bytes]:
        """The files of the configuration that are not there with this content yet."""
        found = {} if self.what == HISTORY else self.archive.configuration
        files = {self.folder / name: content for name, content in found.items()}
        return {file: content for file, content in files.items() if _content(file) != content}

    def histories(self) -> dict[str, Path]:
        """Return where the history of each recorder belongs, by the settings that are restored with it.

        Raises:
            SettingsError: these are faulty.
            Fatal: they name no such recorder, or a database.
            OSError: the disk of a history is not mounted.
        """
        wanted = {} if self.what == CONFIGURATION else self.archive.histories
        present = self.what == HISTORY
        house = HouseFiles.of(self.folder) if present else HouseFiles(self.folder, self.archive.configuration)
        places = {one.name: one.file for one in house.recorders()} if wanted else {}
        found = {name: file for name in wanted if (file := places.get(name))}
        if lacking := sorted(wanted.keys() - found.keys()):
            text = f'it has the history of {", ".join(lacking)}, and no such recorder with store = "sqlite"'
            raise Fatal(Exit.ABSENT, text)
        for file in found.values():
            for note in (house.state / OUTBOX).glob(f"*/{NOTE}"):
                HistoryMemory(file, note).require_disk()
        return found

    def existing(self) -> list[Path]:
        """Return the files that would be replaced."""
        return [file for file in (*self.configuration, *self.histories().values()) if os.path.lexists(file)]

    def carry_out(self, *, replace: bool) -> None:
        """Restore it.

        Raises:
            Fatal: it would replace files, and may not.
            OSError: something cannot be written; unless that is said of the configuration, nothing was changed.
        """
        there = self.existing()
        if blocked := next(
            (one for one in (*self.configuration, *self.histories().values()) if _is_blocked(one)), None
        ):
            raise Fatal(Exit.ABSENT, f"{blocked}: a folder is in the way, or a file where its folder belongs")
        if there and not replace:
            more = f" and {len(there) - SHOWN} more" if len(there) > SHOWN else ""
            text = f"{', '.join(map(str, there[:SHOWN]))}{more} would be replaced; use --replace"
            raise Fatal(Exit.ABSENT, text)
        with ExitStack() as copies:
            staged = {self._staged(name, file, copies): file for name, file in self.histories().items()}
            for file, content in self.configuration.items():
                _write(file, content, self.archive.modes[file.relative_to(self.folder).as_posix()])
            for copy, file in staged.items():
                with as_owner_of(file.parent):
                    put_in_place(copy, file)

    def _staged(self, name: str, file: Path, copies: ExitStack) -> Path:
        """Return a checked copy of a history in the folder where it belongs."""
        with as_owner_of(_existing(file.parent)):
            file.parent.mkdir(parents=True, exist_ok=True)
            place = tempfile.TemporaryDirectory(prefix=".penates-restore-", dir=file.resolve().parent)
            copy = Path(copies.enter_context(place), file.name)
            self.archive.extract(self.archive.histories[name], copy)
            copy.chmod(0o640)
            require_history(copy)
        return copy


def _content(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except OSError:
        return None


def _is_blocked(file: Path) -> bool:
    return file.is_dir() or not _existing(file.parent).is_dir()


def _existing(folder: Path) -> Path:
    """Return the folder, or the one above it that exists."""
    return next(one for one in (folder, *folder.parents) if one.exists())


def _write(file: Path, content: bytes, mode: int) -> None:
    """Write a file of the configuration; it keeps its owner and mode, or gets its folder's owner and the given mode."""
    file.parent.mkdir(PRIVATE_FOLDER if is_secret_place(file) else FOLDER, parents=True, exist_ok=True)
    try:
        owner, mode = file.stat(), file.stat().st_mode & 0o777
    except OSError:
        owner = file.parent.stat()
    fresh = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            with suppress(PermissionError):  # only root may give a file away
                os.fchown(descriptor, owner.st_uid, owner.st_gid)
            os.fchmod(descriptor, mode)
            stream.flush()
            os.fsync(descriptor)
        fresh.replace(file)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
