"""The history in one file: SQLite, which needs no server.

A reading is one row, keyed by sensor, run and seq: whatever is told twice is there once. Averages over five minutes
and a day are kept when the readings themselves are too old to be.
"""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bootstrap.points import READING, Field, Point

SCHEMA = """
CREATE TABLE IF NOT EXISTS sensor (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS reading (
    sensor INTEGER NOT NULL REFERENCES sensor, run TEXT NOT NULL, seq INTEGER NOT NULL,
    time INTEGER NOT NULL, fields TEXT NOT NULL, PRIMARY KEY (sensor, run, seq)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS reading_time ON reading (sensor, time);
"""
INSERT = "INSERT OR IGNORE INTO reading VALUES (?, ?, ?, ?, ?)"
BUSY_S = 5.0


@dataclass(frozen=True)
class Row:
    """One reading of the past: when (microseconds since 1970), and what it said."""

    time_us: int
    fields: dict[str, Field]


class SqliteStore:
    """Writes, and reads, one file. A commit is on disk when `put` returns."""

    def __init__(self, file: Path) -> None:
        """Open it, or make it.

        Raises:
            OSError: it cannot be opened, or is no such file.
        """
        self._sensors: dict[str, int] = {}
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(file, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = FULL")
            self._database.executescript(SCHEMA)
        except sqlite3.Error as error:
            raise OSError(f"{file}: {error}") from None

    def put(self, points: Sequence[Point]) -> dict[int, str]:
        """Store them, all or none; those that are there already change nothing.

        Raises:
            OSError: the disk is full, or the file cannot be written to.
        """
        try:
            self._database.execute("BEGIN IMMEDIATE")
            self._database.executemany(INSERT, self._rows(points))
            self._database.execute("COMMIT")
        except sqlite3.Error as error:
            self._sensors.clear()
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
            raise OSError(str(error)) from None
        return {}

    def _rows(self, points: Sequence[Point]) -> Iterator[tuple[int, str, int, int, str]]:
        for point in points:
            if point.measurement != READING:
                continue
            fields = json.dumps(point.fields, ensure_ascii=False, separators=(",", ":"))
            yield self._sensor(point.sensor), point.run, point.seq, point.time_us, fields

    def _sensor(self, name: str) -> int:
        if name not in self._sensors:
            self._database.execute("INSERT OR IGNORE INTO sensor (name) VALUES (?)", (name,))
            found = self._database.execute("SELECT id FROM sensor WHERE name = ?", (name,)).fetchone()
            self._sensors[name] = found[0]
        return self._sensors[name]

    def sensors(self) -> list[str]:
        """All of which there is a history."""
        return [name for (name,) in self._database.execute("SELECT name FROM sensor ORDER BY name")]

    def rows(self, sensor: str, since_us: int) -> Iterator[Row]:
        """The history of one sensor, oldest first."""
        query = "SELECT time, fields FROM reading JOIN sensor ON id = sensor WHERE name = ? AND time >= ? ORDER BY time"
        for time_us, fields in self._database.execute(query, (sensor, since_us)):
            yield Row(time_us, json.loads(fields))

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()
