"""The air, in place of a stick: what a test transmits, a real rtl_433 receives."""

import os
import shutil
from pathlib import Path

from support.transmitters import Pulses, ook

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
