"""One number in a file of a driver, and what its errors mean."""

import errno
import math
from pathlib import Path

from bootstrap.sysfs import content, missing

SHOWN = 20
SILENT = "it does not answer: check its wiring and its supply"
RESTART = "; many a chip that was without power answers again only after a restart of the machine"
MEANINGS = {  # what a driver means by an error of a read
    errno.EIO: SILENT + RESTART,
    errno.EREMOTEIO: SILENT,
    errno.ENXIO: SILENT,
    errno.ETIMEDOUT: "it did not answer in time: check its wiring and its supply",
    errno.ENODEV: "its driver has lost it: check its wiring, then restart",
    errno.EAGAIN: "it has no value yet",
    errno.EBUSY: "another program uses it",
    errno.EINVAL: "the driver calls its answer invalid, as after a cut wire" + RESTART,
}


def number(file: Path) -> float:
    """Read the number in a file of a driver. It is never -0.0.

    Raises:
        OSError: the file is gone, or the driver had no answer; with what that means.
        ValueError: the file holds no number.
    """
    try:
        text = content(file).strip()
    except FileNotFoundError:
        raise FileNotFoundError(errno.ENOENT, missing(file)) from None
    except OSError as error:
        meaning = MEANINGS.get(error.errno or 0, error.strerror)
        raise type(error)(error.errno, f"{file}: {meaning}") from None
    if not text:
        raise ValueError(f"the device did not answer: {file} is empty")
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        raise ValueError(f"{file} holds {ascii(text[:SHOWN])[1:]}, which is not a number")
    return found + 0.0  # which makes 0.0 of -0.0


def first_line(file: Path) -> str:
    """Return the text of a file such as `name`, or empty text if there is none to read."""
    try:
        return file.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
