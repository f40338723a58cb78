"""Roll-ups in SQLite: summaries of a sensor's readings over five minutes and a day, and deletion of old readings.

Five minutes for which a reading has arrived are listed in `dirty` until they are computed again, so it does not matter
how late or how often it arrived. A sensor's readings before its `whole` are deleted, and are only in the roll-ups. A
reading that arrives for that time is added to them once, because `gone` lists the deleted seqs, as ranges.
"""

import json
import math
import sqlite3
from collections.abc import Iterable, Iterator

from bootstrap.history.points import FOREIGN
from bootstrap.history.reader import DAY_S, FIVE_MINUTES_S, MICRO, Average, Summary

BUSY_S = 5.0  # longest wait for another writer
KEPT = """
SELECT start, name, count, mean, low, high FROM rollup JOIN measure ON id = measure
WHERE step = ? AND sensor = ? AND start >= ? AND start < ? ORDER BY start, name
"""
BEFORE = "SELECT first, last FROM gone WHERE sensor = ? AND run = ? AND first <= ? ORDER BY first DESC LIMIT 1"
OLDEST = "SELECT id, (SELECT min(time) FROM reading WHERE sensor = id) AS time FROM sensor WHERE time < ? LIMIT 1"


def bucket(time_us: int) -> int:
    """Return the start of the five minutes that a reading is in, in seconds since 1970."""
    return time_us // MICRO // FIVE_MINUTES_S * FIVE_MINUTES_S


def stored(database: sqlite3.Connection, step_s: int, sensor: int, since_s: int, until_s: int) -> Iterator[Average]:
    """Yield the roll-ups as they were last stored."""
    for start, measure, *numbers in database.execute(KEPT, (step_s, sensor, since_s, until_s)):
        yield Average(start, measure, Summary(*numbers))


def computed(database: sqlite3.Connection, sensor: int, start: int) -> list[Average]:
    """Return the roll-ups of five minutes, from the readings kept and the roll-up of those that are deleted."""
    found: dict[str, list[Summary]] = {}
    if start < whole_since_s(database, sensor):
        for average in stored(database, FIVE_MINUTES_S, sensor, start, start + 1):
            found[average.measure] = [average.summary]
    query = "SELECT fields FROM reading WHERE sensor = ? AND time >= ? AND time < ?"
    for (fields,) in database.execute(query, (sensor, start * MICRO, (start + FIVE_MINUTES_S) * MICRO)):
        for name, value in json.loads(fields).items():
            if not isinstance(value, str) and math.isfinite(value):
                found.setdefault(name, []).append(Summary(1, value, value, value))
    return _merged(start, found)


def day(start: int, parts: Iterable[Average]) -> list[Average]:
    """Return the roll-ups of a day, from those of its five minutes."""
    found: dict[str, list[Summary]] = {}
    for part in parts:
        found.setdefault(part.measure, []).append(part.summary)
    return _merged(start, found)


def _merged(start: int, found: dict[str, list[Summary]]) -> list[Average]:
    return [Average(start, name, Summary.merged(parts)) for name, parts in sorted(found.items())]


def sensor_id(database: sqlite3.Connection, sensor: str) -> int | None:
    """Return the number of a sensor in the tables, or None if it has no history."""
    found = database.execute("SELECT id FROM sensor WHERE name = ?", (sensor,)).fetchone()
    return found[0] if found else None


def whole_since_s(database: sqlite3.Connection, sensor: int) -> int:
    """Return the time since which all readings of a sensor are kept, in seconds since 1970."""
    found: tuple[int] = database.execute("SELECT whole FROM sensor WHERE id = ?", (sensor,)).fetchone()
    return found[0]


def is_gone(database: sqlite3.Connection, sensor: int, run: str, seq: int) -> bool:
    """Return whether this reading was stored and deleted, so that it is only in the roll-ups."""
    found = database.execute(BEFORE, (sensor, run, seq)).fetchone()
    return found is not None and found[1] >= seq


class RollUps:
    """Computes roll-ups within a transaction of the writer. Call `finish` before it ends, to roll up the days."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._days: set[tuple[int, int]] = set()

    def fold(self, sensor: int, start: int) -> None:
        """Compute five minutes again; if they are before `whole`, delete their readings."""
        self._write(FIVE_MINUTES_S, sensor, computed(self._database, sensor, start))
        self._database.execute("DELETE FROM dirty WHERE start = ? AND sensor = ?", (start, sensor))
        if start < whole_since_s(self._database, sensor):
            self._delete(sensor, start)
        self._days.add((sensor, start // DAY_S * DAY_S))

    def fold_dirty(self, before_s: float) -> bool:
        """Compute the oldest dirty five minutes that ended before `before_s`; returns whether there were any."""
        query = "SELECT sensor, start FROM dirty WHERE start < ? ORDER BY start LIMIT 1"
        found = self._database.execute(query, (before_s - FIVE_MINUTES_S,)).fetchone()
        if found:
            self.fold(*found)
        return bool(found)

    def expire(self, before_s: float) -> bool:
        """Delete the oldest five minutes of a sensor if they ended before `before_s`; returns whether they did.

        The oldest go first, so that everything before `whole` is rolled up for good.
        """
        found = self._database.execute(OLDEST, ((before_s - FIVE_MINUTES_S) * MICRO,)).fetchone()
        if not found:
            return False
        sensor, start = found[0], bucket(found[1])
        self.fold(sensor, start)
        self._database.execute("UPDATE sensor SET whole = max(whole, ?) WHERE id = ?", (start + FIVE_MINUTES_S, sensor))
        self._delete(sensor, start)
        return True

    def finish(self) -> None:
        """Compute the days again in which five minutes were computed."""
        for sensor, start in sorted(self._days):
            self.compute_day(sensor, start)
        self._days.clear()

    def compute_day(self, sensor: int, start: int) -> None:
        """Compute a day from its five minutes."""
        self._write(DAY_S, sensor, day(start, stored(self._database, FIVE_MINUTES_S, sensor, start, start + DAY_S)))

    def _write(self, step_s: int, sensor: int, averages: Iterable[Average]) -> None:
        for average in averages:
            name, found = (average.measure,), average.summary
            self._database.execute("INSERT OR IGNORE INTO measure (name) VALUES (?)", name)
            (measure,) = self._database.execute("SELECT id FROM measure WHERE name = ?", name).fetchone()
            row = (step_s, sensor, average.start_s, measure, found.count, found.mean, found.low, found.high)
            self._database.execute("INSERT OR REPLACE INTO rollup VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)

    def _delete(self, sensor: int, start: int) -> None:
        """Delete the readings of five minutes, and list their seqs in `gone`, except those of foreign values."""
        span = (sensor, start * MICRO, (start + FIVE_MINUTES_S) * MICRO)
        where = "WHERE sensor = ? AND time >= ? AND time < ?"
        ours = f"{where} AND run NOT LIKE '{FOREIGN}%'"  # the seq of a foreign value is its time of arrival
        seqs = f"SELECT run, seq FROM reading {ours} ORDER BY run, seq"  # noqa: S608 - constants
        for run, seq in self._database.execute(seqs, span):
            before = self._database.execute(BEFORE, (sensor, run, seq)).fetchone()
            first = before[0] if before and before[1] == seq - 1 else seq
            self._database.execute("INSERT OR REPLACE INTO gone VALUES (?, ?, ?, ?)", (sensor, run, first, seq))
        self._database.execute(f"DELETE FROM reading {where}", span)  # noqa: S608 - constants
