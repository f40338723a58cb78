"""Readings that wait are synced in a thread, which may hang."""

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Queue

import pytest

from bootstrap.eventloop.loop import Loop
from bootstrap.eventloop.threads import Inbox, Sockets, Worker
from bootstrap.outbox import flusher
from bootstrap.outbox.backlog import WELL_S, Backlog, BacklogLimits
from bootstrap.outbox.flusher import Flusher
from bootstrap.outbox.message import Message
from support.world import eventually, segment_log

Turn = Callable[[Callable[[], bool]], None]


class Disk:
    """It syncs when it is let, and says when it is asked."""

    def __init__(self) -> None:
        self.asked: Queue[int] = Queue()
        self.answers: Queue[OSError | None] = Queue()

    def was_asked(self, times: int) -> Callable[[], bool]:
        return lambda: self.asked.qsize() == times

    def fsync(self, place: int) -> None:
        self.asked.put(place)
        if error := self.answers.get(timeout=120):
            raise error


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    disk = Disk()
    monkeypatch.setattr(os, "fsync", disk.fsync)
    monkeypatch.setattr(flusher, "SYNC_S", 0.01)
    return disk


@pytest.fixture
def history(tmp_path: Path) -> Backlog:
    return Backlog(segment_log(tmp_path / "history"), BacklogLimits(records=100))


@pytest.fixture
def turn(history: Backlog, disk: Disk) -> Iterator[Turn]:
    """Store a reading, and turn the loop until something is true."""
    sockets, loop = Sockets(), Loop()
    inbox = Inbox(sockets)
    loop.add_reader(inbox.socket, inbox.receive)
    worker = Worker(inbox)
    mine = Flusher(loop, worker, history)

    def turn(until: Callable[[], bool]) -> None:
        history.put(Message("cm/cellar/data/reading", b"1"), -WELL_S)
        mine.check()
        eventually(lambda: loop.run(until, 0.02), "what the disk is asked")

    yield turn
    for _ in range(4):
        disk.answers.put(None)
    worker.close()
    inbox.close()
    sockets.end()


def test_a_disk_that_hangs_is_asked_once(history: Backlog, disk: Disk, turn: Turn) -> None:
    turn(lambda: disk.asked.qsize() == 1)
    calls = iter(range(10))
    turn(lambda: next(calls) == 9)
    assert (disk.asked.qsize(), history.unsynced) == (1, True)
    disk.answers.put(None)
    disk.answers.put(None)
    turn(lambda: disk.asked.qsize() == 3)


def test_a_disk_that_cannot_sync_is_named_once(disk: Disk, turn: Turn, caplog: pytest.LogCaptureFixture) -> None:
    for asked in (1, 2, 3):
        disk.answers.put(OSError(errno.EIO, os.strerror(errno.EIO)))
        turn(disk.was_asked(asked))
    disk.answers.put(None)
    turn(lambda: disk.asked.qsize() >= 4)
    assert caplog.text.count("may not survive") == 1
