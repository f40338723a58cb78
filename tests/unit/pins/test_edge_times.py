"""Edges as the kernel writes them, and those of a simulated line."""

import os
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bootstrap.errors import Fatal
from bootstrap.pins.edge_times import EdgeBatch, KernelEvents, SimulatedEdges, open_edges
from bootstrap.pins.simulated_lines import SimulatedLine

EVENT = struct.Struct("=QIIII24x")  # struct gpio_v2_line_event
RISING, FALLING = 1, 2


@pytest.fixture
def kernel() -> Iterator[tuple[KernelEvents, int]]:
    reader, writer = os.pipe()
    yield KernelEvents(reader), writer
    os.close(reader)
    os.close(writer)


def events(first: int, count: int) -> bytes:
    return b"".join(
        EVENT.pack(10**15 + number, RISING if number % 2 else FALLING, 27, number, number)
        for number in range(first, first + count)
    )


def test_what_the_kernel_writes_is_read_at_once(kernel: tuple[KernelEvents, int]) -> None:
    source, writer = kernel
    assert source.read() == EdgeBatch([], b"")
    os.write(writer, events(1, 3))
    assert source.read() == EdgeBatch([10**15 + 1, 10**15 + 2, 10**15 + 3], b"\1\0\1")
    os.write(writer, events(4, 1024))
    batch = source.read()
    assert (len(batch.times_ns), batch.times_ns[-1], batch.lost) == (1024, 10**15 + 1027, 0)


def test_what_the_kernel_has_dropped_is_counted(kernel: tuple[KernelEvents, int]) -> None:
    source, writer = kernel
    os.write(writer, events(1, 2))
    source.read()
    os.write(writer, events(13, 2))
    assert source.read().lost == 10


def test_the_kernels_count_may_begin_anew(kernel: tuple[KernelEvents, int]) -> None:
    source, writer = kernel
    os.write(writer, EVENT.pack(1, RISING, 27, 1, 2**32 - 1))
    source.read()
    os.write(writer, EVENT.pack(2, FALLING, 27, 1, 0) + EVENT.pack(3, RISING, 27, 1, 1))
    assert source.read().lost == 0


def test_a_simulated_line_has_the_times_that_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PENATES_LINES", str(tmp_path))
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "simulated")
    line = SimulatedLine(27)
    line.drive(False)
    source = open_edges(27)
    assert isinstance(source, SimulatedEdges)
    now = time.monotonic_ns()
    for level, at in ((True, now - 30), (True, now - 25), (False, now - 20), (True, now + 10**12)):
        line.drive(level, at)
    assert source.read() == EdgeBatch([now - 30, now - 20], b"\1\0")
    with pytest.raises(OSError, match="GPIO27 is in use"):
        open_edges(27)
    source.close()
    open_edges(27).close()


def test_another_pin_factory_does_not_tell_times(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "lgpio")
    with pytest.raises(Fatal, match="need the pin factory kernel, not 'lgpio'"):
        open_edges(27)
