"""Making one history of two that follow each other, as when a sensor has got another name."""

import sqlite3

from bootstrap.history.reader import DAY_S, FIVE_MINUTES_S, MICRO
from bootstrap.history.sqlite.formats import NEVER
from bootstrap.history.sqlite.rollups import RollUps, bucket, whole_since_s


def join(database: sqlite3.Connection, first: int, second: int) -> None:
    """Give all of the `second` sensor, usually the shorter history, to the `first`, within the caller's transaction.

    Raises:
        ValueError: they have values from the same time, so that they cannot be of one sensor.
    """
    one, other = _ends(database, first), _ends(database, second)
    whole = max(whole_since_s(database, sensor) for sensor in (first, second))
    begin, end = (max(one[0], other[0]), min(one[1], other[1])) if one and other else (1, 0)
    if begin < end or begin == end < whole:
        raise ValueError("both have values from the same time; delete those of one of them first")
    if whole != NEVER and any(_has_before(database, sensor, whole) for sensor in (first, second)):
        raise ValueError("some of their readings are about to be reduced to averages; try again later")
    _move(database, first, second, whole)
    rollups = RollUps(database)
    if begin == end:  # the five minutes in which one ends and the other begins
        rollups.fold(first, begin)
    for start in {start // DAY_S * DAY_S for start in (*(one or ()), *(other or ()))}:
        rollups.compute_day(first, start)


def _has_before(database: sqlite3.Connection, sensor: int, until_s: int) -> bool:
    query = "SELECT 1 FROM reading WHERE sensor = ? AND time < ? LIMIT 1"
    return database.execute(query, (sensor, until_s * MICRO)).fetchone() is not None


def _ends(database: sqlite3.Connection, sensor: int) -> tuple[int, int] | None:
    """Return the starts of a sensor's first and last five minutes."""
    times = database.execute("SELECT min(time), max(time) FROM reading WHERE sensor = ?", (sensor,)).fetchone()
    query = "SELECT min(start), max(start) FROM rollup WHERE step = ? AND sensor = ?"
    starts = database.execute(query, (FIVE_MINUTES_S, sensor)).fetchone()
    found = [bucket(time_us) for time_us in times if time_us is not None]
    found += [start for start in starts if start is not None]
    return (min(found), max(found)) if found else None


def _move(database: sqlite3.Connection, first: int, second: int, whole: int) -> None:
    for table in ("reading", "gone", "dirty", "rollup"):  # where both have an average, it is computed again
        database.execute(f"UPDATE OR REPLACE {table} SET sensor = ? WHERE sensor = ?", (first, second))  # noqa: S608
    database.execute("UPDATE sensor SET whole = ? WHERE id = ?", (whole, first))
    database.execute("DELETE FROM sensor WHERE id = ?", (second,))
