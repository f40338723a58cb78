"""The formats of a history's tables, and the way from each to the next, for files of older versions.

`PRAGMA user_version` has the format of a file; that of an empty file is 0. A new format is a new entry at the end.
"""

import sqlite3
from collections.abc import Sequence
from typing import TypeAlias

NEVER = -(2**63)
FIRST = (
    f"""CREATE TABLE IF NOT EXISTS sensor (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, whole INTEGER NOT NULL DEFAULT {NEVER})""",
    """CREATE TABLE IF NOT EXISTS reading (
    sensor INTEGER NOT NULL REFERENCES sensor, run TEXT NOT NULL, seq INTEGER NOT NULL,
    time INTEGER NOT NULL, fields TEXT NOT NULL, PRIMARY KEY (sensor, run, seq)) WITHOUT ROWID""",
    "CREATE INDEX IF NOT EXISTS reading_time ON reading (sensor, time)",
    "CREATE TABLE IF NOT EXISTS measure (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
    """CREATE TABLE IF NOT EXISTS rollup (
    step INTEGER NOT NULL, sensor INTEGER NOT NULL, start INTEGER NOT NULL, measure INTEGER NOT NULL,
    count INTEGER NOT NULL, mean REAL NOT NULL, low REAL NOT NULL, high REAL NOT NULL,
    PRIMARY KEY (step, sensor, start, measure)) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS dirty (
    start INTEGER NOT NULL, sensor INTEGER NOT NULL, PRIMARY KEY (start, sensor)) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS gone (
    sensor INTEGER NOT NULL, run TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
    PRIMARY KEY (sensor, run, first)) WITHOUT ROWID""",
)
Statements: TypeAlias = Sequence[str]
STEPS: Sequence[Statements] = (FIRST,)  # from the format of an entry's number to the next one
FORMAT = len(STEPS)


def stored_format(database: sqlite3.Connection) -> int:
    """Return the format of a file."""
    (found,) = database.execute("PRAGMA user_version").fetchone()
    return int(found)


def newer_fault(found: int, known: int = FORMAT) -> str | None:
    """Return why this version cannot use a file of this format; None if it can, if only after `bring_up_to_date`."""
    if 0 <= found <= known:
        return None
    return f"its format is {found}, of a newer version of penates; this one knows formats up to {known}"


def require_current(database: sqlite3.Connection) -> None:
    """Check that whoever does not own a history finds it in the format of this version.

    Raises:
        sqlite3.DatabaseError: it is newer, or the recorder has not brought it up to date yet, or it is no history.
    """
    found = stored_format(database)
    if why := newer_fault(found):
        raise sqlite3.DatabaseError(why)
    database.execute("SELECT whole FROM sensor LIMIT 1")
    if found < FORMAT:
        text = f"its format is {found}; its recorder brings it to {FORMAT} when this version starts it"
        raise sqlite3.DatabaseError(text)


def bring_up_to_date(database: sqlite3.Connection, steps: Sequence[Statements] = STEPS) -> int:
    """Bring the tables to the newest format, in one transaction: afterwards all is done, or nothing.

    Returns the format that the file had before; 0 if it was empty.

    Raises:
        sqlite3.Error: it was not done, for instance because the disk is full.
    """
    if (now := stored_format(database)) >= len(steps):
        return now
    database.execute("BEGIN IMMEDIATE")
    try:
        before = stored_format(database)  # somebody else may have done it since
        for statement in (one for step in steps[before:] for one in step):
            database.execute(statement)
        database.execute(f"PRAGMA user_version = {max(before, len(steps))}")
        database.execute("COMMIT")
    except BaseException:
        if database.in_transaction:  # SQLite itself has ended it after some errors
            database.execute("ROLLBACK")
        raise
    return before
