"""Notes and results that other threads bring to the loop, and the sockets they come by."""

import re
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
import zmq

from bootstrap.eventloop.loop import Loop
from bootstrap.eventloop.threads import INBOX_LIMIT, SHARED, Inbox, Sockets, Worker
from support.world import eventually


def test_notes_of_many_threads_arrive_in_each_threads_order() -> None:
    sockets, loop = Sockets(), Loop()
    inbox = Inbox(sockets)
    loop.add_reader(inbox.socket, inbox.receive)
    notes: list[bytes] = []
    inbox.on("count", notes.append)

    def send(name: int) -> None:
        with inbox.sender() as sender:
            for number in range(100):
                assert sender.send("count", b"%d:%03d" % (name, number))

    threads = [threading.Thread(target=send, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    assert loop.run(lambda: len(notes) == 400, 10)
    for thread in threads:
        thread.join()
    for name in range(4):
        own = [note for note in notes if note.startswith(b"%d:" % name)]
        assert own == sorted(own)
    inbox.close()
    sockets.end()


def test_a_full_inbox_refuses_and_never_blocks() -> None:
    sockets = Sockets()
    inbox = Inbox(sockets)
    with inbox.sender() as sender:
        taken = 0
        while sender.send("count"):
            taken += 1
        assert INBOX_LIMIT <= taken <= 2 * INBOX_LIMIT + 10
        with inbox.sender(limit=0) as unbounded:
            assert all(unbounded.send("count") for _ in range(3 * INBOX_LIMIT))
    inbox.close()
    sockets.end()


def test_a_note_that_comes_after_the_end_is_passed_over() -> None:
    """From a thread of gpiozero's, say: the stop was in order, and is no bug of that thread."""
    sockets = Sockets()
    inbox = Inbox(sockets)
    inbox.close()
    sockets.end()
    inbox.post("edge", b"0 1 2")


def test_a_worker_brings_results_and_exceptions_to_the_loop() -> None:
    sockets, loop = Sockets(), Loop()
    inbox = Inbox(sockets)
    loop.add_reader(inbox.socket, inbox.receive)
    worker = Worker(inbox)
    here = threading.get_ident()
    results: list[object] = []

    def then(result: int) -> None:
        results.append((result != here, threading.get_ident() == here))

    worker.call(threading.get_ident, then, results.append)
    worker.call(lambda: 1 // 0, then, results.append)
    assert loop.run(lambda: len(results) == 2, 5)
    assert (True, True) in results
    assert any(isinstance(result, ZeroDivisionError) for result in results)
    worker.close()
    inbox.close()
    assert sockets.lingering() == []
    sockets.end()


@pytest.fixture
def working() -> Iterator[tuple[Loop, Worker]]:
    loop = Loop()
    with ExitStack() as stack:
        sockets = Sockets()
        stack.callback(sockets.end)
        inbox = Inbox(sockets)
        stack.callback(inbox.close)
        loop.add_reader(inbox.socket, inbox.receive)
        worker = Worker(inbox)
        stack.callback(worker.close)
        yield loop, worker


class Gate:
    """Work that ends when it may, and counts how many work at once."""

    def __init__(self) -> None:
        self.open = threading.Semaphore(0)
        self.inside, self.most = 0, 0
        self._lock = threading.Lock()

    def work(self) -> None:
        with self._lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
        assert self.open.acquire(timeout=60)
        with self._lock:
            self.inside -= 1


@pytest.mark.parametrize(("lane", "at_once"), [("", SHARED), ("the bus", 1)])
def test_calls_share_few_threads_and_those_of_one_lane_a_single_one(
    working: tuple[Loop, Worker], lane: str, at_once: int
) -> None:
    loop, worker = working
    gate, done = Gate(), list[int]()
    for number in range(10):
        worker.call(gate.work, lambda _, number=number: done.append(number), done.append, lane)  # type: ignore[misc, arg-type]
    eventually(lambda: gate.inside == at_once, "as many as may")
    worker.call(lambda: None, lambda _: done.append(99), done.append, "another bus")  # type: ignore[arg-type]
    assert loop.run(lambda: done == [99], 60)
    gate.open.release(10)
    assert loop.run(lambda: len(done) == 11, 60)
    assert gate.most == at_once
    assert done[1:] == [*range(10)] or not lane
    eventually(lambda: not [one for one in threading.enumerate() if one.name.startswith("worker-")], "no thread left")


def test_a_call_that_waits_can_be_cancelled_and_one_that_runs_cannot(working: tuple[Loop, Worker]) -> None:
    loop, worker = working
    gate, done = Gate(), list[str]()
    calls = [
        worker.call(gate.work, lambda _, name=name: done.append(name), lambda _: None, "bus")  # type: ignore[misc]
        for name in ("first", "second", "third")
    ]
    eventually(lambda: gate.inside, "the first runs")
    calls[0].cancel()
    calls[1].cancel()
    assert [one.cancelled for one in calls] == [False, True, False]
    assert [one.began is None for one in calls] == [False, True, True]
    gate.open.release(3)
    assert loop.run(lambda: len(done) == 2, 60)
    assert done == ["first", "third"]


def test_even_an_exit_in_a_call_reaches_the_loop(working: tuple[Loop, Worker]) -> None:
    loop, worker = working
    failed: list[BaseException] = []
    worker.call(sys.exit, failed.append, failed.append)
    assert loop.run(lambda: len(failed) == 1, 60)
    assert isinstance(failed[0], SystemExit)


def test_sockets_remember_the_line_that_made_them() -> None:
    sockets = Sockets()
    left = sockets.open(zmq.PULL)
    (where,) = sockets.lingering()
    assert re.search(r"test_threads\.py:\d+$", where)
    inbox = Inbox(sockets)
    with inbox.sender():
        assert sum("test_threads.py" in line for line in sockets.lingering()) == 2
    inbox.close()
    sockets.close(left)
    sockets.end()
