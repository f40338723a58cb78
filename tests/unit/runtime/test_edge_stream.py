"""A line that changes thousands of times a second wakes the loop ten times a second, and one that rests never."""

import os
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest

from bootstrap.eventloop.loop import Loop
from bootstrap.pins.edge_times import EdgeBatch, KernelEvents, SimulatedEdges
from bootstrap.pins.simulated_lines import SimulatedLine
from bootstrap.runtime.edge_stream import EVERY_S, LEAST_S, EdgeStream

EVENT = struct.Struct("=QIIII24x")
LIMIT_S = 60.0


class Kernel(KernelEvents):
    """A line of a kernel that this test is."""

    keeps: ClassVar = True

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe()
        super().__init__(self._reader)
        self._count = 0

    def fileno(self) -> int:
        return self._reader

    def change(self, count: int = 1) -> None:
        for _ in range(count):
            self._count += 1
            os.write(self._writer, EVENT.pack(time.monotonic_ns(), 2 - self._count % 2, 27, self._count, self._count))

    def close(self) -> None:
        os.close(self._reader)
        os.close(self._writer)


class Loops:
    """A loop that counts how often it wakes up."""

    def __init__(self) -> None:
        self.loop, self.turns = Loop(), 0
        self.batches: list[EdgeBatch] = []

    def run(self, seconds: float) -> int:
        """Run for a while; return how often it woke up."""
        before = self.turns

        def count() -> bool:
            self.turns += 1
            return False

        self.loop.run(count, seconds)
        return self.turns - before

    def wait(self, edges: int) -> None:
        assert self.loop.run(lambda: self.edges >= edges, LIMIT_S), self.batches

    @property
    def edges(self) -> int:
        return sum(len(one.times_ns) for one in self.batches)


@pytest.fixture
def kernel() -> Kernel:
    return Kernel()


@pytest.fixture
def heard(kernel: Kernel) -> Iterator[Loops]:
    loops = Loops()
    stream = EdgeStream(loops.loop, kernel, loops.batches.append)
    yield loops
    stream.close()


def test_a_line_that_rests_wakes_nobody(heard: Loops, kernel: Kernel) -> None:
    assert heard.run(0.3) <= 2
    kernel.change()
    heard.wait(1)
    assert heard.loop.run(lambda: heard.batches[-1].times_ns == [], LIMIT_S)
    assert heard.run(0.3) <= 2
    assert [len(one.times_ns) for one in heard.batches] == [1, 0]


def test_a_line_without_rest_wakes_us_ten_times_a_second(heard: Loops, kernel: Kernel) -> None:
    def noise() -> None:
        kernel.change(5)
        heard.loop.call_later(0.001, noise)

    noise()
    began = time.monotonic()
    heard.run(0.5)
    assert len(heard.batches) <= (time.monotonic() - began) / EVERY_S + 1
    heard.wait(100)
    assert sum(one.lost for one in heard.batches) == 0


def test_what_comes_faster_is_read_sooner(heard: Loops, kernel: Kernel) -> None:
    kernel.change(1000)
    heard.wait(1000)
    began = time.monotonic()
    kernel.change(1000)
    heard.wait(2000)
    assert time.monotonic() - began >= LEAST_S
    assert [len(one.times_ns) for one in heard.batches if one.times_ns] == [1000, 1000]


def test_what_has_come_can_be_had_at_once_and_comes_once(kernel: Kernel) -> None:
    loops = Loops()
    stream = EdgeStream(loops.loop, kernel, loops.batches.append)
    stream.catch_up()
    assert loops.batches == []
    kernel.change(3)
    stream.catch_up()
    assert loops.edges == 3
    kernel.change(2)
    loops.wait(5)
    stream.close()
    assert loops.edges == 5


def test_who_drives_a_simulated_line_need_not_wait_for_a_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PENATES_LINES", str(tmp_path))
    loops = Loops()
    stream = EdgeStream(loops.loop, SimulatedEdges(27), loops.batches.append)
    for number in range(30):
        SimulatedLine(27).drive(number % 2 == 0)
        loops.loop.run(lambda: False, 0)
    loops.wait(30)
    assert b"".join(one.rising for one in loops.batches)[:4] == b"\1\0\1\0"
    stream.close()
