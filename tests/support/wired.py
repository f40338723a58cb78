"""Two machines with a wire between them: each in a network of its own, which all of its commands have."""

import contextlib
from collections.abc import Iterator

from support.machine import Machine
from support.networks import Cable


@contextlib.contextmanager
def wired(*machines: Machine) -> Iterator[list[str]]:
    """Provide the addresses of two machines, as long as the wire is there."""
    cable = Cable()
    try:
        for end, machine in zip(cable.ends, machines, strict=True):
            machine.networks, machine.within = [], end.command
        yield [end.address for end in cable.ends]
    finally:
        cable.close()
