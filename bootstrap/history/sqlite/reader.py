"""Reading the history from a SQLite file, even while a recorder writes it."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bootstrap.history.reader import DAY_S, FIVE_MINUTES_S, MICRO, Average, Row
from bootstrap.history.sqlite.copy import ALONE, WITH_JOURNAL, connect, copy_to, require_existing
from bootstrap.history.sqlite.formats import require_current
from bootstrap.history.sqlite.rollups import computed, day, sensor_id, stored, whole_since_s

FOR_EVER_S = 2**62


class SqliteReader:
    """A `HistoryReader`. Each answer is a snapshot, and includes what is not rolled up yet."""

    def __init__(self, file: Path) -> None:
        """Open the file without changing it.

        Raises:
            OSError: the file does not exist, or is not a history.
        """
        require_existing(file)
        self._file = file
        with self._readable():
            self._database = connect(file, WITH_JOURNAL)
            try:
                require_current(self._database)
            except sqlite3.OperationalError:
                # Reading needs the files -wal and -shm. If nobody writes and we may not create them, read without.
                if file.with_name(f"{file.name}-wal").exists():
                    raise
                self._database.close()
                self._database = connect(file, ALONE)
                require_current(self._database)

    @contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise OSError(f"{self._file}: {error}") from None

    @contextmanager
    def _snapshot(self) -> Iterator[None]:
        """Read within one transaction, so that every query sees the same snapshot."""
        with self._readable():
            self._database.execute("BEGIN")
            try:
                yield
            finally:
                self._database.execute("COMMIT")

    def sensors(self) -> list[str]:
        """Return the sensors that have a history, as `group/sensor`."""
        with self._readable():
            return [name for (name,) in self._database.execute("SELECT name FROM sensor ORDER BY name")]

    def whole_since_us(self, sensor: str) -> int:
        """Return the time since which all readings of a sensor are kept."""
        with self._readable():
            number = sensor_id(self._database, sensor)
            return MICRO * whole_since_s(self._database, number) if number else 0

    def rows(self, sensor: str, since_us: int) -> Iterator[Row]:
        """Return the readings of one sensor, oldest first."""
        query = "SELECT time, fields FROM reading WHERE sensor = ? AND time >= ? ORDER BY time, run, seq"
        with self._readable():
            for time_us, fields in self._database.execute(query, (sensor_id(self._database, sensor), since_us)):
                yield Row(time_us, json.loads(fields))

    def averages(self, sensor: str, since_us: int, step_s: int) -> list[Average]:
        """Return the roll-ups that ended after `since_us`, oldest first."""
        parts = self._days if step_s == DAY_S else self._five_minutes
        with self._snapshot():
            number = sensor_id(self._database, sensor)
            return [] if number is None else [*parts(number, since_us // MICRO - step_s + 1, FOR_EVER_S)]

    def _five_minutes(self, sensor: int, since_s: int, until_s: int) -> Iterator[Average]:
        """Yield the stored roll-ups, and computed ones for the five minutes in which readings have arrived since."""
        for start in self._dirty(sensor, since_s, until_s):
            yield from stored(self._database, FIVE_MINUTES_S, sensor, since_s, start)
            yield from computed(self._database, sensor, start)
            since_s = start + FIVE_MINUTES_S
        yield from stored(self._database, FIVE_MINUTES_S, sensor, since_s, until_s)

    def _days(self, sensor: int, since_s: int, until_s: int) -> Iterator[Average]:
        first = -(-since_s // DAY_S) * DAY_S  # the day that `since_s` is in ended before what is asked for
        for start in sorted({start // DAY_S * DAY_S for start in self._dirty(sensor, first, until_s)}):
            yield from stored(self._database, DAY_S, sensor, since_s, start)
            yield from day(start, self._five_minutes(sensor, start, start + DAY_S))
            since_s = start + DAY_S
        yield from stored(self._database, DAY_S, sensor, since_s, until_s)

    def _dirty(self, sensor: int, since_s: int, until_s: int) -> list[int]:
        query = "SELECT start FROM dirty WHERE sensor = ? AND start >= ? AND start < ? ORDER BY start"
        return [start for (start,) in self._database.execute(query, (sensor, since_s, until_s))]

    def copy_to(self, file: Path) -> None:
        """Copy the history as it is now, whoever writes to it meanwhile, to a new file.

        Raises:
            OSError: it cannot be read or written.
        """
        with self._readable():
            copy_to(self._database, file)

    def close(self) -> None:
        """Close the file."""
        self._database.close()
