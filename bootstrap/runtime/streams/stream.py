"""A stream of a device: opened, heard, and opened again after its end."""

import socket
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Protocol, TypeAlias

from bootstrap.errors import reason
from bootstrap.eventloop.backoff import Backoff
from bootstrap.eventloop.loop import Loop, Timer
from bootstrap.logs import log
from bootstrap.mqtt.connect import connect
from bootstrap.runtime.parts import ProcessParts
from bootstrap.runtime.streams.child import ChildChannel
from bootstrap.runtime.streams.framing import Framing
from bootstrap.runtime.streams.pipe import LoopPipe
from bootstrap.serial_port import before_close, open_port
from bootstrap.streams import LONGEST, ChildProcess, Frames, Serial, Source, Tcp

FIRST_S, LONGEST_S, JITTER = 1.0, 60.0, 0.3  # the wait before it is opened again
SLICE_S = 0.005  # longest time for lines in one turn of the loop, so that edges and commands are on time
END_LOOK_S = 0.05  # between two looks whether a child has ended
IDLE_S, PROBE_S, PROBES = 60, 10, 3  # when a silent peer is asked whether it is there (TCP keepalive)

OnBytes: TypeAlias = Callable[[bytes], None]
OnEnd: TypeAlias = Callable[[str], None]


class Hearer(Protocol):
    """Who hears a stream."""

    def hear(self, line: str | bytes) -> bool:
        """Take a line or frame. Returns whether it was a good one."""

    def on_failed(self, error: ValueError) -> None:
        """Take that what arrived is no frame."""

    def on_change(self) -> None:
        """Note that the stream has been opened for the first time, or is not open, for another reason than before."""

    def set_problem(self, what: str, why: str | None) -> None:
        """Enter or remove a problem."""


class _Descriptor:
    """A serial port or socket that is open."""

    def __init__(self, loop: Loop, descriptor: int, on_bytes: OnBytes, on_end: OnEnd, source: Source) -> None:
        self._descriptor, self._source, self._on_end = descriptor, source, on_end
        self.pipe = LoopPipe(loop, (descriptor, descriptor), on_bytes, self._ended)

    def _ended(self, error: OSError | None) -> None:
        gone = "is gone" if isinstance(self._source, Serial) else "closed the connection"
        self._on_end(gone if error is None else f"{gone}: {error.strerror or reason(error)}")

    def stop(self) -> None:
        if isinstance(self._source, Serial):
            before_close(self._descriptor, self._source.baud)
        self.pipe.close()

    finished = True

    def finish(self) -> None:
        """Nothing is left to do."""


