"""The other end of systemd's journal: a real datagram socket stands for journald's."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

from support.world import PATIENCE_S, House, eventually


def decoded(datagram: bytes) -> dict[str, str]:
    """An entry, by the letter of the protocol."""
    fields: dict[str, str] = {}
    while datagram:
        line, _, rest = datagram.partition(b"\n")
        name, equals, value = line.partition(b"=")
        if not equals:
            length, rest = int.from_bytes(rest[:8], "little"), rest[8:]
            value, rest = rest[:length], rest[length + 1 :]
            assert datagram[len(line) + 9 + length : len(line) + 10 + length] == b"\n"
        assert name.decode() not in fields
        fields[name.decode()], datagram = value.decode(), rest
    return fields


class Journald:
    """Its socket for entries, and one end of the stream that a unit's stderr is connected to."""

    def __init__(self, folder: Path) -> None:
        self.place = folder / "journal"
        self._entries = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._entries.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self._entries.setblocking(False)
        self._stream, self.stderr = socket.socketpair()
        self._stream.setblocking(False)
        self.seen: list[dict[str, str]] = []
        self._processes: list[subprocess.Popen[bytes]] = []

    def listen(self) -> None:
        self._entries.bind(str(self.place))

    def entries(self) -> list[dict[str, str]]:
        """All so far."""
        try:
            while True:
                self.seen.append(decoded(self._entries.recv(1 << 20)))
        except BlockingIOError:
            return self.seen

    def wait(self, **fields: str) -> dict[str, str]:
        """The first entry with these fields."""
        found = lambda: [one for one in self.entries() if fields.items() <= one.items()]  # noqa: E731
        return eventually(found, f"an entry with {fields}")[0]

    def lines(self) -> list[str]:
        """What came by the stream."""
        return self._stream.recv(1 << 20).decode().splitlines()

    def unit(self, house: House, *words: str, **more: str) -> subprocess.Popen[bytes]:
        """A process as systemd starts it."""
        status = os.fstat(self.stderr.fileno())
        env = house.env(JOURNAL_STREAM=f"{status.st_dev}:{status.st_ino}", PENATES_JOURNAL=str(self.place), **more)
        command = [sys.executable, "-m", "penates", *words, "--config", str(house.folder)]
        self._processes.append(subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stderr=self.stderr))
        return self._processes[-1]

    def close(self) -> None:
        for process in self._processes:
            process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE_S)
        for end in (self._entries, self._stream, self.stderr):
            end.close()
