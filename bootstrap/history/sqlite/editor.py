"""Changing what a SQLite file holds, while its recorder writes: values of an import, deletion, and a new name.

Each change is one short transaction that leaves readings and roll-ups consistent, so that the recorder never waits
long, and whoever reads sees nothing half done.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bootstrap.history.points import Field, Point
from bootstrap.history.reader import DAY_S, FIVE_MINUTES_S, MICRO
from bootstrap.history.sqlite.copy import connect, require_existing
from bootstrap.history.sqlite.formats import require_current
from bootstrap.history.sqlite.history_memory import file_id
from bootstrap.history.sqlite.joining import join
from bootstrap.history.sqlite.rollups import RollUps, bucket, sensor_id, whole_since_s

ALWAYS_US = (-(2**62), 2**62)
TEXT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
# The index is named because SQLite would rather look through all readings of a sensor.
AT = "SELECT run, seq, fields FROM reading INDEXED BY reading_time WHERE sensor = ? AND time = ?"
BETWEEN = "sensor = ? AND time >= ? AND time < ?"


@dataclass(frozen=True)
class Chosen:
    """Part of a history: a sensor's values from one time until before another, in microseconds; of one measure or all.

    What has been reduced to averages of five minutes is chosen if all of the five minutes are.
    """

    sensor: str
    measure: str | None = None
    from_us: int = ALWAYS_US[0]
    to_us: int = ALWAYS_US[1]

    @property
    def is_all(self) -> bool:
        """Whether it is all that there is of the sensor."""
        return self.measure is None and (self.from_us, self.to_us) == ALWAYS_US

    def covers(self, start_s: int) -> bool:
        """Return whether all of the five minutes that start then are chosen."""
        return self.from_us <= start_s * MICRO and (start_s + FIVE_MINUTES_S) * MICRO <= self.to_us


@dataclass(frozen=True)
class Extent:
    """How much is chosen: readings that are kept, and averages of five minutes; the first and last time of both."""

    readings: int
    averages: int
    first_us: int
    last_us: int


class HistoryEditor:
    """Changes a file that a `SqliteStore` has made. All methods may raise OSError."""

    def __init__(self, file: Path) -> None:
        """Open the file, which must exist.

        Raises:
            OSError: the file does not exist, or is not a history.
        """
        require_existing(file)
        self._file, self._opened = file, file_id(file)
        with self._changeable():
            self._database = connect(file, "mode=rw")
            require_current(self._database)

    @contextmanager
    def _changeable(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise OSError(f"{self._file}: {error}") from None

    @contextmanager
    def _commit(self) -> Iterator[None]:
        """Change something in one transaction.

        Raises:
            OSError: it was not changed, or not in the file that is at the path now.
        """
        with self._changeable():
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")
        if file_id(self._file) != self._opened:
            raise OSError(f"{self._file} was removed or replaced meanwhile; what was changed is not in it")

    # Values.

    def values(self, points: Sequence[Point]) -> dict[int, Field]:
        """Return the value that is stored at the time of a point with one value, by the point's index."""
        found: dict[int, Field] = {}
        with self._changeable():
            for sensor in {point.sensor for point in points}:
                number = sensor_id(self._database, sensor)
                times = [point.time_us for point in points if point.sensor == sensor]
                if number is not None and self._has(number, min(times), max(times) + 1):
                    numbered = [(index, point) for index, point in enumerate(points) if point.sensor == sensor]
                    found |= self._values(number, numbered)
        return found

    def _values(self, sensor: int, points: Sequence[tuple[int, Point]]) -> dict[int, Field]:
        found: dict[int, Field] = {}
        for index, point in points:
            (measure,) = point.fields
            for _, _, fields in self._database.execute(AT, (sensor, point.time_us)):
                known = json.loads(fields)
                if measure in known:
                    found[index] = known[measure]
        return found

    def _has(self, sensor: int, from_us: int, to_us: int) -> bool:
        query = f"SELECT 1 FROM reading WHERE {BETWEEN} LIMIT 1"  # noqa: S608 - a constant
        return self._database.execute(query, (sensor, from_us, to_us)).fetchone() is not None

    def replace(self, points: Sequence[Point]) -> None:
        """Replace the values stored at the times of these points, each of which has one value."""
        with self._commit():
            for point in points:
                sensor = sensor_id(self._database, point.sensor)
                if sensor is not None:
                    self._replace(sensor, point)
                    dirty = (bucket(point.time_us), sensor)
                    self._database.execute("INSERT OR IGNORE INTO dirty VALUES (?, ?)", dirty)

    def _replace(self, sensor: int, point: Point) -> None:
        for run, seq, fields in self._database.execute(AT, (sensor, point.time_us)).fetchall():
            known = json.loads(fields)
            if known.keys() >= point.fields.keys():
                self._write(sensor, run, seq, known | point.fields)

    def _write(self, sensor: int, run: str, seq: int, fields: Mapping[str, Field]) -> None:
        update = "UPDATE reading SET fields = ? WHERE sensor = ? AND run = ? AND seq = ?"
        self._database.execute(update, (TEXT(fields), sensor, run, seq))

    # Deletion.

    def extent(self, chosen: Chosen) -> Extent | None:
        """Return how much is chosen; None if nothing is."""
        with self._changeable():
            sensor = sensor_id(self._database, chosen.sensor)
            if sensor is None:
                return None
            readings, *times = self._readings(sensor, chosen)
            averages, *starts = self._averages(sensor, chosen)
        known = [time_us for time_us in times if time_us is not None]
        known += [start * MICRO for start in starts if start is not None]
        return Extent(readings, averages, min(known), max(known)) if known else None

    def _readings(self, sensor: int, chosen: Chosen) -> tuple[int, int | None, int | None]:
        query = f"SELECT count(*), min(time), max(time) FROM reading WHERE {BETWEEN}"  # noqa: S608 - a constant
        span: tuple[object, ...] = (sensor, chosen.from_us, chosen.to_us)
        if chosen.measure is not None:
            query += " AND EXISTS (SELECT 1 FROM json_each(fields) WHERE key = ?)"
            span += (chosen.measure,)
        found: tuple[int, int | None, int | None] = self._database.execute(query, span).fetchone()
        return found

    def _averages(self, sensor: int, chosen: Chosen) -> tuple[int, int | None, int | None]:
        query = "SELECT count(*), min(start), max(start) FROM rollup WHERE step = ? AND sensor = ?"
        query += " AND start >= ? AND start <= ?"
        first, last = -(-chosen.from_us // MICRO), chosen.to_us // MICRO - FIVE_MINUTES_S
        span: tuple[object, ...] = (FIVE_MINUTES_S, sensor, first, last)
        if chosen.measure is not None:
            query += " AND measure = (SELECT id FROM measure WHERE name = ?)"
            span += (chosen.measure,)
        found: tuple[int, int | None, int | None] = self._database.execute(query, span).fetchone()
        return found

    def delete(self, chosen: Chosen) -> Iterator[int]:
        """Delete what is chosen, a day at a time; yield how many readings were deleted, or lost a value, in each."""
        day_s: int | None = chosen.from_us // MICRO // DAY_S * DAY_S
        while day_s is not None:
            with self._commit():
                sensor = sensor_id(self._database, chosen.sensor)
                day_s = None if sensor is None else self._next_day(sensor, chosen, day_s)
                count = 0 if sensor is None or day_s is None else self._delete_day(sensor, chosen, day_s)
            if day_s is not None:
                yield count
                day_s += DAY_S
        if chosen.is_all:
            with self._commit():
                self._forget(chosen.sensor)

    def _next_day(self, sensor: int, chosen: Chosen, from_s: int) -> int | None:
        """Return the first day, not before `from_s`, that has something chosen."""
        reading = f"SELECT min(time) FROM reading WHERE {BETWEEN}"  # noqa: S608 - a constant
        span = (sensor, max(chosen.from_us, from_s * MICRO), chosen.to_us)
        (time_us,) = self._database.execute(reading, span).fetchone()
        average = "SELECT min(start) FROM rollup WHERE step = ? AND sensor = ? AND start >= ? AND start < ?"
        (start,) = self._database.execute(average, (FIVE_MINUTES_S, sensor, from_s, chosen.to_us // MICRO)).fetchone()
        found = [seconds for seconds in (None if time_us is None else time_us // MICRO, start) if seconds is not None]
        return min(found) // DAY_S * DAY_S if found else None

    def _delete_day(self, sensor: int, chosen: Chosen, day_s: int) -> int:
        from_us, to_us = max(chosen.from_us, day_s * MICRO), min(chosen.to_us, (day_s + DAY_S) * MICRO)
        starts = self._starts(sensor, day_s, from_us, to_us)
        count = self._delete_readings(sensor, chosen.measure, from_us, to_us)
        rollups = RollUps(self._database)
        whole = whole_since_s(self._database, sensor)
        for start in starts:
            if chosen.covers(start) or start >= whole:  # otherwise the average of all of it is all there is
                self._delete_averages(FIVE_MINUTES_S, sensor, chosen.measure, start)
                rollups.fold(sensor, start)
        self._delete_averages(DAY_S, sensor, chosen.measure, day_s)
        rollups.compute_day(sensor, day_s)
        return count

    def _starts(self, sensor: int, day_s: int, from_us: int, to_us: int) -> list[int]:
        """Return the starts of all five minutes of a day that have something chosen."""
        query = "SELECT DISTINCT start FROM rollup WHERE step = ? AND sensor = ? AND start >= ? AND start < ?"
        span = (FIVE_MINUTES_S, sensor, bucket(from_us), min(-(-to_us // MICRO), day_s + DAY_S))
        found = {start for (start,) in self._database.execute(query, span)}
        times = f"SELECT time FROM reading WHERE {BETWEEN}"  # noqa: S608 - a constant
        found |= {bucket(time_us) for (time_us,) in self._database.execute(times, (sensor, from_us, to_us))}
        return sorted(found)

    def _delete_readings(self, sensor: int, measure: str | None, from_us: int, to_us: int) -> int:
        span = (sensor, from_us, to_us)
        if measure is None:
            return self._database.execute(f"DELETE FROM reading WHERE {BETWEEN}", span).rowcount  # noqa: S608
        query = f"SELECT run, seq, fields FROM reading WHERE {BETWEEN}"  # noqa: S608 - a constant
        count = 0
        for run, seq, fields in self._database.execute(query, span).fetchall():
            known = json.loads(fields)
            if measure not in known:
                continue
            count += 1
            del known[measure]
            if known:
                self._write(sensor, run, seq, known)
            else:
                row = (sensor, run, seq)
                self._database.execute("DELETE FROM reading WHERE sensor = ? AND run = ? AND seq = ?", row)
        return count

    def _delete_averages(self, step_s: int, sensor: int, measure: str | None, start: int) -> None:
        delete = "DELETE FROM rollup WHERE step = ? AND sensor = ? AND start = ?"
        row: tuple[object, ...] = (step_s, sensor, start)
        if measure is not None:
            delete += " AND measure = (SELECT id FROM measure WHERE name = ?)"
            row += (measure,)
        self._database.execute(delete, row)

    def _forget(self, sensor: str) -> None:
        """Delete what was noted about a sensor whose readings are deleted, unless new ones have arrived."""
        number = sensor_id(self._database, sensor)
        if number is None or self._has(number, *ALWAYS_US):
            return
        for table in ("gone", "dirty", "rollup"):
            self._database.execute(f"DELETE FROM {table} WHERE sensor = ?", (number,))  # noqa: S608 - a constant
        self._database.execute("DELETE FROM sensor WHERE id = ?", (number,))

    # Names.

    def rename(self, old: str, new: str) -> None:
        """Give the history of a sensor another name; if there is a history of that name, both become one.

        Raises:
            ValueError: they have values from the same time, so that they cannot be of one sensor.
        """
        with self._commit():
            first, second = sensor_id(self._database, old), sensor_id(self._database, new)
            if first is not None and second is not None:
                join(self._database, first, second)
            self._database.execute("UPDATE sensor SET name = ? WHERE id = ?", (new, first))

    def close(self) -> None:
        """Close the file."""
        self._database.close()
