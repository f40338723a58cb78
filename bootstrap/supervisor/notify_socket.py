"""Hearing what one child says by sd_notify(3)."""

import socket
import struct
from collections.abc import Callable

from bootstrap.eventloop.loop import Loop

PIECE = 4096
KEPT = 20
CREDENTIALS = struct.Struct("3i")  # pid, uid, gid, for which the kernel vouches (unix(7), SCM_CREDENTIALS)


class NotifySocket:
    """A socket for one child alone: the kernel keeps ten datagrams for a reader who is busy, and drops the rest."""

    def __init__(self, loop: Loop, on_lines: Callable[[list[str]], None]) -> None:
        self._loop, self._on_lines = loop, on_lines
        self.pid: int | None = None  # who alone is believed
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self._socket.bind("")  # a name of the kernel's choice, which leaves no file
        self.address = "@" + self._socket.getsockname()[1:].decode()
        loop.add_reader(self._socket.fileno(), lambda _events: self.receive())

    def receive(self) -> None:
        """Hear what has been said, all that the kernel keeps; not for ever, somebody else may speak on."""
        for _ in range(KEPT):
            try:
                said, ancillary, _flags, _address = self._socket.recvmsg(PIECE, socket.CMSG_SPACE(CREDENTIALS.size))
            except BlockingIOError:
                return
            if ancillary and CREDENTIALS.unpack(ancillary[0][2])[0] == self.pid:
                self._on_lines(said.decode(errors="replace").splitlines())

    def close(self) -> None:
        """Hear no more."""
        self._loop.remove_reader(self._socket.fileno())
        self._socket.close()
