"""What a child logs, on its way to the supervisor's log."""

import os
from collections import deque
from collections.abc import Callable

from bootstrap.eventloop.loop import Loop

PIECE = 65_536  # what a pipe holds (pipe(7))
HELD_LINES = 500


class LogPipe:
    """Passes whole lines on. While it holds, lines wait: those of a child that ends as it ended before are no news."""

    def __init__(self, loop: Loop, write: Callable[[bytes], None], *, hold: bool) -> None:
        self._loop, self._write = loop, write
        # Whoever hangs must not make the other wait.
        self._reader, self.writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._writer_is_ours = True  # until the child has the writer
        self._held: deque[bytes] | None = deque(maxlen=HELD_LINES) if hold else None
        self._rest = b""
        loop.add_reader(self._reader, self._read)

    def writer_inherited(self) -> None:
        """The child has the other end."""
        os.close(self.writer)
        self._writer_is_ours = False

    def _read(self, _events: int) -> None:
        self._more()

    def _more(self) -> bool:
        """Read what there is now; returns whether there may be more."""
        try:
            piece = os.read(self._reader, PIECE)
        except BlockingIOError:
            return False
        if not piece:
            self._loop.remove_reader(self._reader)
            return False
        *lines, self._rest = (self._rest + piece).split(b"\n")
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
        """Hold no longer."""
        held, self._held = self._held or (), None
        for line in held:
            self._write(line)

    def close(self, *, drop: bool) -> None:
        """The child has ended: read the rest, and pass on or forget what is held."""
        if self._writer_is_ours:
            self.writer_inherited()
        for _ in range(2):  # a pipe's fill, and its end; not for ever: somebody else may still write
            if not self._more():
                break
        if self._rest:
            self._pass_on(self._rest + b"\n")
        if not drop:
            self.release()
        self._loop.remove_reader(self._reader)
        os.close(self._reader)
