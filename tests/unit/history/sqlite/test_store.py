"""The history's file: full disks, damage, other people's files. A batch is stored as a whole or not at all."""

import os
import resource
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from bootstrap.history.points import Point
from bootstrap.history.sqlite.reader import SqliteReader
from bootstrap.history.sqlite.store import SqliteStore

Damage = Callable[[Path], None]

KEEP_DAYS = 36_500
NOW_US = 1_795_206_667_123_456


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "history.sqlite"


def points(first: int, count: int, word: str = "dry") -> list[Point]:
    return [
        Point("cm/attic", NOW_US + seq * 1_000_000, "r1", seq, {"level": float(seq), "word": word})
        for seq in range(first, first + count)
    ]


def stored(file: Path) -> list[float | str]:
    with closing(SqliteReader(file)) as past:
        return [row.fields["level"] for row in past.rows("cm/attic", 0)]


@contextmanager
def small_files(size: int) -> Iterator[None]:
    """No file may become larger than this."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)


def test_when_there_is_no_room_all_of_a_batch_waits(file: Path) -> None:
    with closing(SqliteStore(file, KEEP_DAYS, owner=True)) as store:
        store.put(points(0, 10))
        with small_files(file.with_name("history.sqlite-wal").stat().st_size + 20_000):
            for _ in range(3):
                with pytest.raises(OSError, match=r"disk"):
                    store.put(points(10, 1000, word="x" * 200))
            assert stored(file) == list(range(10))
        store.put(points(10, 1000, word="x" * 200))
        assert store.new == 1010
    assert stored(file) == list(range(1010))


def filled(file: Path) -> None:
    with closing(SqliteStore(file, KEEP_DAYS)) as store:
        store.put(points(0, 5000))


def noise(file: Path) -> None:
    file.write_bytes(os.urandom(30_000))


def cut(file: Path) -> None:
    filled(file)
    os.truncate(file, 5000)


def overwritten(file: Path) -> None:
    """All but the first page, as a card that dies may do it."""
    filled(file)
    with file.open("r+b") as stream:
        stream.seek(4096)
        stream.write(os.urandom(file.stat().st_size - 4096))


@pytest.mark.parametrize("damage", [noise, cut, overwritten])
def test_a_damaged_file_is_moved_aside_and_a_new_one_begun(
    file: Path, damage: Damage, caplog: pytest.LogCaptureFixture
) -> None:
    damage(file)
    before = file.read_bytes()
    with closing(_opened_and_filled(file)):
        pass
    assert stored(file) == list(range(10))
    (aside,) = file.parent.glob("history.sqlite.damaged-*")
    assert aside.read_bytes()[-1000:] == before[-1000:]
    assert "moved aside" in caplog.text


def _opened_and_filled(file: Path) -> SqliteStore:
    """Damage that only shows when it is written to is one failure; the recorder tries again."""
    store = SqliteStore(file, KEEP_DAYS, owner=True)
    try:
        store.put(points(0, 10))
    except OSError:
        store.put(points(0, 10))
    return store


@pytest.mark.parametrize("damage", [noise, cut])
def test_only_its_owner_moves_it(file: Path, damage: Damage) -> None:
    damage(file)
    with pytest.raises(OSError, match=r"history.sqlite: (file is not a database|database disk image is malformed)"):
        SqliteStore(file, KEEP_DAYS).put(points(0, 1))
    assert [path.name for path in file.parent.iterdir() if "-" not in path.name] == ["history.sqlite"]


def test_a_file_of_another_version_is_left_alone(file: Path) -> None:
    with closing(sqlite3.connect(file)) as database:
        database.execute("PRAGMA user_version = 7")
    with pytest.raises(OSError, match="format is 7, of a newer version of penates; this one knows formats up to 1"):
        SqliteStore(file, KEEP_DAYS, owner=True)
    assert [path.name for path in file.parent.iterdir()] == ["history.sqlite"]


def test_two_write_one_file(file: Path) -> None:
    """As a recorder and an import do: what one has made the other knows."""
    with closing(SqliteStore(file, KEEP_DAYS)) as one, closing(SqliteStore(file, KEEP_DAYS)) as other:
        for number in range(10):
            one.put(points(number, 1))
            other.put(points(number, 2))
        assert (one.new, other.new) == (1, 10)
    assert stored(file) == list(range(11))
