"""The air, in place of a stick: what a test transmits, a real rtl_433 receives."""

import os
import shutil
from contextlib import suppress
from pathlib import Path

from support.transmitters import Pulses, ook
from support.world import Running, eventually

RTL_433 = shutil.which("rtl_433")


class Air:
    """A pipe that rtl_433 reads pulses from, as many times as it is started; nothing in it is lost between."""

    def __init__(self, folder: Path) -> None:
        assert RTL_433, "rtl_433 is not installed; run scripts/test, which installs it"
        self._path = folder / "air"
        os.mkfifo(self._path)
        self._end = os.open(self._path, os.O_RDWR)

    @property
    def input(self) -> str:
        """The setting by which a receiver hears it."""
        return f"ook:{self._path}"

    def send(self, *transmissions: Pulses) -> None:
        os.write(self._end, "".join(map(ook, transmissions)).encode())

    def close(self) -> None:
        os.close(self._end)


def receiver_pids(running: Running) -> list[int]:
    """Each rtl_433 that this process has started and that has not ended."""
    children = Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text().split()
    return [int(child) for child in children]


def receivers(running: Running) -> list[list[str]]:
    """The arguments of each that has not ended."""
    with suppress(OSError):
        lines = [Path(f"/proc/{pid}/cmdline").read_text() for pid in receiver_pids(running)]
        return [line.split("\0")[1:-1] for line in lines if line]
    return []


def listens(running: Running, *decoders: int) -> None:
    """Until it listens with these decoders alone: one that is just ending would take what is sent."""
    wanted = [word for number in decoders for word in ("-R", str(number))]

    def does() -> bool:
        found = receivers(running)
        return len(found) == 1 and found[0][-len(wanted) :] == wanted and found[0].count("-R") == len(decoders)

    eventually(does, f"it listens with {wanted}")
