"""Two machines with a wire between them: each in a network of its own, which all of its commands have."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from itertools import count

from support.machine import Machine

NUMBERS = count()


@contextlib.contextmanager
def wired(*machines: Machine) -> Iterator[list[str]]:
    """Provide the addresses of two machines, as long as the wire is there."""
    number = next(NUMBERS)
    names = [f"penates-{os.getpid()}-{number}-{end}" for end in range(len(machines))]
    addresses = [f"192.168.78.{end + 1}" for end in range(len(machines))]
    for name in names:
        _ip("netns", "add", name)
    try:
        _ip("-n", names[0], "link", "add", "wire", "type", "veth", "peer", "name", "wire", "netns", names[1])
        for name, address, machine in zip(names, addresses, machines, strict=True):
            _ip("-n", name, "address", "add", f"{address}/24", "dev", "wire")
            for link in ("lo", "wire"):
                _ip("-n", name, "link", "set", link, "up")
            machine.networks, machine.within = [], ["ip", "netns", "exec", name]
        yield addresses
    finally:
        for name in names:
            _ip("netns", "delete", name)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)
