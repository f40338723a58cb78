"""The times of all edges of a line, in batches: for one that changes thousands of times a second."""

import os
from dataclasses import dataclass
from typing import ClassVar, Protocol

from bootstrap.errors import Exit, Fatal
from bootstrap.pins.device_pins import DEFAULT_FACTORY, FACTORY
from bootstrap.pins.simulated_lines import SimulatedLine

# struct gpio_v2_line_event of <linux/gpio.h>: u64 timestamp_ns; u32 id, offset, seqno, line_seqno, padding[6].
EVENT, WORDS, LONGS, ID, LINE_SEQUENCE = 48, 12, 6, 2, 5
RISING = 1
SECOND_NS = 1_000_000_000
MOST = 1024  # events that one read takes: as many as the kernel keeps
SEQUENCES = 1 << 32


@dataclass(frozen=True, slots=True)
class EdgeBatch:
    """Edges of a line, in their order.

    Attributes:
        times_ns: when each occurred, on the monotonic clock; empty if there was none for a tenth of a second.
        rising: for each 1 if the line went high, else 0.
        lost: how many were lost before or between these, because they were read too slowly.
    """

    times_ns: list[int]
    rising: bytes
    lost: int = 0


class EdgesHandle(Protocol):
    """The edges of a line that a device is given in batches."""

    def catch_up(self) -> None:
        """Pass on at once what has come since the last batch, if anything has."""


class EdgeSource(Protocol):
    """Where the edges of a line come from. `keeps` tells whether they may wait there until they are read."""

    keeps: ClassVar[bool]

    def fileno(self) -> int:
        """Return the descriptor that is readable when there is an edge."""

    def read(self) -> EdgeBatch:
        """Return the edges that have come since the last call; it does not wait."""

    def close(self) -> None:
        """Release the line."""


class KernelEvents:
    """Edges as the kernel writes them to a descriptor."""

    def __init__(self, descriptor: int) -> None:
        os.set_blocking(descriptor, False)
        self._descriptor, self._sequence = descriptor, 0

    def read(self) -> EdgeBatch:
        """Return the edges that have come since the last call."""
        try:
            raw = memoryview(os.read(self._descriptor, MOST * EVENT))
        except BlockingIOError:
            return EdgeBatch([], b"")
        words = raw.cast("I")
        before, self._sequence = self._sequence, words[-WORDS + LINE_SEQUENCE]
        times = raw.cast("Q")[::LONGS].tolist()
        lost = (self._sequence - before - len(times)) % SEQUENCES
        return EdgeBatch(times, bytes([kind == RISING for kind in words[ID::WORDS].tolist()]), lost)


class KernelEdges(KernelEvents):
    """The edges of a line of the header, by libgpiod; its own events would cost an object for each edge."""

    keeps: ClassVar = True

    def __init__(self, number: int, *, pull_up: bool = False) -> None:
        """Request the line. OSError: it cannot be had."""
        import gpiod  # noqa: PLC0415 - simulated lines do without
        from gpiod.line import Bias, Direction, Edge  # noqa: PLC0415

        from bootstrap.pins.header import header_chip, request_line  # noqa: PLC0415

        bias = Bias.PULL_UP if pull_up else Bias.AS_IS
        settings = gpiod.LineSettings(direction=Direction.INPUT, edge_detection=Edge.BOTH, bias=bias)
        self._chip = header_chip()
        try:
            self._request = request_line(self._chip, number, settings)
        except OSError:
            self._chip.close()
            raise
        super().__init__(self._request.fd)

    def fileno(self) -> int:
        """Return the descriptor that is readable when there is an edge."""
        return self._request.fd

    def close(self) -> None:
        """Release the line."""
        self._request.release()
        self._chip.close()


class SimulatedEdges:
    """The edges of a simulated line."""

    keeps: ClassVar = False  # a socket holds ten, and then whoever drives the line has to wait

    def __init__(self, number: int, *, pull_up: bool = False) -> None:
        """Hold the line. OSError: another process has it."""
        self._line = SimulatedLine(number)
        self._held = self._line.hold()
        self._rest = True if pull_up else None  # its level while nobody drives it
        self._line.write_state(self._held, "up" if pull_up else "")
        self._level = self._level_of(self._line.driven())
        self._socket = self._line.listen()

    def fileno(self) -> int:
        """Return the descriptor that is readable when there is an edge."""
        return self._socket.fileno()

    def read(self) -> EdgeBatch:
        """Return the edges that have come since the last call."""
        times, rising = list[int](), bytearray()
        for driven, at_ns in SimulatedLine.changes(self._socket):
            level = self._level_of(driven)
            if level is not None and level != self._level:
                times.append(at_ns)
                rising.append(level)
                self._level = level
        return EdgeBatch(times, bytes(rising))

    def _level_of(self, driven: bool | None) -> bool | None:
        return self._rest if driven is None else driven

    def close(self) -> None:
        """Release the line."""
        self._socket.close()
        self._line.poke.unlink(missing_ok=True)
        os.close(self._held)


def open_edges(number: int, *, pull_up: bool = False) -> EdgeSource:
    """Return the edges of a line, by its BCM number; a contact to GND needs the Pi's own pull-up.

    Raises:
        OSError: it cannot be had.
        Fatal: the pin factory in use does not tell times.
    """
    factory = os.environ.get(FACTORY, DEFAULT_FACTORY)
    if factory not in ("kernel", "simulated"):
        raise Fatal(Exit.SETTINGS, f"the times of edges need the pin factory kernel, not {factory!r} ({FACTORY})")
    source = KernelEdges if factory == "kernel" else SimulatedEdges
    return source(number, pull_up=pull_up)
