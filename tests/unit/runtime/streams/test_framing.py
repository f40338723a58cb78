"""Lines and frames in what arrives in pieces."""

import random
from collections.abc import Iterator

import pytest

from bootstrap.runtime.streams.framing import Framing
from bootstrap.streams import LONGEST

TEXT = "one\r\n\ntwo, and a half: ½\nthree\n".encode()
LINES = ["one", "", "two, and a half: ½", "three"]


def fed(framing: Framing, data: bytes, size: int) -> list[str | bytes]:
    return [line for at in range(0, len(data), size) for line in framing.feed(data[at : at + size])]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_lines_arrive_whole_however_they_are_cut(size: int) -> None:
    framing = Framing(None, pytest.fail)
    assert fed(framing, TEXT + b"begun", size) == LINES
    assert framing.begun == len(b"begun")


def test_what_is_no_utf_8_is_a_line_all_the_same() -> None:
    assert Framing(None, pytest.fail).feed(b"\xff5\n") == ["\ufffd5"]


def test_a_line_without_end_is_skipped_until_its_end_and_said_once() -> None:
    said: list[int] = []
    framing = Framing(None, lambda: said.append(1))
    for _ in range(3):
        assert fed(framing, b"before\n", 100) == ["before"]
        assert fed(framing, bytes(10 * LONGEST), 16_384) == []
        assert framing.begun <= LONGEST
        assert fed(framing, b"its end\nafter\n", 3) == ["after"]
    assert said == [1]


def test_the_longest_line_is_heard() -> None:
    assert fed(Framing(None, pytest.fail), b"x" * LONGEST + b"\n", 4096) == ["x" * LONGEST]


def packets(arrived: bytearray) -> Iterator[bytes]:
    """A length, and so many bytes."""
    while arrived and len(arrived) > arrived[0]:
        yield bytes(arrived[1 : arrived[0] + 1])
        del arrived[: arrived[0] + 1]


@pytest.mark.parametrize("size", [1, 2, 5, 1000])
def test_frames_are_what_the_hook_takes(size: int) -> None:
    whole = [random.randbytes(length) for length in (3, 0, 1, 255, 10)]
    data = b"".join(bytes([len(one)]) + one for one in whole)
    framing = Framing(packets, pytest.fail)
    assert fed(framing, data + b"\x05ab", size) == whole
    assert framing.begun == 3


def test_a_frame_that_never_ends_is_dropped() -> None:
    said: list[int] = []
    framing = Framing(lambda _: [], lambda: said.append(1))
    assert fed(framing, bytes(5 * LONGEST), 16_384) == []
    assert (framing.begun <= LONGEST, said) == (True, [1])
