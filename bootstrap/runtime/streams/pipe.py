"""One end of a stream in the loop: reading a bounded part in each turn, and writing without waiting."""

import os
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from bootstrap.eventloop.loop import READABLE, WRITABLE, Loop

CHUNK = 16_384  # bytes that are read in one turn of the loop
MOST_WAITING = 65_536  # bytes that may wait to be written


class LoopPipe:
    """Reads one descriptor and writes to another, or the same one. It owns both."""

    def __init__(
        self,
        loop: Loop,
        descriptors: tuple[int, int],
        on_bytes: Callable[[bytes], None],
        on_end: Callable[[OSError | None], None],
    ) -> None:
        """Call `on_bytes` with what arrives; at the end once `on_end`, with the error if there was one."""
        self._loop, self._on_bytes, self._on_end = loop, on_bytes, on_end
        self._reads, self._writes = descriptors
        self._outgoing = bytearray()
        self._paused = self._ended = self._deaf = False
        for descriptor in descriptors:
            os.set_blocking(descriptor, False)
        self._watch()

    def _watch(self) -> None:
        """Wait for what is of use now."""
        wants = {self._writes: WRITABLE if self._outgoing else 0}
        wants[self._reads] = wants.get(self._reads, 0) | (0 if self._paused or self._ended else READABLE)
        for descriptor, events in wants.items():
            if events:
                self._loop.add_reader(descriptor, partial(self._ready, descriptor), events)
            else:
                self._loop.remove_reader(descriptor)

    def _ready(self, descriptor: int, events: int) -> None:
        """Read or write. An error shows at the descriptor that has it, whatever was waited for."""
        reads = descriptor == self._reads and not self._paused and not self._ended
        if events & WRITABLE or not reads:
            self._flush()
        if events & ~WRITABLE and reads and not self._ended:
            self._read()

    def _read(self) -> None:
        try:
            chunk = os.read(self._reads, CHUNK)
        except BlockingIOError:
            return
        except OSError as error:  # EIO of a port that was unplugged, a connection that was reset
            self._end(error)
        else:
            self._on_bytes(chunk) if chunk else self._end(None)

    def _end(self, error: OSError | None) -> None:
        self._ended = True
        self._outgoing.clear()
        self._watch()
        self._on_end(error)

    @property
    def paused(self) -> bool:
        """Whether it does not read for a while."""
        return self._paused

    def pause(self, *, paused: bool) -> None:
        """Stop reading for a while, or read again. Whoever sends must wait once the kernel's buffer is full."""
        self._paused = paused
        self._watch()

    def write(self, data: bytes) -> None:
        """Send bytes; what is not taken at once waits. A peer that is gone is noticed by reading.

        Raises:
            OSError: it has ended, or too much waits already.
        """
        if self._ended or self._deaf:
            raise OSError("it takes nothing any more")
        if len(self._outgoing) + len(data) > MOST_WAITING:
            raise OSError(f"{len(self._outgoing)} bytes that were written before have not been taken")
        self._outgoing += data
        self._flush()

    def _flush(self) -> None:
        with suppress(BlockingIOError):
            try:
                while self._outgoing:
                    del self._outgoing[: os.write(self._writes, self._outgoing)]
            except BlockingIOError:
                raise
            except OSError:
                self._deaf = True
                self._outgoing.clear()
        self._watch()

    def close(self) -> None:
        """Stop watching and close the descriptors. A second call does nothing."""
        for descriptor in {self._reads, self._writes} - {-1}:
            self._loop.remove_reader(descriptor)
            os.close(descriptor)
        self._reads = self._writes = -1
        self._ended = True
