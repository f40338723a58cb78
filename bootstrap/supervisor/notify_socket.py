"""The socket on which the supervisor receives one child's sd_notify(3) messages."""

import socket
import struct
from collections.abc import Callable

from bootstrap.eventloop.loop import Loop

MAX_BYTES = 4096
BATCH = 20  # most datagrams read at a time; the kernel queues fewer
CREDENTIALS = struct.Struct("3i")  # pid, uid and gid, verified by the kernel (unix(7), SCM_CREDENTIALS)


class NotifySocket:
    """A socket for one child alone: the kernel queues only ten datagrams for a busy reader, and drops the rest."""

    def __init__(self, loop: Loop, on_lines: Callable[[list[str]], None]) -> None:
        self._loop, self._on_lines = loop, on_lines
        self.pid: int | None = None  # messages of other processes are ignored
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self._socket.bind("")  # an abstract name chosen by the kernel, which leaves no file
        self.address = "@" + self._socket.getsockname()[1:].decode()
        loop.add_reader(self._socket.fileno(), lambda _events: self.receive())

    def receive(self) -> None:
        """Read all queued messages. Their number is bounded, because another process may keep sending."""
        for _ in range(BATCH):
            try:
                data, ancillary, _flags, _address = self._socket.recvmsg(MAX_BYTES, socket.CMSG_SPACE(CREDENTIALS.size))
            except BlockingIOError:
                return
            if ancillary and CREDENTIALS.unpack(ancillary[0][2])[0] == self.pid:
                self._on_lines(data.decode(errors="replace").splitlines())

    def close(self) -> None:
        """Stop receiving and close the socket."""
        self._loop.remove_reader(self._socket.fileno())
        self._socket.close()
