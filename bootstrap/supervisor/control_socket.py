"""Requests to the supervisor: one JSON object each way, over a Unix socket that only its user may open."""

import contextlib
import json
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

from bootstrap.eventloop.loop import Loop
from bootstrap.paths import near

ControlMessage: TypeAlias = dict[str, Any]
ControlReply: TypeAlias = Callable[[ControlMessage], None]

SOCKET = "supervisor.sock"
PATIENCE_S = 5.0  # longest wait for a request to be complete
MAX_BYTES = 65_536
REQUESTS = 20  # open at a time


class Unavailable(Exception):  # noqa: N818 - it is a fact about another process
    """The supervisor cannot be reached."""


class NotRunning(Unavailable):
    """No supervisor is running."""


def ask(folder: Path, request: ControlMessage, patience_s: float) -> ControlMessage:
    """Send a request to the supervisor of this runtime folder and return its reply.

    Raises:
        NotRunning: no supervisor is running.
        Unavailable: it does not reply within `patience_s` seconds, or ends before it has.
    """
    try:
        with socket.socket(socket.AF_UNIX) as connection, near(folder / SOCKET) as address:
            connection.settimeout(patience_s)
            connection.connect(address)
            connection.sendall(json.dumps(request).encode())
            connection.shutdown(socket.SHUT_WR)
            answer: ControlMessage = json.loads(connection.makefile("rb").read())
    except TimeoutError:
        raise Unavailable(f"the supervisor did not answer within {patience_s:g} s; see its log") from None
    except (FileNotFoundError, NotADirectoryError, ConnectionRefusedError):
        raise NotRunning("no supervisor is running") from None
    except OSError as error:
        raise Unavailable(f"the supervisor cannot be reached: {error.strerror}") from None
    except ValueError:
        raise Unavailable("the supervisor ended before it answered") from None
    return answer


class ControlServer:
    """The supervisor's side of the socket: accepts requests and passes them to `handle`."""

    def __init__(self, loop: Loop, folder: Path, handle: Callable[[ControlMessage, ControlReply], None]) -> None:
        self._loop, self._folder, self._handle = loop, folder, handle
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        (folder / SOCKET).unlink(missing_ok=True)  # left by a dead supervisor, since we hold the lock
        before = os.umask(0o177)
        try:
            with near(folder / SOCKET) as address:
                self._listener.bind(address)
        finally:
            os.umask(before)
        self._listener.listen()
        self._requests: list[_Request] = []
        self._listen()

    def _accept(self, _events: int) -> None:
        try:
            connection = self._listener.accept()[0]
        except OSError:  # out of descriptors, perhaps; without a pause it would wake us again at once
            self._loop.remove_reader(self._listener.fileno())
            self._loop.call_later(1.0, self._listen)
            return
        self._requests = [request for request in self._requests if request.open]
        if len(self._requests) < REQUESTS:
            self._requests.append(_Request(self._loop, connection, self._handle))
        else:
            connection.close()

    def _listen(self) -> None:
        if self._listener.fileno() >= 0:
            self._loop.add_reader(self._listener.fileno(), self._accept)

    def close(self) -> None:
        """Stop accepting requests and remove the socket."""
        self._loop.remove_reader(self._listener.fileno())
        (self._folder / SOCKET).unlink(missing_ok=True)
        self._listener.close()


class _Request:
    """One request: read to its end, handled, replied to."""

    def __init__(
        self, loop: Loop, connection: socket.socket, handle: Callable[[ControlMessage, ControlReply], None]
    ) -> None:
        self._loop, self._connection, self._handle = loop, connection, handle
        self._received = b""
        self.open = True
        connection.setblocking(False)
        loop.add_reader(connection.fileno(), self._read)
        self._timer = loop.call_later(PATIENCE_S, self._close)

    def _read(self, _events: int) -> None:
        try:
            chunk = self._connection.recv(MAX_BYTES)
        except OSError:
            self._close()
            return
        self._received += chunk
        if len(self._received) > MAX_BYTES:
            self._close()
        elif not chunk:
            self._done()

    def _done(self) -> None:
        self._stop_reading()
        try:
            request = json.loads(self._received)
        except (ValueError, RecursionError):
            request = None
        if isinstance(request, dict):
            self._handle(request, self._reply)
        else:
            self._reply({"error": "a request must be a JSON object", "exit": 1})

    def _reply(self, answer: ControlMessage) -> None:
        with contextlib.suppress(OSError):  # the client may be gone
            self._connection.settimeout(1.0)
            self._connection.sendall(json.dumps(answer).encode())
        self._connection.close()

    def _close(self) -> None:
        self._stop_reading()
        self._connection.close()

    def _stop_reading(self) -> None:
        self.open = False
        self._timer.cancel()
        self._loop.remove_reader(self._connection.fileno())
