"""Reading the kernel's text files under /sys."""

import errno
from pathlib import Path

SHOWN = 5


def millis(file: Path) -> float:
    """A whole number of thousandths, such as millidegrees, as a number of the unit.

    Raises:
        OSError: the file cannot be read; the device is gone.
        ValueError: it holds no whole number. w1_therm leaves it empty after a CRC error.
    """
    try:
        text = file.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        raise FileNotFoundError(errno.ENOENT, missing(file)) from None
    if not text:
        raise ValueError(f"{file} is empty: the device did not answer")
    try:
        return int(text) / 1000
    except ValueError:
        raise ValueError(f"{file} holds {text[:20]!r}, which is no whole number") from None


def missing(file: Path) -> str:
    """What is not there, and what is there instead."""
    gone = next(path for path in reversed([file, *file.parents]) if not path.exists())
    there = sorted(path.name for path in gone.parent.iterdir())[:SHOWN]
    return f"{gone} is not there; {gone.parent} has {', '.join(there) or 'nothing'}"
