"""Copies of a history that is in use, and what must be true of a file before it is used as one."""

import sqlite3
import stat
from contextlib import closing
from pathlib import Path

MAGIC = b"SQLite format 3\0"
PARTS = ("-wal", "-shm", "-journal")  # what SQLite keeps beside a file, by the end of its name
HEADER = 100  # bytes


def part(file: Path, end: str) -> Path:
    """Return what SQLite keeps beside a file; beside the file itself, if `file` is a link to it."""
    whole = file.resolve()
    return whole.with_name(whole.name + end)


def copy_to(source: sqlite3.Connection, file: Path) -> None:
    """Copy a database as it is now, whoever writes to it meanwhile, to a file that stands by itself.

    Raises:
        sqlite3.Error: it cannot be read or written.
    """
    with closing(sqlite3.connect(file, isolation_level=None)) as copy:
        source.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")  # no -wal beside the copy


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
