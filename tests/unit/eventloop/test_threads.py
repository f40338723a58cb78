"""Notes and results that other threads bring to the loop, and the sockets they come by."""

import re
import threading

import zmq

from bootstrap.eventloop.loop import Loop
from bootstrap.eventloop.threads import INBOX_LIMIT, Inbox, Sockets, Worker


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
