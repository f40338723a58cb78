"""A copy of kept values outside of any disk, for the next process of a sensor whose process was killed."""

import zlib
from contextlib import suppress
from pathlib import Path

from bootstrap.contract.payload import Json, decode, encode
from bootstrap.errors import Refused
from bootstrap.paths import read_own, rewrite


class KeptCopy:
    """The values after the last change. It counts while the file on the disk is one that it was made beside.

    A file that somebody has put there since, such as one from a backup, is newer. A copy that cannot be written only
    leaves what the file promises by itself.
    """

    def __init__(self, file: Path | None) -> None:
        """Without a file there is never a copy: the other folder is on a disk, too."""
        self._file = file
        self._on_disk = self._saving = 0  # checksums of what is on the disk, and of what is being written there

    def saved(self, text: bytes) -> None:
        """Note what is on the disk."""
        self._on_disk = self._saving = zlib.crc32(text)

    def saving(self, text: bytes) -> None:
        """Note what is about to be written to the disk."""
        self._saving = zlib.crc32(text)

    def write(self, values: dict[str, Json]) -> None:
        """Write the values now; it takes no disk."""
        if self._file is not None:
            with suppress(OSError):
                rewrite(self._file, encode({"beside": [self._on_disk, self._saving], "values": values}))

    def read(self, on_disk: bytes) -> dict[str, Json] | None:
        """Return the values of a process that was killed, or None if there is no copy beside this content."""
        if self._file is None:
            return None
        try:
            found = decode(read_own(self._file))
        except (OSError, Refused):
            return None
        match found:
            case {"beside": list(beside), "values": dict(values)} if zlib.crc32(on_disk) in beside:
                return values
        return None

    def remove(self) -> None:
        """Remove it, because everything is on the disk."""
        if self._file is not None:
            with suppress(OSError):
                self._file.unlink(missing_ok=True)
