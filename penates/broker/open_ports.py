"""Which addresses a process listens on, and how many clients are connected to it, as the kernel knows it (proc(5))."""

import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

PROC = Path("/proc")
LISTENS, CONNECTED = "0A", "01"  # states of a socket
COLUMNS = (1, 3, 9)  # the local endpoint, the state and the inode
SELF = "self"
TABLES = {"tcp": socket.AF_INET, "tcp6": socket.AF_INET6}
WORD = 4  # bytes; the kernel prints addresses as numbers of this size


class Endpoint(NamedTuple):
    """An address and a port."""

    address: str
    port: int

    def __str__(self) -> str:
        """Return it as it is written in URLs."""
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


def listens_on(pid: int) -> set[Endpoint]:
    """Return the TCP endpoints that a process listens on.

    Raises:
        OSError: there is no such process, or it belongs to somebody else.
    """
    own = _sockets_of(pid)
    return {one.endpoint for one in _table(pid, LISTENS) if one.inode in own}


def connections(pid: int) -> int:
    """Return how many TCP connections a process has.

    Raises:
        OSError: there is no such process, or it belongs to somebody else.
    """
    own = _sockets_of(pid)
    return len([one for one in _table(pid, CONNECTED) if one.inode in own])


def listener_of(port: int) -> str | None:
    """Return the name and id of the process that listens on a TCP port of this machine, or None if none does."""
    wanted = {one.inode for one in _table(SELF, LISTENS) if one.endpoint.port == port}
    for folder in PROC.glob("[0-9]*") if wanted else ():
        with suppress(OSError):
            if wanted & _sockets_of(folder.name):
                return f"{(folder / 'comm').read_text().strip()} (process {folder.name})"
    return "another program" if wanted else None


class _Socket(NamedTuple):
    endpoint: Endpoint
    inode: str


def _sockets_of(pid: int | str) -> set[str]:
    """Return the inodes of a process's sockets."""
    found = set()
    for file in (PROC / str(pid) / "fd").iterdir():
        with suppress(OSError):  # it has been closed meanwhile
            kind, _, inode = str(file.readlink()).partition(":")
            if kind == "socket":
                found.add(inode.strip("[]"))
    return found


def _table(pid: int | str, state: str) -> Iterator[_Socket]:
    """Yield the TCP sockets in this state, of all processes in the network of one process."""
    for table, family in TABLES.items():
        with suppress(FileNotFoundError):  # without IPv6
            for row in (PROC / str(pid) / "net" / table).read_text().splitlines()[1:]:
                local, kind, inode = (row.split()[column] for column in COLUMNS)
                if kind == state:
                    yield _Socket(_endpoint(local, family), inode)


def _endpoint(text: str, family: socket.AddressFamily) -> Endpoint:
    digits, _, port = text.partition(":")
    raw = bytes.fromhex(digits)
    words = (raw[start : start + WORD][::-1] for start in range(0, len(raw), WORD))
    return Endpoint(socket.inet_ntop(family, b"".join(words)), int(port, 16))
