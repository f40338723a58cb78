"""The lock of a bus, which sensors of other processes and users respect, too."""

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from typing import Self

LOCKS = Path("/proc/locks")


class BusLock:
    """A lock on the bus's own node: a device file, or a file or folder of sysfs. It ends with its process.

    Entering waits for as long as another holds it. A node that is not there needs no lock: whoever uses it will tell.
    """

    def __init__(self, node: Path) -> None:
        self._node = node
        self._descriptor: int | None = None

    def __enter__(self) -> Self:
        """Acquire the lock.

        Raises:
            OSError: the node exists, and cannot be opened.
        """
        with suppress(FileNotFoundError):
            # O_NONBLOCK because opening a serial port may wait for its line; nothing is read.
            self._descriptor = os.open(self._node, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX)
            except BaseException:
                self.__exit__()
                raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def holder_of(node: Path) -> str:
    """Return who holds the lock of a bus, such as `process 812 (penates)`, or empty text if the kernel does not say."""
    with suppress(OSError, ValueError, IndexError):
        inode = str(node.stat().st_ino)
        for line in LOCKS.read_text(encoding="ascii").splitlines():
            words = line.split()  # 1: FLOCK ADVISORY WRITE 812 00:16:1034 0 EOF; one that waits has -> before FLOCK
            if words[1] == "FLOCK" and words[5].rpartition(":")[2] == inode:
                return f"process {words[4]}{_name_of(words[4])}"
    return ""


def _name_of(process: str) -> str:
    """Return the name of a process in brackets; that of another user may be hidden."""
    with suppress(OSError):
        return f" ({Path(f'/proc/{process}/comm').read_text(encoding='utf-8', errors='replace').strip()})"
    return ""
