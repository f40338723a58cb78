"""A history whose file is replaced, removed, moved or unmounted: nothing is stored where nobody finds it."""

import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bootstrap.history.points import Point
from bootstrap.history.sqlite import copy
from bootstrap.history.sqlite.reader import SqliteReader
from bootstrap.history.sqlite.store import SqliteStore

NOW_US = 1_795_206_667_123_456


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    (tmp_path / "disk").mkdir()
    return tmp_path / "disk"


@pytest.fixture
def file(disk: Path) -> Path:
    return disk / "history.sqlite"


@pytest.fixture
def note(tmp_path: Path) -> Path:
    return tmp_path / "state" / "history.json"


@pytest.fixture
def store(file: Path, note: Path) -> Iterator[SqliteStore]:
    with closing(opened(file, note)) as store:
        put(store, 1)
        yield store


def opened(file: Path, note: Path | None = None, *, owner: bool = True) -> SqliteStore:
    return SqliteStore(file, keep_days=36_500, owner=owner, note=note)


def put(store: SqliteStore, *seqs: int, word: str = "dry") -> None:
    store.put([Point("cm/attic", NOW_US + seq, "r1", seq, {"level": float(seq), "word": word}) for seq in seqs])


def put_until_stored(store: SqliteStore, *seqs: int) -> list[str]:
    """As the recorder does; returns why it failed before."""
    whys: list[str] = []
    while len(whys) < 5:
        try:
            put(store, *seqs)
        except OSError as why:
            whys.append(str(why))
        else:
            return whys
    raise AssertionError(whys)


