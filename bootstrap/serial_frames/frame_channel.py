"""An open serial port or TCP connection, by which a worker thread hears frames and asks for them.

It is open only while a device is read, so a sensor that sends a frame every second wakes nobody in between.
"""

import os
import select
import termios
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Self, TypeAlias

from bootstrap.bounded_connection import connected_within
from bootstrap.errors import reason
from bootstrap.serial_port import before_close, open_port
from bootstrap.streams import LONGEST, Serial, Tcp

# Takes complete frames from the front of what has arrived; a ValueError says why something is not a frame.
Splitter: TypeAlias = Callable[[bytearray], Iterable[bytes | ValueError]]

READ = 4096  # bytes at once
CONNECT_S = 10.0


class FrameChannel:
    """A serial port or TCP connection that is open within a `with`."""

    def __init__(self, source: Serial | Tcp, *, alone: bool = True) -> None:
        """Open it. Unless it is ours `alone`, other processes may have the port open, too.

        Raises:
            OSError: it cannot be opened.
        """
        self._source = source
        self._descriptor = open_port(source, alone=alone) if isinstance(source, Serial) else _connect(source)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if isinstance(self._source, Serial):
            before_close(self._descriptor, self._source.baud)
        os.close(self._descriptor)

    def write(self, data: bytes, within_s: float = 1.0) -> None:
        """Drop what has arrived until now, and send this.

        Raises:
            OSError: it is gone, or takes nothing.
        """
        self._drop_input()
        until = time.monotonic() + within_s
        while data:
            if not self._ready(select.POLLOUT, until):
                raise OSError(f"{self._source} takes no data")
            try:
                data = data[os.write(self._descriptor, data) :]
            except OSError as error:
                raise self._gone(error) from None

    def frames(self, split: Splitter, within_s: float) -> Iterator[bytes]:
        """Yield each frame that comes within some seconds.

        Raises:
            OSError: nothing came, or it is gone.
            ValueError: what came was no frame.
        """
        until = time.monotonic() + within_s
        buffer, came, good = bytearray(), 0, 0
        wrong: ValueError | None = None
        while chunk := self._read(until):
            came += len(chunk)
            buffer += chunk
            for one in split(buffer):
                if isinstance(one, ValueError):
                    wrong = one
                else:
                    good += 1
                    yield one
            del buffer[:-LONGEST]
        if not good:
            raise self._nothing(came, wrong, within_s)

    def first(self, split: Splitter, within_s: float) -> bytes:
        """Return the first frame that comes; it raises what `frames` does."""
        return next(self.frames(split, within_s))

    def _nothing(self, came: int, wrong: ValueError | None, within_s: float) -> OSError | ValueError:
        """Return why there was no frame."""
        if not came:
            return OSError(f"{self._source} is open, but nothing came for {within_s:g} s; look at wires and power")
        if wrong is not None:
            return ValueError(f"{self._source}: {wrong}")
        return ValueError(f"{self._source}: {came} bytes came, but no whole frame; is it the right device and speed?")

    def _read(self, until: float) -> bytes:
        """Return what has arrived; nothing if the time is over."""
        while self._ready(select.POLLIN, until):
            try:
                chunk = os.read(self._descriptor, READ)
            except BlockingIOError:
                continue
            except OSError as error:
                raise self._gone(error) from None
            if not chunk:
                raise OSError(f"{self._source} is gone, or has closed the connection")
            return chunk
        return b""

    def _gone(self, error: OSError) -> OSError:
        return OSError(error.errno, f"{self._source} is gone: {error.strerror}")

    def _ready(self, events: int, until: float) -> bool:
        poll = select.poll()
        poll.register(self._descriptor, events)
        left_s = until - time.monotonic()
        return left_s > 0 and bool(poll.poll(left_s * 1000))

    def _drop_input(self) -> None:
        try:
            if isinstance(self._source, Serial):
                termios.tcflush(self._descriptor, termios.TCIFLUSH)
            else:
                with suppress(BlockingIOError):
                    while os.read(self._descriptor, READ):
                        pass
        except (OSError, termios.error) as error:
            raise OSError(error.args[0], f"{self._source} is gone: {error.args[-1]}") from None


def _connect(source: Tcp) -> int:
    """Return the descriptor of a new connection.

    Raises:
        OSError: there is none.
    """
    try:
        made = connected_within(source.host, source.port, CONNECT_S)
    except OSError as error:
        raise OSError(error.errno, f"{source} cannot be reached: {reason(error)}") from None
    made.setblocking(False)
    return made.detach()
