"""The inputs of the benchmark, the same for both subjects: each is a folder, in which the world does what it does."""

import errno
from pathlib import Path

LAST = 44  # of the counter


class Ticks:
    """Counts how often it was read, and writes each number into `produced`."""

    def __init__(self, folder: Path) -> None:
        self.produced = folder / "produced"
        self.number = 0

    def next(self) -> int | None:
        """The next number; after the last, None."""
        if self.number == LAST:
            return None
        self.number += 1
        with self.produced.open("a") as file:
            file.write(f"{self.number}\n")
        return self.number


class Level:
    """One input of an expander chip: the file `level` holds 0 or 1; `error` makes one read fail."""

    def __init__(self, folder: Path) -> None:
        self.file, self.error = folder / "level", folder / "error"

    def drive(self, level: bool) -> None:
        """What the world does with it; nobody reads half a word."""
        new = self.file.with_suffix(".new")
        new.write_text(f"{level:d}")
        new.replace(self.file)

    def read(self) -> bool:
        """Raise OSError, once, where the world wants an error."""
        try:
            self.error.unlink()
        except FileNotFoundError:
            return self.file.read_text() == "1"
        raise OSError(errno.EREMOTEIO, "Remote I/O error")
