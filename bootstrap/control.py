"""Speaking to the supervisor: one JSON object there and one back, over a Unix socket that only its user may open."""

import contextlib
import json
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

from bootstrap.folders import near
from bootstrap.loop import Loop

Message: TypeAlias = dict[str, Any]
Reply: TypeAlias = Callable[[Message], None]

SOCKET = "supervisor.sock"
PATIENCE_S = 5.0
MAX_BYTES = 65_536
VISITS = 20  # at a time


class Unavailable(Exception):  # noqa: N818 - it is a fact about somebody else
    """The supervisor cannot be spoken to."""


class NotThere(Unavailable):
    """There is none."""


def ask(folder: Path, request: Message, patience_s: float) -> Message:
    """Have the supervisor of this runtime folder do something; returns its answer.

    Raises:
        NotThere: nobody is there.
        Unavailable: it says nothing in `patience_s` seconds, or ends before it has.
    """
    try:
        with socket.socket(socket.AF_UNIX) as line, near(folder / SOCKET) as address:
            line.settimeout(patience_s)
            line.connect(address)
            line.sendall(json.dumps(request).encode())
            line.shutdown(socket.SHUT_WR)
            answer: Message = json.loads(line.makefile("rb").read())
    except TimeoutError:
        raise Unavailable(f"the supervisor does not answer in {patience_s:g} s; its log may say why") from None
    except (FileNotFoundError, NotADirectoryError, ConnectionRefusedError):
        raise NotThere("no supervisor runs") from None
    except OSError as error:
        raise Unavailable(f"the supervisor cannot be reached: {error.strerror}") from None
    except ValueError:
        raise Unavailable("the supervisor ended before it had answered") from None
    return answer


class Server:
    """The supervisor's end."""

    def __init__(self, loop: Loop, folder: Path, handle: Callable[[Message, Reply], None]) -> None:
        self._loop, self._folder, self._handle = loop, folder, handle
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        (folder / SOCKET).unlink(missing_ok=True)  # we hold the lock, so it is a dead supervisor's
        before = os.umask(0o177)
        try:
            with near(folder / SOCKET) as address:
                self._listener.bind(address)
        finally:
            os.umask(before)
        self._listener.listen()
        self._visits: list[_Visit] = []
        self._listen()

    def _accept(self, _events: int) -> None:
        try:
            line = self._listener.accept()[0]
        except OSError:  # no descriptors, perhaps: it would wake us again at once
            self._loop.unwatch(self._listener.fileno())
            self._loop.after(1.0, self._listen)
            return
        self._visits = [visit for visit in self._visits if visit.open]
        if len(self._visits) < VISITS:
            self._visits.append(_Visit(self._loop, line, self._handle))
        else:
            line.close()

    def _listen(self) -> None:
        if self._listener.fileno() >= 0:
            self._loop.watch(self._listener.fileno(), self._accept)

    def close(self) -> None:
        """Hear nobody any more."""
        self._loop.unwatch(self._listener.fileno())
        (self._folder / SOCKET).unlink(missing_ok=True)
        self._listener.close()


class _Visit:
    """One request, read to its end, and its answer."""

    def __init__(self, loop: Loop, line: socket.socket, handle: Callable[[Message, Reply], None]) -> None:
        self._loop, self._line, self._handle = loop, line, handle
        self._heard = b""
        self.open = True
        line.setblocking(False)
        loop.watch(line.fileno(), self._read)
        self._timer = loop.after(PATIENCE_S, self._close)

    def _read(self, _events: int) -> None:
        try:
            piece = self._line.recv(MAX_BYTES)
        except OSError:
            self._close()
            return
        self._heard += piece
        if len(self._heard) > MAX_BYTES:
            self._close()
        elif not piece:
            self._done()

    def _done(self) -> None:
        self._hear_no_more()
        try:
            request = json.loads(self._heard)
        except (ValueError, RecursionError):
            request = None
        if isinstance(request, dict):
            self._handle(request, self._reply)
        else:
            self._reply({"error": "a request is a JSON object", "exit": 1})

    def _reply(self, answer: Message) -> None:
        with contextlib.suppress(OSError):  # whoever asked may be gone
            self._line.settimeout(1.0)
            self._line.sendall(json.dumps(answer).encode())
        self._line.close()

    def _close(self) -> None:
        self._hear_no_more()
        self._line.close()

    def _hear_no_more(self) -> None:
        self.open = False
        self._timer.cancel()
        self._loop.unwatch(self._line.fileno())
