"""The pipe through which a child logs to the supervisor."""

import os
from collections import deque
from collections.abc import Callable

from bootstrap.eventloop.loop import Loop

PIECE = 65_536  # capacity of a pipe, in bytes (pipe(7))
HELD_LINES = 500


class LogPipe:
    """Passes on whole lines, or holds them: if a child ends for the same reason as before, its lines are dropped."""

    def __init__(self, loop: Loop, write: Callable[[bytes], None], *, hold: bool) -> None:
        self._loop, self._write = loop, write
        # Non-blocking: neither side may block the other if it hangs.
        self._reader, self.writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._writer_is_ours = True  # until the child has inherited it
        self._held: deque[bytes] | None = deque(maxlen=HELD_LINES) if hold else None
        self._rest = b""
        loop.add_reader(self._reader, self._read)

    def writer_inherited(self) -> None:
        """Close our copy of the writer, because the child has inherited its own."""
        os.close(self.writer)
        self._writer_is_ours = False

    def _read(self, _events: int) -> None:
        self._read_available()

    def _read_available(self) -> bool:
        """Read what is available now. Returns whether there may be more."""
        try:
            chunk = os.read(self._reader, PIECE)
        except BlockingIOError:
            return False
        if not chunk:
            self._loop.remove_reader(self._reader)
            return False
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        if len(self._rest) > PIECE:
            lines, self._rest = [*lines, self._rest], b""
        for line in lines:
            self._pass_on(line + b"\n")
        return True

    def _pass_on(self, line: bytes) -> None:
        if self._held is None:
            self._write(line)
        else:
            self._held.append(line)

    def release(self) -> None:
        """Pass on the held lines, and hold no more."""
        held, self._held = self._held or (), None
        for line in held:
            self._write(line)

    def close(self, *, drop: bool) -> None:
        """Read the rest after the child has ended, and pass on or drop the held lines."""
        if self._writer_is_ours:
            self.writer_inherited()
        for _ in range(2):  # a full pipe, and its end; bounded, because another process may still write
            if not self._read_available():
                break
        if self._rest:
            self._pass_on(self._rest + b"\n")
        if not drop:
            self.release()
        self._loop.remove_reader(self._reader)
        os.close(self._reader)
