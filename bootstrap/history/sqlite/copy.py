"""Copies of a history that is in use, and what must be true of a file before it is used as one."""

import sqlite3
import stat
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import quote

from bootstrap.history.sqlite.formats import newer_fault, stored_format
from bootstrap.history.sqlite.rollups import BUSY_S

MAGIC = b"SQLite format 3\0"
PARTS = ("-wal", "-shm", "-journal")  # what SQLite keeps beside a file, by the end of its name
HEADER = 100  # bytes
ALONE, WITH_JOURNAL = "immutable=1", "mode=ro"
APART_S = 10.0  # longer than SQLite needs to carry a journal of usual size into its file


def part(file: Path, end: str) -> Path:
    """Return what SQLite keeps beside a file; beside the file itself, if `file` is a link to it."""
    whole = file.resolve()
    return whole.with_name(whole.name + end)


def is_free(file: Path) -> bool:
    """Return whether there is nothing at a path but perhaps an empty file, as whoever looks for a history may make."""
    try:
        return file.stat().st_size == 0
    except FileNotFoundError:
        return True


def connect(file: Path, how: str) -> sqlite3.Connection:
    """Open a file that exists; `how` is a parameter of SQLite's URIs, such as `mode=ro`.

    Raises:
        sqlite3.Error: it cannot be opened.
    """
    address = f"file:{quote(str(file.absolute()))}?{how}"
    return sqlite3.connect(address, uri=True, timeout=BUSY_S, isolation_level=None)


def copy_to(source: sqlite3.Connection, file: Path) -> None:
    """Copy a database as it is now, whoever writes to it meanwhile, to a file that stands by itself.

    Raises:
        sqlite3.Error: it cannot be read or written.
    """
    with closing(sqlite3.connect(file, isolation_level=None)) as copy:
        source.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")  # no -wal beside the copy


def require_existing(file: Path) -> None:
    """Check that there is a file at the path of a history, and that it and what is beside it are regular.

    Raises:
        OSError: there is none, or one of them is not.
    """
    if not file.exists():
        raise FileNotFoundError(f"{file} does not exist: a recorder makes it when it first runs")
    require_regular(file)


def require_regular(file: Path) -> None:
    """Check that what stands at the path of a history, and beside it, is no folder, and no pipe, which would block.

    Raises:
        OSError: it is.
    """
    for one in (file, *(part(file, end) for end in PARTS)):
        if one.exists() and not stat.S_ISREG(one.stat().st_mode):
            raise OSError(f"{one} is not a regular file")


def require_complete(file: Path) -> None:
    """Check that a file is a database, and as long as its header says: somebody may still be copying it.

    Raises:
        OSError: it is not, or cannot be read. No connection to it may be open: closing a file drops its locks.
    """
    with file.open("rb") as stream:
        header = stream.read(HEADER)
    page = int.from_bytes(header[16:18]) if header[16:18] != b"\0\1" else 65_536
    if not header.startswith(MAGIC) or file.stat().st_size < page * int.from_bytes(header[28:32]):
        raise OSError(f"{file} is not a complete history; perhaps it is still being copied")


def require_history(file: Path) -> None:
    """Check the whole of a copy that nobody writes to: it is a history of this version, and not damaged.

    Raises:
        OSError: it is not, or cannot be read.
    """
    require_complete(file)
    _check(file, ALONE)


def format_of(file: Path) -> int:
    """Return the format of a history, which perhaps somebody has open; 0 if it is empty.

    Raises:
        OSError: it is no database, or cannot be read.
    """
    require_existing(file)
    try:
        with closing(connect(file, WITH_JOURNAL)) as database, suppress(sqlite3.OperationalError):
            return stored_format(database)
        with closing(connect(file, ALONE)) as database:  # we may not make the files that reading a journal takes
            return stored_format(database)
    except sqlite3.Error as error:
        raise OSError(f"{file}: {error}") from None


def has_foreign_journal(file: Path) -> bool:
    """Return whether the journal beside a file, which nobody has open, is that of another one and would damage it.

    It is checked only if the file was put there some time after the journal was written: that takes a while.
    """
    try:
        journal = part(file, "-wal").stat()
        if not journal.st_size or file.stat().st_ctime < journal.st_ctime + APART_S:
            return False
        require_complete(file)
        _check(file, ALONE)
    except OSError:
        return False
    try:
        _check(file, WITH_JOURNAL)
    except OSError:
        return True
    return False


def _check(file: Path, how: str) -> None:
    """Check a history without changing it; how it is opened decides whether the journal beside it is read, too."""
    try:
        with closing(connect(file, how)) as database:
            version = stored_format(database)
            (found,) = database.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        raise OSError(f"the history is damaged: {error}") from None
    if why := newer_fault(version) or ("it is empty" if version == 0 else None):
        raise OSError(f"the history cannot be used: {why}")
    if found != "ok":
        raise OSError(f"the history is damaged: {' '.join(found.split())}")


def put_in_place(copy: Path, file: Path) -> None:
    """Rename a whole copy onto a history. A recorder that writes to it notices that after its next batch.

    Raises:
        OSError: that is not possible.
    """
    for end in PARTS:  # first, so that no journal of the one before is ever beside the new one
        part(file, end).unlink(missing_ok=True)
    copy.replace(file.resolve())
