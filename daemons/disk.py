"""A disk of this machine."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from bootstrap import Device, Measure, Reading, disk_used, present
from bootstrap.machine.block_device import SPARE_BLOCKS, BlockDevice, MountPoint, free_space
from bootstrap.proof import DRIVER_NOT_RUN


@dataclass(kw_only=True)
class Disk(Device):
    """A disk of this machine: an SD card, an eMMC, an SSD or a stick.

    Wiring: none. The life that is used is told by an eMMC, such as that of a Compute Module, and by few SD cards.
    """

    disk: Path = Path("/")  # a folder of its file system
    root: Path = Path("/")  # the folder that contains the machine's own sys

    parts: ClassVar = dict.fromkeys(("SD card", "SSD", "eMMC"), DRIVER_NOT_RUN)
    blocks = True

    used = Measure("%", low=0, high=100)  # as df counts it
    free = Measure("GB", low=0)  # for users
    written = Measure("GB", low=0, counter=True)  # to the whole disk, since the machine was started
    errors = Measure("1", low=0, counter=True)  # of an ext4 file system, since it was last checked
    life_used = Measure("%", low=0, high=100)  # at most, in steps of ten
    spare_blocks = Measure(str, words=SPARE_BLOCKS.values())

    def setup(self) -> None:
        """Look whether it is one that can be unmounted."""
        self.mount = MountPoint(self.disk, self.keep("mounted_at", ""))

    def read(self) -> Reading:
        """Return what the disk tells. OSError: nothing is mounted there any more."""
        self.mount.require()
        found = BlockDevice(self.disk, self.root)
        return present(
            used=lambda: disk_used(self.disk),
            free=lambda: free_space(self.disk),
            written=lambda: found.written,
            errors=lambda: found.errors,
            life_used=lambda: found.life_used,
            spare_blocks=lambda: found.spare_blocks,
        )

    def complete(self, reading: Reading) -> Reading:
        """Note whether it can be unmounted, also if it was mounted later."""
        self.mount.note()
        return reading
