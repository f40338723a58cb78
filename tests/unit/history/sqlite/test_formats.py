"""A history of an older version is brought up to date wholly or not at all; one of a newer version is left alone."""

import gzip
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from bootstrap.history.sqlite.copy import require_history
from bootstrap.history.sqlite.editor import HistoryEditor
from bootstrap.history.sqlite.formats import FORMAT, STEPS, bring_up_to_date, stored_format
from bootstrap.history.sqlite.reader import SqliteReader
from bootstrap.history.sqlite.store import SqliteStore
from support.paths import ROOT

OLD_HOUSES = sorted((ROOT / "tests" / "support" / "houses").iterdir())
KEEP_DAYS = 36_500
NEXT = (
    "ALTER TABLE reading ADD COLUMN note TEXT",
    "UPDATE reading SET note = hex(zeroblob(2000)) || going_on(seq)",
)
TABLES = ("sensor", "reading", "measure", "rollup", "dirty", "gone")
Rows = dict[str, list[tuple[object, ...]]]

# Every way in; the last is the recorder's own.
USERS: tuple[Callable[[Path], object], ...] = (
    SqliteReader,
    HistoryEditor,
    require_history,
    lambda file: SqliteStore(file, KEEP_DAYS),
    lambda file: SqliteStore(file, KEEP_DAYS, owner=True),
)
KILLED = """
import os, signal, sqlite3, sys
from bootstrap.history.sqlite.formats import STEPS, bring_up_to_date
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("PRAGMA journal_mode = WAL")
database.execute("PRAGMA cache_size = 2")  # so that much of it is in the journal by then
database.create_function("going_on", 1, lambda seq: os.kill(os.getpid(), signal.SIGKILL) if seq == 50 else "")
bring_up_to_date(database, [*STEPS, sys.argv[2:]])
"""


@pytest.fixture(params=OLD_HOUSES, ids=lambda house: house.name)
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The history that the code of an older version has made, of averages and of readings."""
    file = tmp_path / "history.sqlite"
    file.write_bytes(gzip.decompress((request.param / "history.sqlite.gz").read_bytes()))
    return file


def rows(file: Path) -> Rows:
    with closing(sqlite3.connect(file)) as database:
        return {one: sorted(database.execute(f"SELECT * FROM {one}")) for one in TABLES}


def opened(file: Path) -> sqlite3.Connection:
    database = sqlite3.connect(file, isolation_level=None)
    database.create_function("going_on", 1, lambda _seq: "")
    return database


def test_a_history_of_an_older_version_keeps_every_row(old: Path) -> None:
    before = rows(old)
    assert [len(before[one]) for one in TABLES] == [2, 21, 2, 31, 0, 2]
    SqliteStore(old, KEEP_DAYS, owner=True).close()
    assert rows(old) == before
    with closing(SqliteReader(old)) as reader:
        assert reader.sensors() == ["cm/cellar", "cm/frontdoor"]
        assert len([*reader.rows("cm/cellar", 0)]) == 21
        assert sum(one.summary.count for one in reader.averages("cm/cellar", 0, 86_400)) == 61


def test_a_new_format_is_reached_in_one_step(old: Path) -> None:
    before = rows(old)
    with closing(opened(old)) as database:
        assert bring_up_to_date(database, [*STEPS, NEXT]) == FORMAT
        assert stored_format(database) == FORMAT + 1
        assert bring_up_to_date(database, [*STEPS, NEXT]) == FORMAT + 1
    after = rows(old)
    assert [row[:-1] for row in after["reading"]] == before["reading"]
    assert {len(str(row[-1])) for row in after["reading"]} == {4000}
    assert {**after, "reading": []} == {**before, "reading": []}


def test_a_full_disk_leaves_the_old_format_and_the_next_try_does_it(old: Path) -> None:
    before = rows(old)
    with closing(opened(old)) as database:
        (pages,) = database.execute("PRAGMA page_count").fetchone()
        database.execute(f"PRAGMA max_page_count = {pages + 10}")  # SQLite says of it what it says of a full disk
        with pytest.raises(sqlite3.OperationalError, match="full"):
            bring_up_to_date(database, [*STEPS, NEXT])
        assert stored_format(database) == FORMAT
        assert rows(old) == before
        database.execute(f"PRAGMA max_page_count = {pages + 1000}")
        bring_up_to_date(database, [*STEPS, NEXT])
        assert stored_format(database) == FORMAT + 1


def test_a_kill_in_the_middle_leaves_the_old_format(old: Path) -> None:
    before = rows(old)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ran = subprocess.run([sys.executable, "-c", KILLED, old, *NEXT], check=False, env=environment)
    assert ran.returncode == -signal.SIGKILL
    assert rows(old) == before
    with closing(opened(old)) as database:
        assert stored_format(database) == FORMAT
        assert bring_up_to_date(database, [*STEPS, NEXT]) == FORMAT


def test_nobody_touches_a_history_of_a_newer_version(old: Path) -> None:
    with closing(sqlite3.connect(old)) as database:
        database.execute(f"PRAGMA user_version = {FORMAT + 1}")
    content = old.read_bytes()
    why = f"format is {FORMAT + 1}, of a newer version of penates; this one knows formats up to {FORMAT}"
    for use in USERS:
        with pytest.raises(OSError, match=why):
            use(old)
    assert old.read_bytes() == content
    assert [*old.parent.iterdir()] == [old]
