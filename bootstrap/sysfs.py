"""Reading the kernel's text files under /sys."""

from pathlib import Path


def millis(file: Path) -> float:
    """A whole number of thousandths, such as millidegrees, as a number of the unit.

    Raises:
        OSError: the file cannot be read; the device is gone.
        ValueError: it holds no whole number. w1_therm leaves it empty after a CRC error.
    """
    text = file.read_text(encoding="ascii").strip()
    if not text:
        raise ValueError(f"{file} is empty: the device did not answer")
    return int(text) / 1000
