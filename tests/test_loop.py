"""The loop, the threads' sockets and the clock, each on its own."""

import gc
import os
import re
import threading
import time

import pytest
import zmq
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.contract import timestamps
from bootstrap.errors import Refused
from bootstrap.eventloop.loop import Loop, Timer
from bootstrap.eventloop.threads import NOTES, Inbox, Sockets, Worker


def test_timers_run_in_order_and_cancelled_ones_do_not() -> None:
    loop, seen = Loop(), []
    loop.call_later(0.02, lambda: seen.append("later"))
    loop.call_later(0.01, lambda: seen.append("sooner"))
    loop.call_later(0.01, lambda: seen.append("never")).cancel()
    loop.call_soon(lambda: seen.append("at once"))
    assert loop.run(lambda: len(seen) == 3, 5)
    assert seen == ["at once", "sooner", "later"]


def test_a_timer_of_ages_is_no_number_too_large() -> None:
    loop, seen = Loop(), []
    reader, writer = os.pipe()
    loop.call_later(1e300, lambda: seen.append("never"))
    loop.add_reader(reader, lambda _events: seen.append("now"))
    os.write(writer, b"x")
    assert loop.run(lambda: bool(seen))
    assert seen == ["now"]
    os.close(reader)
    os.close(writer)


def test_cancelled_timers_do_not_pile_up() -> None:
    """Of a lamp that is told `for_s` again and again."""
    loop = Loop()
    loop.call_later(1000, lambda: None)
    for _ in range(1000):
        loop.call_later(2000, lambda: None).cancel()
    assert sum(isinstance(thing, Timer) for thing in gc.get_objects()) < 200
    assert not loop.run(lambda: False, 0.01)


def test_run_ends_at_its_limit() -> None:
    began = time.monotonic()
    assert not Loop().run(lambda: False, 0.05)
    assert 0.05 <= time.monotonic() - began < 1


def test_a_timer_that_re_arms_itself_at_once_starves_nobody() -> None:
    loop, seen = Loop(), []
    reader, writer = os.pipe()

    def again() -> None:
        loop.call_soon(again)

    loop.call_soon(again)
    loop.add_reader(reader, lambda _: seen.append(os.read(reader, 1)))
    os.write(writer, b"x")
    assert loop.run(lambda: seen == [b"x"], 5)
    os.close(reader)
    os.close(writer)


def test_what_was_unwatched_in_the_same_turn_is_not_called() -> None:
    loop, seen = Loop(), []
    pipes = [os.pipe(), os.pipe()]
    for reader, writer in pipes:
        os.write(writer, b"x")

        def only_one(_: int, mine: int = reader) -> None:
            seen.append(mine)
            for other, _writer in pipes:
                loop.remove_reader(other)

        loop.add_reader(reader, only_one)
    loop.run(lambda: False, 0.05)
    assert len(seen) == 1
    for end in [*pipes[0], *pipes[1]]:
        os.close(end)


def test_every_goes_on() -> None:
    loop, seen = Loop(), []
    loop.call_every(0.01, lambda: seen.append(1))
    assert loop.run(lambda: len(seen) == 4, 5)


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
        assert NOTES <= taken <= 2 * NOTES + 10
        with inbox.sender(limit=0) as unbounded:
            assert all(unbounded.send("count") for _ in range(3 * NOTES))
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
    assert re.search(r"test_loop\.py:\d+$", where)
    inbox = Inbox(sockets)
    with inbox.sender():
        assert sum("test_loop.py" in line for line in sockets.lingering()) == 2
    inbox.close()
    sockets.close(left)
    sockets.end()


@given(st.integers(0, 4_000_000_000_000_000))
def test_times_sort_as_they_follow(microseconds: int) -> None:
    assert timestamps.utc(microseconds) < timestamps.utc(microseconds + 1)
    assert timestamps.parse(timestamps.utc(microseconds)).timestamp() == pytest.approx(microseconds / 1e6, abs=1e-5)


def test_a_time_as_it_goes_on_the_wire() -> None:
    assert timestamps.utc(1_795_206_667_123_456) == "2026-11-20T20:31:07.123456Z"


@pytest.mark.parametrize("text", ["", "now", "2026-13-01T00:00:00Z", "2026-11-20T20:31:07"])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(Refused):
        timestamps.parse(text)
