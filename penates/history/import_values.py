"""The values of an import, of which each may have one: by sensor, measure and time."""

import sqlite3
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from bootstrap.history.points import Field, Point
from penates.history.times import printed


class ImportedValue(NamedTuple):
    """A value of an import, and where it was found."""

    file: str
    line: int
    point: Point

    @property
    def measure(self) -> str:
        """The name of its only measure."""
        (name,) = self.point.fields
        return name

    @property
    def value(self) -> Field:
        """The value itself."""
        return self.point.fields[self.measure]

    def what(self) -> str:
        """Return what it is of and when, for people."""
        return f"{self.measure!r} of {self.point.sensor} at {printed(self.point.time_us)}"


class Editable(Protocol):
    """A store whose values can be looked up and replaced."""

    def values(self, points: Sequence[Point]) -> dict[int, Field]:
        """Return the value that is stored at the time of a point with one value, by the point's index."""

    def replace(self, points: Sequence[Point]) -> None:
        """Replace the values stored at the times of these points."""


class SeenValues:
    """All values of the files so far, in a temporary database, because a history may be larger than the memory."""

    def __init__(self, *, replace: bool) -> None:
        self._replace = replace
        self._series: dict[tuple[str, str], int] = {}
        self._files: dict[str, int] = {}
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.execute(
            "CREATE TABLE seen (series INTEGER, time INTEGER, value, file INTEGER, line INTEGER,"
            " PRIMARY KEY (series, time)) WITHOUT ROWID"
        )

    def add(self, batch: Sequence[ImportedValue]) -> tuple[list[ImportedValue], list[tuple[ImportedValue, str]]]:
        """Return the values that are the first of their kind, and those that contradict one, with the reason.

        If values are replaced, it is the last that is returned, and nothing contradicts.
        """
        self._database.execute("BEGIN")
        rows = [self._row(one) for one in batch]
        new = self._database.executemany("INSERT OR IGNORE INTO seen VALUES (?, ?, ?, ?, ?)", rows).rowcount
        found = (list(batch), []) if new == len(batch) else self._sorted(batch, rows)
        self._database.execute("COMMIT")
        return found

    def _row(self, one: ImportedValue) -> tuple[int, int, Field, int, int]:
        series = self._series.setdefault((one.point.sensor, one.measure), len(self._series))
        file = self._files.setdefault(one.file, len(self._files))
        return series, one.point.time_us, one.value, file, one.line

    def _sorted(
        self, batch: Sequence[ImportedValue], rows: Sequence[tuple[int, int, Field, int, int]]
    ) -> tuple[list[ImportedValue], list[tuple[ImportedValue, str]]]:
        kept: dict[tuple[int, int], ImportedValue] = {}
        bad = []
        for one, row in zip(batch, rows, strict=True):
            query = "SELECT value, file, line FROM seen WHERE series = ? AND time = ?"
            value, file, line = self._database.execute(query, row[:2]).fetchone()
            if (file, line) == row[3:] or self._replace:
                kept.pop(row[:2], None)
                kept[row[:2]] = one
                self._database.execute("INSERT OR REPLACE INTO seen VALUES (?, ?, ?, ?, ?)", row)
            elif value != one.value:
                bad.append((one, self._contradiction(one, value, file, line)))
        return [*kept.values()], bad

    def _contradiction(self, one: ImportedValue, value: Field, file: int, line: int) -> str:
        name = next(name for name, number in self._files.items() if number == file)
        where = f"line {line}" if name == one.file else f"{name}:{line}"
        return f"{one.what()} is {one.value!r} here, and {value!r} in {where}; --replace takes the later one"

    def close(self) -> None:
        """Delete the temporary database."""
        self._database.close()


class StoredValues:
    """The values that the store had before, if it can tell."""

    def __init__(self, store: Editable | None, *, replace: bool) -> None:
        self._store, self._replace = store, replace
        self.replaced = 0

    def sort(self, values: Sequence[ImportedValue]) -> tuple[list[ImportedValue], list[tuple[ImportedValue, str]]]:
        """Return the values that are not stored yet, and those that contradict the store, with the reason.

        Those that contradict are replaced instead, if that was asked for.

        Raises:
            OSError: the store is unavailable.
        """
        stored = self._store.values([one.point for one in values]) if self._store else {}
        new = [one for index, one in enumerate(values) if index not in stored]
        different = [(values[index], value) for index, value in stored.items() if values[index].value != value]
        if self._store and self._replace and different:
            self._store.replace([one.point for one, _ in different])
            self.replaced += len(different)
            return new, []
        text = "{} is {!r} here, and {!r} in the history; --replace takes this one"
        return new, [(one, text.format(one.what(), one.value, value)) for one, value in different]
