"""The updates of Debian that are waiting."""

from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Annotated, ClassVar

from bootstrap import Device, Limits, Measure, NoReading, Program, Reading
from bootstrap.machine.apt_updates import AptUpdates
from bootstrap.proof import REAL_SYSTEM

AGAIN_S = 3600.0  # after a failure, since a look takes seconds of a whole processor


@dataclass(kw_only=True)
class Updates(Device):
    """The updates of Debian that are waiting, by the lists that apt has fetched; it installs nothing.

    Wiring: none. Debian fetches the lists once a day if the package unattended-upgrades is installed.
    """

    look_s: Annotated[float, Limits(3600, 31_622_400)] = 86_400.0  # seconds from one look to the next: apt needs 100 MB
    apt_get: Program = "apt-get"  # the program that looks, in a child process
    root: Path = Path("/")  # the root of the machine's file system

    parts: ClassVar = {"Debian updates": REAL_SYSTEM, "apt": REAL_SYSTEM}
    blocks = True
    memory_mb = 384

    updates = Measure("1", low=0)  # packages of which there is a newer version
    security = Measure("1", low=0)  # those of Debian's security team; none without such a source
    lists_age = Measure("d", low=0)  # since apt has fetched its lists: what came later is not counted
    restart_required = Measure(bool)

    def setup(self) -> None:
        """Look at once."""
        self.apt, self.next_look, self.failed = AptUpdates(self.apt_get, self.root), 0.0, ""

    @property
    def period_s(self) -> float:
        """The time from one look to the next."""
        return self.look_s

    def read(self) -> Reading:
        """Return what is waiting. OSError: apt cannot tell, and is asked again after an hour."""
        if monotonic() < self.next_look:
            if self.failed:
                raise OSError(self.failed)
            raise NoReading
        self.failed, self.next_look = "", monotonic() + self.look_s
        try:
            return self.apt.reading()
        except (OSError, ValueError) as error:
            self.failed, self.next_look = str(error), monotonic() + AGAIN_S
            raise

    def teardown(self) -> None:
        """Look no more."""
        self.apt.end()
