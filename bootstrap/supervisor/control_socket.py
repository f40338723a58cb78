"""Requests to the supervisor: one JSON object each way, over a Unix socket that only its user may open."""

import contextlib
import json
import os
import socket
import struct
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from bootstrap.errors import NOT_DONE
from bootstrap.paths import near

if TYPE_CHECKING:  # because commands ask a supervisor, and run no loop
    from bootstrap.eventloop.loop import Loop

ControlMessage: TypeAlias = dict[str, Any]
ControlReply: TypeAlias = Callable[[ControlMessage], None]

SOCKET = "supervisor.sock"
PATIENCE_S = 5.0  # longest wait for a request to be complete
MAX_BYTES = 65_536
REQUESTS = 20  # open at a time
KEYS = frozenset({"do", "names", "house"})
CREDENTIALS = struct.Struct("3i")  # pid, uid and gid, verified by the kernel (unix(7), SO_PEERCRED)


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
            _check_owner(connection, folder)
            connection.sendall(json.dumps(request).encode())
            connection.shutdown(socket.SHUT_WR)
            answer = json.loads(connection.makefile("rb").read())
    except TimeoutError:
        raise Unavailable(f"the supervisor did not answer within {patience_s:g} s; see its log") from None
    except (FileNotFoundError, NotADirectoryError, ConnectionRefusedError):
        raise NotRunning("no supervisor is running") from None
    except OSError as error:
        raise Unavailable(f"the supervisor cannot be reached: {error.strerror}") from None
    except ValueError:
        raise Unavailable("the supervisor ended before it answered") from None
    if not _is_answer(answer):
        raise Unavailable(f"{folder / SOCKET} answered what no supervisor would")
    found: ControlMessage = answer
    return found


def _check_owner(connection: socket.socket, folder: Path) -> None:
    """Raise Unavailable if the socket is of a user who owns neither this folder nor this process."""
    _, uid, _ = CREDENTIALS.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, CREDENTIALS.size))
    if uid not in (0, os.geteuid(), folder.stat().st_uid):
        raise Unavailable(f"{folder / SOCKET} is of user {uid}, to whom {folder} does not belong")


def _is_answer(answer: object) -> bool:
    """Return whether an answer has the form of ours: what each sensor does, or an error and an exit code."""
    if not isinstance(answer, dict):
        return False
    if "error" in answer:
        return isinstance(answer["error"], str) and answer.get("exit") in range(1, 256)
    rows = answer.get("sensors")
    return isinstance(rows, list) and all(isinstance(row, dict) for row in rows)


def problem_of(request: object) -> str:
    """Return why a request is none, or an empty string. What is misspelt must not become a request for all sensors."""
    if not isinstance(request, dict):
        return "a request must be a JSON object"
    if unknown := sorted(request.keys() - KEYS):
        return f"a request has no {unknown[0][:40]!r}; it has {', '.join(sorted(KEYS))}"
    names = request.get("names", [])
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        return "'names' must be a list of names; an empty one means all"
    if not isinstance(request.get("do"), str) or not isinstance(request.get("house", ""), str):
        return "'do' and 'house' must be strings"
    return ""


class ControlServer:
    """The supervisor's side of the socket: accepts requests and passes them to `handle`."""

    def __init__(self, loop: "Loop", folder: Path, handle: Callable[[ControlMessage, ControlReply], None]) -> None:
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
        if len(self._requests) >= REQUESTS:  # whoever has connected first and asked nothing yet makes room
            self._requests.pop(0).close()
        self._requests.append(_Request(self._loop, connection, self._handle))

    def _listen(self) -> None:
        if self._listener.fileno() >= 0:
            self._loop.add_reader(self._listener.fileno(), self._accept)

    def close(self) -> None:
        """Stop accepting requests, give up on those that are not complete, and remove the socket."""
        for request in self._requests:
            if request.open:
                request.close()
        self._loop.remove_reader(self._listener.fileno())
        (self._folder / SOCKET).unlink(missing_ok=True)
        self._listener.close()


class _Request:
    """One request: read to its end, handled, replied to."""

    def __init__(
        self, loop: "Loop", connection: socket.socket, handle: Callable[[ControlMessage, ControlReply], None]
    ) -> None:
        self._loop, self._connection, self._handle = loop, connection, handle
        self._received = b""
        self.open = True
        connection.setblocking(False)
        loop.add_reader(connection.fileno(), self._read)
        self._timer = loop.call_later(PATIENCE_S, self.close)

    def _read(self, _events: int) -> None:
        try:
            chunk = self._connection.recv(MAX_BYTES)
        except OSError:
            self.close()
            return
        self._received += chunk
        if len(self._received) > MAX_BYTES:
            self.close()
        elif not chunk:
            self._done()

    def _done(self) -> None:
        self._stop_reading()
        try:
            request = json.loads(self._received)
        except (ValueError, RecursionError):
            request = None
        if why := problem_of(request):
            self._reply({"error": why, "exit": NOT_DONE})
        else:
            self._handle(request, self._reply)

    def _reply(self, answer: ControlMessage) -> None:
        with contextlib.suppress(OSError):  # the client may be gone
            self._connection.settimeout(1.0)
            self._connection.sendall(json.dumps(answer).encode())
        self._connection.close()

    def close(self) -> None:
        """Give up on a request that is not complete."""
        self._stop_reading()
        self._connection.close()

    def _stop_reading(self) -> None:
        self.open = False
        self._timer.cancel()
        self._loop.remove_reader(self._connection.fileno())
