"""The loop, by itself."""

import gc
import os
import time

from bootstrap.eventloop.loop import Loop, Timer


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
