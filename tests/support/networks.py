"""Two networks with a cable between them, as two houses have. The kernel makes them, for root alone."""

import ctypes
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

CLONE_NEWNET = 0x40000000
CABLE = "cable"  # both ends are called so
NUMBERS = count()


@dataclass(frozen=True)
class Network:
    """One end of a cable, and whoever lives there."""

    name: str
    address: str

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Have this thread be there, and for good each thread, process and socket that it starts meanwhile."""
        with Path("/proc/thread-self/ns/net").open() as here, Path("/run/netns", self.name).open() as there:
            _enter(there.fileno())
            try:
                yield
            finally:
                _enter(here.fileno())

    @property
    def command(self) -> list[str]:
        """What a command begins with that is to run there."""
        return ["ip", "netns", "exec", self.name]

    def ip(self, *words: str) -> None:
        _run("ip", "-n", self.name, *words)


class Cable:
    """Joins two networks until it is closed."""

    def __init__(self) -> None:
        able = os.geteuid() == 0 and shutil.which("ip")
        assert able, "networks of our own need root, and the program ip (iproute2): run scripts/test as root"
        begin = f"penates-{os.getpid()}-{next(NUMBERS)}"
        self.ends = Network(f"{begin}-0", "192.168.78.1"), Network(f"{begin}-1", "192.168.78.2")
        for end in self.ends:
            _run("ip", "netns", "add", end.name)
        self.lay()
        for end in self.ends:
            end.ip("address", "add", f"{end.address}/24", "dev", CABLE)
            for link in ("lo", CABLE):
                end.ip("link", "set", link, "up")

    def lay(self) -> None:
        """Join the two."""
        near, far = self.ends
        near.ip("link", "add", CABLE, "type", "veth", "peer", "name", CABLE, "netns", far.name)

    def cut(self) -> None:
        """Unplug it at the second end: nobody is told, and whoever calls from there hears that there is no network."""
        self.ends[1].ip("link", "set", CABLE, "down")

    def mend(self) -> None:
        """Plug it in again."""
        self.ends[1].ip("link", "set", CABLE, "up")

    def close(self) -> None:
        for end in self.ends:
            _run("ip", "netns", "delete", end.name)


def _enter(network: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(network, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


def _run(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True)
