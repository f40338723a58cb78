"""The disk on which a folder is: how much is written to it, how worn it is, and what has gone wrong."""

import os
from collections.abc import Mapping
from pathlib import Path

from bootstrap.device import Kept
from bootstrap.sysfs import require_visible

SECTOR = 512  # bytes, of whatever disk
GIGA = 1e9
WRITTEN = 6  # place of the sectors written in `stat` (kernel: Documentation/block/stat.rst)
# JEDEC 84-B51, DEVICE_LIFE_TIME_EST_TYP_A and _B: tenths of the life that is used, at most; and PRE_EOL_INFO.
TENTHS, EXCEEDED = 10, 0x0B
SPARE_BLOCKS: Mapping[int, str] = {1: "normal", 2: "warning", 3: "urgent"}


class BlockDevice:
    """A disk, found by a folder on it."""

    def __init__(self, folder: Path, root: Path) -> None:
        """Look below `root`, the folder that contains the machine's own sys.

        Raises:
            OSError: the folder cannot be reached.
        """
        number = os.stat(folder).st_dev  # noqa: PTH116 - as statvfs beside it
        self._root = root
        self._part = (root / f"sys/dev/block/{os.major(number)}:{os.minor(number)}").resolve()

    @property
    def _disk(self) -> Path:
        """The whole disk, of which the folder's file system may have a part."""
        return self._part.parent if (self._part / "partition").exists() else self._part

    @property
    def written(self) -> float:
        """The gigabytes written to the disk since the machine was started."""
        fields = (self._disk / "stat").read_text(encoding="ascii").split()
        return round(int(fields[WRITTEN]) * SECTOR / GIGA, 3)

    @property
    def errors(self) -> int:
        """The errors of the file system since it was last checked, which ext4 counts."""
        return int((self._root / "sys/fs/ext4" / self._part.name / "errors_count").read_text(encoding="ascii"))

    @property
    def life_used(self) -> float:
        """How much of its life the disk has used at most, in percent; an eMMC tells it, and few SD cards.

        Raises:
            OSError: it does not tell.
            ValueError: it tells nothing that the standard knows.
        """
        file = self._disk / "device/life_time"
        found = [int(word, 16) for word in file.read_text(encoding="ascii").split()]
        if not any(found):
            raise FileNotFoundError(f"{file} is not defined by this disk")
        if max(found) > EXCEEDED:
            raise ValueError(f"{file} holds {max(found):#x}, which the standard does not know")
        return float(min(max(found), TENTHS) * TENTHS)

    @property
    def spare_blocks(self) -> str:
        """How many spare blocks are left: `normal`, `warning` (80 % are used) or `urgent` (90 %).

        Raises:
            OSError: the disk does not tell.
            ValueError: it tells nothing that the standard knows.
        """
        file = self._disk / "device/pre_eol_info"
        found = int(file.read_text(encoding="ascii"), 16)
        if not found:
            raise FileNotFoundError(f"{file} is not defined by this disk")
        if found not in SPARE_BLOCKS:
            raise ValueError(f"{file} holds {found:#x}, which the standard does not know")
        return SPARE_BLOCKS[found]


class MountPoint:
    """A folder at which a disk may be mounted: without it, the folder would be one of another disk."""

    def __init__(self, folder: Path, mounted_at: Kept[str]) -> None:
        """Keep in `mounted_at` that something was mounted at the folder, so that a restart does not forget it."""
        self._folder, self._mounted_at = folder, mounted_at
        self.note()

    def note(self) -> None:
        """Note whether something is mounted there; in the loop's thread."""
        if self._folder.is_mount():
            self._mounted_at.value = str(self._folder)

    def require(self) -> None:
        """Raise OSError if something was mounted at the folder, and is not any more, or if this unit cannot see it."""
        if self._mounted_at.value == str(self._folder) and not self._folder.is_mount():
            raise OSError(f"nothing is mounted at {self._folder} any more")
        require_visible(self._folder)


def free_space(folder: Path) -> float:
    """Return how many gigabytes users may still write to the file system of a folder. OSError: it is not reached."""
    found = os.statvfs(folder)
    return round(found.f_bavail * found.f_frsize / GIGA, 3)
