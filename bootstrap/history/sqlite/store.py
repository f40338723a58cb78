"""The history in one file: SQLite, which needs no server.

A reading is one row, keyed by sensor, run and seq: whatever is told twice is there once. Averages over five minutes
and a day are kept when the readings themselves are too old to be (see rollups.py).
"""

import json
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

from bootstrap.history.points import READING, Point
from bootstrap.history.reader import DAY_S, MICRO
from bootstrap.history.sqlite.rollups import BUSY_S, SCHEMA, RollUps, bucket, is_gone
from bootstrap.logs import log

Line: TypeAlias = tuple[int, str, int, int, str]

FORMAT = 1
INSERT = "INSERT OR IGNORE INTO reading VALUES (?, ?, ?, ?, ?)"
STEP_S = 0.01  # of a commit are for roll-ups, and what they have begun; and of all time this part, however many come:
SHARE = 0.1
SETTLED_S = 60.0  # after their end, five minutes are rolled up
LOOK_S = 30.0  # until it is looked again for readings that are too old
CACHE_KIB = 500  # of pages; four times as much is no faster
JOURNAL_BYTES = 16_000_000  # that it shrinks to after it had to be larger
COMPACT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


class SqliteStore:
    """Writes one file. A commit is on disk when `put` returns."""

    def __init__(self, file: Path, keep_days: float, *, owner: bool = False) -> None:
        """Open it, or make it; the `owner` moves one that is damaged aside, and begins anew.

        Raises:
            OSError: it cannot be opened, or is no such file.
        """
        self._file, self._keep_s, self._owner = file, keep_days * DAY_S, owner
        self.new = 0  # readings stored that were not there yet
        try:
            self._open()
        except sqlite3.Error as error:
            if not self._set_aside(error):
                raise OSError(f"{file}: {error}") from None
            self._reopen()

    def _open(self) -> None:
        self._sensors: dict[str, tuple[int, int]] = {}  # id, and since when its readings are all there
        self._version = self._look_at = self._tidy_at = -1.0
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(self._file, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
        try:
            self._prepare()
        except sqlite3.Error:
            self._database.close()
            raise

    def _prepare(self) -> None:
        (version,) = self._database.execute("PRAGMA user_version").fetchone()
        if version not in (0, FORMAT):
            raise sqlite3.DatabaseError(f"it is of format {version}, which another version of penates has made")
        for pragma in (
            "journal_mode = WAL",
            "synchronous = FULL",
            f"cache_size = -{CACHE_KIB}",
            f"journal_size_limit = {JOURNAL_BYTES}",
        ):
            self._database.execute(f"PRAGMA {pragma}")
        if version != FORMAT:
            self._database.executescript(f"BEGIN IMMEDIATE; {SCHEMA} PRAGMA user_version = {FORMAT}; COMMIT")

    def _reopen(self) -> None:
        try:
            self._open()
        except sqlite3.Error as error:
            raise OSError(f"{self._file}: {error}") from None

    def _set_aside(self, error: sqlite3.Error) -> bool:
        """Whether the file was damaged, and is out of the way now, for somebody to look at."""
        damaged = getattr(error, "sqlite_errorcode", 0) & 0xFF in DAMAGE
        if not (damaged and self._owner):
            return False
        self._database.close()
        aside = f"{self._file.name}.damaged-{datetime.now(UTC):%Y%m%dT%H%M%S.%f}"
        for end in ("-wal", "-shm", ""):  # the file last: until then, whoever opens it sees the damage
            with suppress(FileNotFoundError):
                self._file.with_name(self._file.name + end).rename(self._file.with_name(aside + end))
        text = "the history is damaged: it was moved aside, and a new one is begun; `sqlite3 FILE .recover` may save it"
        log.error(text, file=str(self._file.with_name(aside)), error=str(error))
        return True

    def put(self, points: Sequence[Point]) -> dict[int, str]:
        """Store them, all or none; those that are there already change nothing, and none is refused.

        Raises:
            OSError: the disk is full, or the file cannot be written to.
        """
        readings = [point for point in points if point.measurement == READING]
        with self._commit():
            new = self._insert(readings)
            if time.monotonic() >= self._tidy_at:
                self._tidy(max((point.time_us for point in points), default=None))
        self.new += new
        return {}

    def settle(self) -> None:
        """Roll up all that has come, step by step, so that nobody else waits long.

        Raises:
            OSError: as `put`.
        """
        more = True
        while more:
            with self._commit():
                more = self._tidy(None)

    @contextmanager
    def _commit(self) -> Iterator[None]:
        try:
            self._database.execute("BEGIN IMMEDIATE")
            yield
            self._database.execute("COMMIT")
        except sqlite3.Error as error:
            self._version = -1
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
            if self._set_aside(error):
                self._reopen()
            raise OSError(str(error)) from None

    def _insert(self, points: Sequence[Point]) -> int:
        """Returns how many were not there yet."""
        self._refresh()
        touched = set()
        lines: list[Line] = []
        for point in points:
            sensor, whole = self._sensor(point.sensor)
            start = bucket(point.time_us)
            if start < whole and is_gone(self._database, sensor, point.run, point.seq):
                continue
            touched.add((start, sensor))
            lines.append((sensor, point.run, point.seq, point.time_us, COMPACT(point.fields)))
        new = self._database.executemany(INSERT, lines).rowcount if lines else 0
        self._database.executemany("INSERT OR IGNORE INTO dirty VALUES (?, ?)", touched)
        return new

    def _refresh(self) -> None:
        """Somebody else may have written meanwhile."""
        (version,) = self._database.execute("PRAGMA data_version").fetchone()
        if version != self._version:
            self._version = version
            found = self._database.execute("SELECT name, id, whole FROM sensor")
            self._sensors = {name: (number, whole) for name, number, whole in found}

    def _sensor(self, name: str) -> tuple[int, int]:
        if name not in self._sensors:
            query = "INSERT INTO sensor (name) VALUES (?) RETURNING id, whole"
            self._sensors[name] = self._database.execute(query, (name,)).fetchone()
        return self._sensors[name]

    def _tidy(self, newest_us: int | None) -> bool:
        """A step of what is to be done to the history, for as long as a commit may wait; whether there may be more."""
        folder = RollUps(self._database)
        began = time.monotonic()
        more = any(time.monotonic() > began + STEP_S for _ in self._steps(folder, newest_us))
        folder.finish()
        ended = time.monotonic()
        self._tidy_at = ended + (ended - began) * (1 / SHARE - 1)
        return more

    def _steps(self, folder: RollUps, newest_us: int | None) -> Iterator[None]:
        """Roll up what has ended; and, where we know how late it is by what was just stored, end what is too old."""
        while folder.fold_dirty(time.time() - SETTLED_S):
            yield
        if newest_us is None or time.monotonic() < self._look_at:
            return
        # Neither a clock that is ahead nor a sensor that is may end a history before its time.
        now = min(time.time(), newest_us / MICRO)
        while folder.expire(now - self._keep_s):
            self._version = -1
            yield
        self._look_at = time.monotonic() + LOOK_S

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()
