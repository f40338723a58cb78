"""The history in one SQLite file, which needs no server.

A reading is one row with the key sensor, run and seq, so that a reading put twice is stored once. Averages over five
minutes and a day are kept after the readings themselves have expired (see rollups.py).
"""

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from bootstrap.history.points import READING, OnLeftOut, Point
from bootstrap.history.reader import DAY_S, MICRO
from bootstrap.history.sqlite.database_file import DatabaseFile
from bootstrap.history.sqlite.history_memory import HistoryMemory
from bootstrap.history.sqlite.rollups import RollUps, bucket, is_gone

DatabaseRow: TypeAlias = tuple[int, str, int, int, str]  # as in the table `reading`

INSERT = "INSERT OR IGNORE INTO reading VALUES (?, ?, ?, ?, ?)"
SETTLED_S = 60.0  # from the end of five minutes until they are rolled up
COMPACT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@dataclass(frozen=True)
class Pace:
    """How much of a store's time roll-ups may take.

    Attributes:
        step_s: longest time per commit spent on roll-ups, in seconds, until the one under way is complete.
        share: largest part of all time spent on roll-ups, however many commits there are.
        look_s: seconds between two searches for expired readings.
    """

    step_s: float = 0.01
    share: float = 0.1
    look_s: float = 30.0


PACE = Pace()


class SqliteStore:
    """Writes one file. What is put is on disk when `put` returns."""

    def __init__(
        self, file: Path, keep_days: float, *, owner: bool = False, note: Path | None = None, pace: Pace = PACE
    ) -> None:
        """Open the file, or create it. An `owner` moves a damaged file aside and starts a new one.

        `note` is a file that remembers the history. If there was one and it is missing, `trouble` says so.

        Raises:
            OSError: the file cannot be opened, or is not a history.
        """
        self._keep_s, self._pace = keep_days * DAY_S, pace
        self.new = 0  # readings stored that were not stored before
        self._sensors: dict[str, tuple[int, int]] = {}  # id, and `whole` in seconds since 1970
        self._version = self._look_at = self._tidy_at = -1.0
        self._file = DatabaseFile(file, HistoryMemory(file, note), owner=owner)

    @property
    def trouble(self) -> str | None:
        """Why nothing can be stored, if it is known before anything is put."""
        return self._file.trouble

    def put(self, points: Sequence[Point], _on_left_out: OnLeftOut = id) -> dict[int, str]:
        """Store all readings or none, leave those that are already stored as they are, and refuse none.

        Raises:
            ValueError: a point contains what cannot be stored.
            OSError: the disk is full, or the file cannot be written.
        """
        readings = [point for point in points if point.measurement == READING]
        with self._commit():
            new = self._insert(readings)
            if time.monotonic() >= self._tidy_at:
                self._tidy(max((point.time_us for point in points), default=None))
        self.new += new
        return {}

    def settle(self) -> None:
        """Roll up everything that has ended, in short commits, so that no other writer waits long.

        Raises:
            OSError: the disk is full, or the file cannot be written.
        """
        more = True
        while more:
            with self._commit():
                more = self._tidy(None)

    @contextmanager
    def _commit(self) -> Iterator[None]:
        try:
            with self._file.commit() as self._database:
                yield
        except (ValueError, OSError):
            self._version = -1
            raise

    def _insert(self, points: Sequence[Point]) -> int:
        """Insert readings, and return how many were not stored before."""
        self._refresh()
        touched = set()
        rows: list[DatabaseRow] = []
        for point in points:
            sensor, whole = self._sensor(point.sensor)
            start = bucket(point.time_us)
            if start < whole and is_gone(self._database, sensor, point.run, point.seq):
                continue
            touched.add((start, sensor))
            rows.append((sensor, point.run, point.seq, point.time_us, COMPACT(point.fields)))
        new = self._database.executemany(INSERT, rows).rowcount if rows else 0
        self._database.executemany("INSERT OR IGNORE INTO dirty VALUES (?, ?)", touched)
        return new

    def _refresh(self) -> None:
        """Load the sensors again if another process has written to the file."""
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
        """Roll up and expire readings for `Pace.step_s`, and return whether there may be more to do."""
        rollups = RollUps(self._database)
        began = time.monotonic()
        more = any(time.monotonic() > began + self._pace.step_s for _ in self._steps(rollups, newest_us))
        rollups.finish()
        ended = time.monotonic()
        self._tidy_at = ended + (ended - began) * (1 / self._pace.share - 1)
        return more

    def _steps(self, rollups: RollUps, newest_us: int | None) -> Iterator[None]:
        """Roll up what has ended; if the time of a reading just stored is known, also delete expired readings."""
        while rollups.fold_dirty(time.time() - SETTLED_S):
            yield
        if newest_us is None or time.monotonic() < self._look_at:
            return
        # The earlier of the two, so that neither our clock nor a sensor's, if fast, deletes readings too soon.
        now = min(time.time(), newest_us / MICRO)
        while rollups.expire(now - self._keep_s):
            self._version = -1
            yield
        self._look_at = time.monotonic() + self._pace.look_s

    def close(self) -> None:
        """Close the file."""
        self._file.close()
