"""What is remembered of a history outside its own folder, so that an empty folder is not taken for a new house."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self, TypeAlias

from bootstrap.paths import read_own, rewrite

FileId: TypeAlias = tuple[int, int]  # device and inode


class HistoryMissing(OSError):  # noqa: N818 - it is what is wrong
    """A history was recorded here before, and it is not here now."""


def file_id(file: Path) -> FileId | None:
    """Return which file is at this path now, or None if there is none.

    Raises:
        OSError: that cannot be found out.
    """
    try:
        status = file.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return status.st_dev, status.st_ino


def mount_point(folder: Path) -> Path:
    """Return the topmost folder of the file system that a folder is on, or would be on if it existed."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    device = folder.stat().st_dev
    while folder != folder.parent and folder.parent.stat().st_dev == device:
        folder = folder.parent
    return folder


@dataclass(frozen=True)
class KnownHistory:
    """A history that was recorded into.

    Attributes:
        file: its path.
        mount: the topmost folder of its file system.
    """

    file: str
    mount: str

    @classmethod
    def at(cls, file: Path) -> Self:
        """Return what there is to remember of the history in this file."""
        return cls(str(file), str(mount_point(file.resolve().parent)))


class HistoryMemory:
    """Remembers a history. Without `note`, a file of its own in the state folder, nothing is remembered."""

    def __init__(self, file: Path, note: Path | None) -> None:
        self._file, self._note = file.absolute(), note

    @property
    def known(self) -> KnownHistory | None:
        """The history that was recorded into before at this path, or None."""
        try:
            found = KnownHistory(**json.loads(read_own(self._note))) if self._note else None
        except (OSError, ValueError, TypeError, RecursionError):
            return None
        return found if found and found.file == str(self._file) and isinstance(found.mount, str) else None

    def require(self) -> None:
        """Check that a history which was recorded into before is still there.

        Raises:
            HistoryMissing: it is not. That is over once it is there again, or the note is removed.
            OSError: that cannot be found out.
        """
        self.require_disk()
        if self.known and file_id(self._file) is None:
            raise self.missing("it is gone")

    def require_disk(self) -> None:
        """Check that the disk on which a history was is mounted.

        Raises:
            HistoryMissing: it is not.
            OSError: that cannot be found out.
        """
        known = self.known
        if known is None:
            return
        file_id(self._file)  # makes an automounter mount the disk
        if mount_point(self._file.resolve().parent) in Path(known.mount).parents:
            raise self.missing(f"no disk is mounted at {known.mount}")

    def missing(self, why: str) -> HistoryMissing:
        """Return the exception that says why a remembered history cannot be used, and what to do."""
        hint = f" (to begin a new history, remove {self._note.resolve()})" if self._note else ""
        return HistoryMissing(f"{self._file}: {why}{hint}")

    def remember(self) -> None:
        """Remember that this history is recorded into. If that cannot be written, nothing is remembered."""
        try:
            found = KnownHistory.at(self._file)
            if self._note and found != self.known:
                rewrite(self._note, json.dumps(asdict(found)))
        except OSError:
            return

    def forget(self) -> None:
        """Forget the history: a new one may be begun.

        Raises:
            OSError: that cannot be written.
        """
        if self._note:
            self._note.unlink(missing_ok=True)


def links(file: FileId) -> int | None:
    """Return how many names a file has that this process has open, or None if it does not have it open."""
    for descriptor in Path("/proc/self/fd").iterdir():
        try:
            status = descriptor.stat()
        except OSError:  # it was closed meanwhile
            continue
        if (status.st_dev, status.st_ino) == file:
            return status.st_nlink
    return None