class Stream:
    """Gives lines or frames to its hearer, and never ends before it is closed."""

    def __init__(
        self, parts: ProcessParts, source: Source, hearer: Hearer, *, name: str, frames: Frames | None = None
    ) -> None:
        """Open it in the loop's next turn. `name` is that of its problem."""
        self._loop, self._worker, self._source, self._hearer = parts.loop, parts.worker, source, hearer
        self.name, self._frames = name, frames
        self._channel: ChildChannel | _Descriptor | None = None
        self._left: list[ChildChannel | _Descriptor] = []  # stopped, and not finished
        self._pending: deque[str | bytes] = deque()
        self._framing = self._new_framing()
        self._backoff = Backoff(FIRST_S, LONGEST_S, JITTER)
        self._since = 0.0
        self._why: str | None = None  # as last entered
        self.opening, self._closed = True, False
        self._timer: Timer = self._loop.call_later(0, self._open)

    def _new_framing(self) -> Framing:
        text = f"more than {LONGEST} bytes without an end are skipped; so is whatever follows like it"
        return Framing(self._frames, lambda: log.warning(text, stream=self.name))

    # Opening.

    def _open(self) -> None:
        self._since = time.monotonic()
        self._framing = self._new_framing()
        try:
            match self._source:
                case Tcp(host, port):
                    self._worker.call(partial(connect, host, port, None), self._connected, self._not_connected)
                case Serial() as source:
                    self._use(self._over(open_port(source)))
                case ChildProcess() as source:
                    self._use(ChildChannel(self._loop, source, self._received, self._ended))
        except (OSError, ValueError) as error:  # ValueError: a zero byte in a name
            self._failed(reason(error))

    def _over(self, descriptor: int) -> _Descriptor:
        return _Descriptor(self._loop, descriptor, self._received, self._ended, self._source)

    def _connected(self, ready: socket.socket) -> None:
        if self._closed:
            ready.close()
            return
        ready.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in (
            (socket.TCP_KEEPIDLE, IDLE_S),
            (socket.TCP_KEEPINTVL, PROBE_S),
            (socket.TCP_KEEPCNT, PROBES),
        ):
            ready.setsockopt(socket.IPPROTO_TCP, option, value)
        self._use(self._over(ready.detach()))

    def _not_connected(self, error: BaseException) -> None:
        if not isinstance(error, OSError):
            raise error
        if not self._closed:
            self._failed(reason(error))

    def _use(self, channel: ChildChannel | _Descriptor) -> None:
        self._channel = channel
        self._since = time.monotonic()
        if isinstance(self._source, ChildProcess) and self._source.well_s is not None and self._why is not None:
            self._loop.call_later(self._source.well_s, partial(self._outlived, channel))
        self._first_tried()

    def _first_tried(self) -> None:
        if self.opening:
            self.opening = False
            self._hearer.on_change()

    # Hearing.

    def _received(self, chunk: bytes) -> None:
        try:
            self._pending.extend(self._framing.feed(chunk))
        except ValueError as error:
            self._hearer.on_failed(error)
        self._hear()

    def _hear(self) -> None:
        """Give on what has arrived, for a moment; the rest in the loop's next turn, before more is read."""
        enough = time.monotonic() + SLICE_S
        while self._pending:
            if self._hearer.hear(self._pending.popleft()) and self._why is not None and self._channel is not None:
                self._recover()
                log.info("a stream is well again", stream=self.name)
            if self._pending and time.monotonic() >= enough:
                break
        if self._channel is not None:
            self._channel.pipe.pause(paused=bool(self._pending))
        if self._pending:
            self._timer = self._loop.call_later(0, self._hear)

    def _outlived(self, channel: ChildChannel | _Descriptor) -> None:
        """Take a child that has not ended for well."""
        if channel is self._channel and self._why is not None:
            self._recover()
            log.info("a stream is well again", stream=self.name)
            self._hearer.on_change()

    def _recover(self) -> None:
        self._why = None
        self._hearer.set_problem(self.name, None)

    # Its end.

    def _ended(self, why: str) -> None:
        if begun := self._framing.begun:
            why = f"{why}; in mid-line, {begun} bytes of it are dropped"
        self._let_go()
        self._failed(why, time.monotonic() - self._since)

    def _let_go(self) -> None:
        if self._channel is not None:
            self._channel.stop()
            self._left.append(self._channel)
            self._channel = None

    def _failed(self, why: str, lasted_s: float = 0.0) -> None:
        """Enter why it is not open, and open it again later; soon if it was open for long."""
        if lasted_s >= LONGEST_S:
            self._backoff.reset()
        wait_s = self._backoff.advance()
        changed, self._why = why != self._why, why
        self._hearer.set_problem(self.name, why)
        if changed:
            log.warning("a stream is not open", stream=self.name, reason=why, again_in_s=round(wait_s, 1))
            self.opening = False
            self._hearer.on_change()
        self._finish_left()
        self._timer = self._loop.call_later(wait_s, self._open)

    def _finish_left(self) -> None:
        for channel in self._left:
            channel.finish()
        self._left.clear()

    # For the device.

    @property
    def problem(self) -> str | None:
        """Implement `StreamHandle.problem`."""
        return self._why

    def reopen(self, source: Source) -> None:
        """Implement `StreamHandle.reopen`."""
        if self._closed:
            return
        self._source = source
        self._timer.cancel()
        self._pending.clear()
        self._backoff.reset()
        self._let_go()
        self._open_once_ended()

    def _open_once_ended(self) -> None:
        """Open it as soon as what was let go has ended: two cannot have one port, or one stick."""
        if all(one.finished for one in self._left):
            self._finish_left()
            self._timer = self._loop.call_later(0, self._open)
        else:
            self._timer = self._loop.call_later(END_LOOK_S, self._open_once_ended)

    def write(self, data: bytes) -> None:
        """Implement `StreamHandle.write`."""
        if self._channel is None:
            raise OSError(f"{self.name} is not open: {self._why or 'it is being opened'}")
        try:
            self._channel.pipe.write(data)
        except OSError as error:
            raise OSError(f"{self.name}: {error}") from None

    def close(self) -> None:
        """Implement `StreamHandle.close`."""
        self._closed, self.opening = True, False
        self._timer.cancel()
        self._pending.clear()
        self._let_go()
        if self._why is not None:
            self._recover()

    @property
    def done(self) -> bool:
        """Whether it is closed, and a child of it has ended."""
        return self._closed and all(one.finished for one in self._left)

    def finish(self) -> None:
        """Wait until a child has ended, after `close`."""
        self._finish_left()