def stored(file: Path) -> list[float | str]:
    with closing(sqlite3.connect(file)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    with closing(SqliteReader(file)) as reader:
        return [row.fields["level"] for row in reader.rows("cm/attic", 0)]


def names(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir() if not one.name.endswith(("-wal", "-shm")))


def test_what_is_put_after_another_file_was_renamed_onto_it_is_in_that(
    store: SqliteStore, file: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(opened(tmp_path / "other.sqlite")) as other:
        put(other, 7, 8)
    (tmp_path / "other.sqlite").rename(file)
    assert put_until_stored(store, 2, 3) == [f"{file} was replaced by another file while it was open"]
    assert stored(file) == [2, 3, 7, 8]
    assert "the history is the file that is there now" in caplog.text
    assert names(file.parent) == ["history.sqlite"]


def test_another_file_and_its_own_journal_are_both_kept(store: SqliteStore, file: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.sqlite"
    with closing(opened(other)) as running:
        put(running, 7, 8)
        for end in ("-wal", ""):
            shutil.copy(f"{other}{end}", f"{file}{end}.new")
    file.with_name("history.sqlite-shm").unlink()
    for end in ("-wal", ""):
        Path(f"{file}{end}.new").replace(f"{file}{end}")
    assert len(put_until_stored(store, 2)) == 1
    assert stored(file) == [2, 7, 8]


def test_a_removed_file_is_written_again_from_what_is_open(store: SqliteStore, file: Path) -> None:
    for one in [*file.parent.iterdir()]:
        one.unlink()
    assert put_until_stored(store, 2, 3) == [f"{file} was removed while it was open; it was written again"]
    put(store, 4)
    assert stored(file) == [1, 2, 3, 4]
    assert names(file.parent) == ["history.sqlite"]


def test_an_empty_file_that_somebody_has_made_there_meanwhile_is_no_history(store: SqliteStore, file: Path) -> None:
    file.unlink()
    with closing(sqlite3.connect(file)) as database, pytest.raises(sqlite3.OperationalError):
        database.execute("SELECT count(*) FROM reading")
    assert len(put_until_stored(store, 2)) == 1
    assert stored(file) == [1, 2]


def test_a_removed_folder_is_made_again(store: SqliteStore, file: Path) -> None:
    shutil.rmtree(file.parent)
    assert len(put_until_stored(store, 2)) == 1
    assert stored(file) == [1, 2]


def test_a_file_that_was_moved_away_is_whole_and_missed_until_it_is_back(store: SqliteStore, file: Path) -> None:
    away = file.with_name("away.sqlite")
    file.rename(away)
    for _ in range(2):
        with pytest.raises(OSError, match="it is gone"):
            put(store, 2)
    assert store.trouble
    assert "it is gone" in store.trouble
    assert names(file.parent) == ["away.sqlite"]
    assert stored(away) == [1, 2]
    away.rename(file)
    assert store.trouble is None
    put(store, 2, 3)
    assert stored(file) == [1, 2, 3]


def test_a_file_that_is_still_being_copied_is_waited_for(store: SqliteStore, file: Path, tmp_path: Path) -> None:
    whole = tmp_path / "whole.sqlite"
    with closing(opened(whole)) as other:
        put(other, *range(100, 2000))
    file.unlink()
    content = whole.read_bytes()
    for size in (50, 5000, len(content) - 1):
        file.write_bytes(content[:size])
        with pytest.raises(OSError, match=r"replaced by another|not a complete history"):
            put(store, 2)
    file.write_bytes(content)
    put(store, 2)
    assert len(stored(file)) == 1901
    assert names(file.parent) == ["history.sqlite"]


@pytest.fixture
def ended(store: SqliteStore) -> None:
    store.close()


@pytest.mark.usefixtures("ended")
@pytest.mark.parametrize("owner", [True, False])
def test_a_history_that_is_gone_at_the_start_is_not_begun_anew(file: Path, note: Path, *, owner: bool) -> None:
    kept = file.rename(file.with_name("kept"))
    with closing(opened(file, note, owner=owner)) as store:
        assert str(file) in (store.trouble or "")
        with pytest.raises(OSError, match=f"to begin a new history, remove {note}"):
            put(store, 2)
        assert names(file.parent) == ["kept"]
        kept.rename(file)
        assert store.trouble is None
        put(store, 2)
    assert stored(file) == [1, 2]


@pytest.mark.usefixtures("ended")
def test_an_empty_file_in_its_place_is_no_history(file: Path, note: Path) -> None:
    file.write_bytes(b"")
    with closing(opened(file, note)) as store, pytest.raises(OSError, match="it is empty"):
        put(store, 2)
    assert file.read_bytes() == b""


@pytest.mark.usefixtures("ended")
def test_what_is_below_an_unmounted_disk_is_not_the_history(file: Path, note: Path) -> None:
    """The note is that of a disk which was mounted at this folder; what is in it now was begun without the disk."""
    note.write_text(json.dumps({"file": str(file), "mount": str(file.parent)}))
    with closing(opened(file, note)) as store:
        assert f"no disk is mounted at {file.parent}" in (store.trouble or "")
        with pytest.raises(OSError, match="no disk is mounted"):
            put(store, 2)
    assert stored(file) == [1]


@pytest.mark.usefixtures("ended")
def test_its_owner_may_have_a_new_one_which_is_announced_once(
    file: Path, note: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file.unlink()
    caplog.clear()
    with closing(opened(file, note)) as store:
        note.unlink()
        put(store, 2)
    with closing(opened(file, note)):
        pass
    assert [one.levelname for one in caplog.records if "a new history is begun" in one.message] == ["WARNING"]
    assert stored(file) == [2]


@pytest.mark.usefixtures("ended")
@pytest.mark.parametrize("content", ["", "[]", "{}", '{"file":1,"mount":2}', "\0", "[" * 100_000])
def test_a_damaged_note_is_none(file: Path, note: Path, content: str) -> None:
    note.write_text(content)
    file.unlink()
    with closing(opened(file, note)) as store:
        put(store, 2)
    assert stored(file) == [2]


def test_a_damaged_file_that_was_moved_aside_is_not_missed(file: Path, note: Path) -> None:
    for _ in range(2):
        file.write_bytes(os.urandom(30_000))
        with closing(opened(file, note)) as store:
            put(store, 1)
        assert stored(file) == [1]


def test_a_pipe_or_folder_in_its_place_is_refused(file: Path) -> None:
    os.mkfifo(file)
    with pytest.raises(OSError, match=r"history\.sqlite is not a regular file"):
        opened(file)
    file.unlink()
    file.with_name("history.sqlite-wal").mkdir()
    with pytest.raises(OSError, match=r"history\.sqlite-wal is not a regular file"):
        opened(file)


@pytest.mark.parametrize("foreign", [True, False])
def test_the_journal_of_another_file_is_not_applied(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, foreign: bool
) -> None:
    """As a recorder that was killed leaves it beside an older copy that is put back."""
    monkeypatch.setattr(copy, "APART_S", 0.0)
    with closing(opened(file)) as store:
        put(store, *range(100))
    kept = Path(shutil.copy(file, tmp_path / "kept"))
    with closing(opened(file)) as store:
        for first in range(0, 6000, 1000):  # more than fits into the journal
            put(store, *range(first, first + 1000), word="x" * 2000)
        whole, journal = file.read_bytes(), file.with_name("history.sqlite-wal").read_bytes()
    file.with_name("history.sqlite-wal").write_bytes(journal)
    file.write_bytes(kept.read_bytes() if foreign else whole)
    with closing(opened(file)) as store:
        put(store, 9000)
    assert len(stored(file)) == (101 if foreign else 6001)
    assert len([*file.parent.glob("history.sqlite.damaged-*-wal")]) == foreign
