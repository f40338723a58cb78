"""A log file that is standard error itself, so that it also contains crashes and stacks, and never fills the disk."""

import os
from pathlib import Path

from bootstrap.paths import open_own

MEGABYTE = 1_000_000
KEPT = 3  # older files: supervisor.log.1 to .3


class RotatingStderr:
    """Redirects standard error to `path`. At `limit_mb` megabytes the file is renamed and a new one started."""

    def __init__(self, path: Path, limit_mb: float) -> None:
        self._path, self.limit_mb = path, limit_mb
        self._open()

    def _open(self) -> None:
        descriptor = open_own(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.dup2(descriptor, 2)
        os.close(descriptor)

    def rotate(self) -> None:
        """Start a new file if this one is full, or is not at its path any more. To be called from time to time.

        A disk error changes nothing.
        """
        try:
            if self._is_lost():
                self._open()
            if os.fstat(2).st_size < self.limit_mb * MEGABYTE:
                return
            for number in range(KEPT, 1, -1):
                newer = self._numbered(number - 1)
                if newer.exists():
                    newer.replace(self._numbered(number))
            fresh = self._path.with_suffix(".new")
            fresh.unlink(missing_ok=True)
            os.close(open_own(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL))  # if it fails, nothing changes
            self._path.replace(self._numbered(1))
            fresh.replace(self._path)
            self._open()
        except OSError:
            return

    def _is_lost(self) -> bool:
        """Return whether somebody has removed, renamed or replaced the file, so that nobody finds what is logged."""
        return not (self._path.exists() and os.path.samestat(self._path.stat(), os.fstat(2)))

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")
