"""The open file of a history, which is trusted only as long as it is the one at its path."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from bootstrap.history.sqlite.copy import copy_to, has_foreign_journal, is_free, part, require_complete, require_regular
from bootstrap.history.sqlite.formats import FORMAT, bring_up_to_date, newer_fault, stored_format
from bootstrap.history.sqlite.history_memory import FileId, HistoryMemory, HistoryMissing, file_id, links
from bootstrap.history.sqlite.rollups import BUSY_S
from bootstrap.logs import log

CACHE_KIB = 500  # page cache; four times as much is no faster
JOURNAL_BYTES = 16_000_000  # size to which a larger journal shrinks again
DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


class DatabaseFile:
    """Opens a file, and opens what is at its path whenever that has become another one."""

    def __init__(self, path: Path, memory: HistoryMemory, *, owner: bool) -> None:
        """Open the file, or create it. An `owner` moves a damaged file aside and starts a new one.

        A history that was there before and is missing is no error yet: it may come back until the first commit.

        Raises:
            OSError: the file cannot be opened, or is not a history.
        """
        self._path, self._memory, self._owner = path, memory, owner
        self._database: sqlite3.Connection | None = None
        self._id: FileId | None = None
        self._wal: FileId | None = None
        self._left = False  # what was open is not the file at its path any more
        with suppress(HistoryMissing):
            self._opened()

    @property
    def trouble(self) -> str | None:
        """Why nothing can be stored, if it is known before anything is put."""
        try:
            if self._database is None:
                self._memory.require()
        except OSError as error:
            return str(error)
        return None

    @contextmanager
    def commit(self) -> Iterator[sqlite3.Connection]:
        """Provide the database for one transaction, which is committed to the file at the path when this returns.

        Raises:
            OSError: it was not, or to another file; all must be stored again.
            ValueError: something cannot be stored.
        """
        database = self._database or self._opened()
        try:
            database.execute("BEGIN IMMEDIATE")
            yield database
            database.execute("COMMIT")
        except sqlite3.Error as error:
            if database.in_transaction:
                database.execute("ROLLBACK")
            if self._set_aside(error):
                self._opened()
            raise OSError(str(error)) from None
        except (ValueError, OverflowError) as error:
            database.execute("ROLLBACK")
            raise ValueError(str(error)) from None
        if file_id(self._path) != self._id:
            self._leave(database)

    def close(self) -> None:
        """Close the file."""
        if self._database is not None:
            self._database.close()
            self._database = None

    # Opening.

    def _opened(self) -> sqlite3.Connection:
        """Open the file at the path.

        Raises:
            HistoryMissing: there was a history, and there is none now.
            OSError: it cannot be opened, or is not a history.
        """
        try:
            return self._open()
        except sqlite3.Error as error:
            if self._left or not self._set_aside(error):
                raise OSError(f"{self._path}: {error}") from None
        try:
            return self._open()
        except sqlite3.Error as error:
            raise OSError(f"{self._path}: {error}") from None

    def _open(self) -> sqlite3.Connection:
        self._memory.require()
        if self._left and self._path.exists():
            require_complete(self._path)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        require_regular(self._path)
        if self._owner and has_foreign_journal(self._path):
            self._move_journal_aside()
        before = file_id(self._path)
        database = sqlite3.connect(self._path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
        try:
            new = self._prepare(database)
            self._id = file_id(self._path)
            if before not in (None, self._id):
                raise sqlite3.OperationalError("it is being replaced")
        except (sqlite3.Error, OSError):
            database.close()
            raise
        self._database, self._wal = database, file_id(part(self._path, "-wal"))
        self._memory.remember()
        if new and self._owner:
            log.warning("a new history is begun", file=str(self._path))
        elif self._left:
            log.warning("the history is the file that is there now", file=str(self._path))
        self._left = False
        return database

    def _prepare(self, database: sqlite3.Connection) -> bool:
        """Set up the connection, and the tables as this version has them; returns whether the history is a new one."""
        version = stored_format(database)
        if why := newer_fault(version):
            raise sqlite3.DatabaseError(why)
        if version == 0 and self._memory.known:
            raise self._memory.missing("it is empty")
        for pragma in (
            "journal_mode = WAL",
            "synchronous = FULL",
            f"cache_size = -{CACHE_KIB}",
            f"journal_size_limit = {JOURNAL_BYTES}",
        ):
            database.execute(f"PRAGMA {pragma}")
        before = bring_up_to_date(database)
        if 0 < before < FORMAT:
            log.info("the tables of the history are up to date", file=str(self._path), before=before, format=FORMAT)
        return version == 0

    # Leaving a file.

    def _set_aside(self, error: sqlite3.Error) -> bool:
        """Move a damaged file aside, so that a person can look at it; returns whether that was done."""
        damaged = getattr(error, "sqlite_errorcode", 0) & 0xFF in DAMAGE
        if not (damaged and self._owner):
            return False
        self.close()
        self._memory.forget()
        aside = f"{self._path.name}.damaged-{_now()}"
        for end in ("-wal", "-shm", ""):  # the file itself last, so that it is seen to be damaged until all are moved
            with suppress(FileNotFoundError):
                self._path.with_name(self._path.name + end).rename(self._path.with_name(aside + end))
        text = "the history is damaged: it was moved aside and a new one started; `sqlite3 FILE .recover` may save it"
        log.error(text, file=str(self._path.with_name(aside)), error=str(error))
        return True

    def _move_journal_aside(self) -> None:
        """Keep the journal of a file that was replaced while nobody had it open from being applied to the new one."""
        journal = part(self._path, "-wal")
        aside = journal.with_name(f"{self._path.name}.damaged-{_now()}-wal")
        journal.rename(aside)
        part(self._path, "-shm").unlink(missing_ok=True)
        log.error("the journal beside the history is of another file: it was moved aside", file=str(aside))

    def _leave(self, database: sqlite3.Connection) -> None:
        """Close a file that is not at its path any more, so that what is there is opened next.

        Its owner writes a file that has no name at all to its path again.

        Raises:
            OSError: always, so that what was just committed to it is stored again.
        """
        rescued = None
        if self._owner and self._id and links(self._id) == 0 and is_free(self._path):
            rescued = self._rescue(database)
        self._put_down(database)
        if rescued:
            rescued.rename(self._path.resolve())
            raise OSError(f"{self._path} was removed while it was open; it was written again")
        self._memory.require()
        raise OSError(f"{self._path} was replaced by another file while it was open")

    def _rescue(self, database: sqlite3.Connection) -> Path:
        """Copy what is still open and has no name, and return the copy, which stands beside the path."""
        copy = self._path.with_name(f"{self._path.name}.rescued-{_now()}")
        try:
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy_to(database, copy)
        except (sqlite3.Error, OSError) as error:
            copy.unlink(missing_ok=True)
            raise OSError(f"{self._path} was removed, and cannot be written again: {error}") from None
        return copy

    def _put_down(self, database: sqlite3.Connection) -> None:
        """Close a file that was left, without its journal: SQLite would apply that to the file now at the path.

        Raises:
            OSError: the journal is still needed.
        """
        journal = part(self._path, "-wal")
        ours = self._wal is not None and file_id(journal) == self._wal
        busy = 1
        with suppress(sqlite3.Error):
            busy, *_ = database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if ours and busy:
            raise OSError(f"{self._path} was replaced, and its journal cannot be written to the old file yet")
        self.close()
        self._left = True
        if ours:
            for end in ("-wal", "-shm"):
                part(self._path, end).unlink(missing_ok=True)


def _now() -> str:
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S.%f}"
