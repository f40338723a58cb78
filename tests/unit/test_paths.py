"""Files of our own: written whole or not at all, and never what somebody has put in their place."""

import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from bootstrap.errors import Exit, Fatal
from bootstrap.history.sqlite.reader import SqliteReader
from bootstrap.logs.rotating_stderr import RotatingStderr
from bootstrap.outbox.dead_letters import DeadLetters
from bootstrap.outbox.message import Message
from bootstrap.paths import Folders, open_own, read_own, rewrite, write_new
from bootstrap.runtime.lock import ProcessLock, refuse_root
from support.world import segment_log

STRANGER = 54_321  # a user whom no machine has


@pytest.mark.usefixtures("full_disk")
def test_nothing_is_left_of_a_file_for_which_there_is_no_room(tmp_path: Path) -> None:
    (tmp_path / "old").write_text("old")
    for write, name in ((write_new, "new"), (rewrite, "old"), (rewrite, "new")):
        with pytest.raises(OSError, match="File too large"):
            write(tmp_path / name, "more than ten bytes")
    assert [one.name for one in tmp_path.iterdir()] == ["old"]
    assert (tmp_path / "old").read_text() == "old"
    write_new(tmp_path / "new", "short")
    with pytest.raises(FileExistsError):
        write_new(tmp_path / "new", "again")
    assert (tmp_path / "new").read_text() == "short"


def test_a_rewritten_file_does_not_go_through_a_link(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / f".kinds.json.{os.getpid()}").symlink_to(victim)
    (tmp_path / "kinds.json").symlink_to(victim)
    rewrite(tmp_path / "kinds.json", "{}")
    assert (victim.read_text(), read_own(tmp_path / "kinds.json")) == ("precious", b"{}")


@pytest.mark.parametrize(
    ("put", "why"),
    [
        (lambda file: file.symlink_to(file.parent / "victim"), "it is a symbolic link"),
        (os.mkfifo, "it is not a regular file|No such device or address"),
        (os.mkdir, "it is not a regular file|Is a directory"),
    ],
    ids=["link", "pipe", "folder"],
)
def test_what_is_in_the_place_of_a_file_is_neither_written_nor_waited_for(
    tmp_path: Path, put: Callable[[Path], None], why: str
) -> None:
    (tmp_path / "victim").write_text("precious")
    put(tmp_path / "file")
    for flags in (os.O_RDONLY, os.O_RDWR | os.O_CREAT, os.O_WRONLY | os.O_APPEND | os.O_CREAT):
        with pytest.raises(OSError, match=why):
            open_own(tmp_path / "file", flags)
    assert (tmp_path / "victim").read_text() == "precious"


def test_all_that_writes_into_the_state_folder_passes_there(tmp_path: Path) -> None:
    """A lock, a log, dead letters, stored readings."""
    victim = tmp_path / "victim"
    victim.write_text("precious")
    for name in ("cm.cellar.lock", "supervisor.log", "dead_letters.jsonl", "0000000001.spill"):
        (tmp_path / name).symlink_to(victim)
    with pytest.raises(Fatal, match=r"cannot create the lock .*cm.cellar.lock: it is a symbolic link$"):
        ProcessLock(Folders(tmp_path, tmp_path), "cm.cellar")
    with pytest.raises(OSError, match="it is a symbolic link"):
        RotatingStderr(tmp_path / "supervisor.log", 1)
    DeadLetters(tmp_path).add(Message("cm/cellar/data/reading", b"{}"), "no broker accepts it")
    assert len(segment_log(tmp_path)) == 0
    assert victim.read_text() == "precious"


@pytest.mark.parametrize("name", ["history.sqlite", "history.sqlite-wal"])
def test_a_history_that_is_a_pipe_hangs_nobody(tmp_path: Path, name: str) -> None:
    (tmp_path / "history.sqlite").touch()
    (tmp_path / name).unlink(missing_ok=True)
    os.mkfifo(tmp_path / name)
    with pytest.raises(OSError, match=f"{name} is not a regular file"):
        SqliteReader(tmp_path / "history.sqlite")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_root_does_not_run_in_a_folder_of_somebody_else(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    os.chown(state, STRANGER, STRANGER)
    why = rf"{state} belongs to #{STRANGER}, not to root; run it as that user: sudo -u '#{STRANGER}' penates"
    for folders in (Folders(state, tmp_path), Folders(tmp_path, state), Folders(state / "not" / "yet", tmp_path)):
        with pytest.raises(Fatal, match=why):
            ProcessLock(folders, "cm.cellar")
    assert [*state.iterdir()] == []
    os.seteuid(STRANGER)  # such as the user of a unit
    try:
        refuse_root(state)
    finally:
        os.seteuid(0)
    os.chown(state, 0, 0)
    with closing(ProcessLock(Folders(state, state), "cm.cellar")), pytest.raises(Fatal) as running:
        ProcessLock(Folders(state, state), "cm.cellar")
    assert running.value.code == Exit.RUNNING


def test_what_is_in_a_lock_is_repeated_only_if_it_is_a_process_id(tmp_path: Path) -> None:
    folders = Folders(tmp_path, tmp_path)
    with closing(ProcessLock(folders, "cm.cellar")):
        with pytest.raises(Fatal, match=f"already running, as process {os.getpid()} "):
            ProcessLock(folders, "cm.cellar")
        (tmp_path / "cm.cellar.lock").write_bytes(b"\x1b]0;pwned\x07")
        with pytest.raises(Fatal, match="already running, as process unknown "):
            ProcessLock(folders, "cm.cellar")
