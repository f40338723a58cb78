"""Read the kernel's text files under /sys."""

import contextlib
import errno
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

SHOWN = 5


def millis(file: Path) -> float:
    """Read a whole number of thousandths, such as millidegrees, as a number of the unit.

    Raises:
        OSError: the file cannot be read; the device is gone.
        ValueError: it is not a whole number. w1_therm leaves the file empty after a CRC error.
    """
    try:
        text = file.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        raise FileNotFoundError(errno.ENOENT, missing(file)) from None
    if not text:
        raise ValueError(f"the device did not answer: {file} is empty")
    try:
        return int(text) / 1000
    except ValueError:
        raise ValueError(f"{file} holds {text[:20]!r}, which is not a whole number") from None


def hexadecimal(file: Path) -> int:
    """Read a hexadecimal number such as `50005`.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is not such a number.
    """
    return int(file.read_text(encoding="ascii"), 16)


def kibibytes(file: Path) -> dict[str, int]:
    """Read lines such as `MemTotal:  948012 kB` as numbers by name.

    Raises:
        OSError: the file cannot be read.
        ValueError: a line has another form.
    """
    lines = (line.split() for line in file.read_text(encoding="ascii").splitlines())
    return {name.rstrip(":"): int(number) for name, number, *_unit in lines}


def present(**measures: Callable[[], T]) -> dict[str, T]:
    """Take each measure; leave out those whose file does not exist, since this machine lacks them."""
    found = {}
    for name, measure in measures.items():
        with contextlib.suppress(FileNotFoundError):
            found[name] = measure()
    return found


def missing(file: Path) -> str:
    """Return what is not there, and what is there instead."""
    absent = next(path for path in reversed([file, *file.parents]) if not path.exists())
    there = sorted(path.name for path in absent.parent.iterdir())[:SHOWN]
    return f"{absent} is not there; {absent.parent} has {', '.join(there) or 'nothing'}"
