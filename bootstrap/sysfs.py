"""Read the kernel's text files under /sys and /proc, and what they tell of the machine."""

import errno
import os
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
IN_UNIT = "INVOCATION_ID"  # set by systemd for each service
HIDDEN = (Path("/home"), Path("/root"), Path("/run/user"))  # by ProtectHome=yes, in systemd/hardening.conf
SHOWN = 5
PAGE = 1 << 16  # bytes, of which a page of the largest kind is one
KIBIBYTES = re.compile(r"^(\S+):\s*(\d+)\b", re.ASCII | re.MULTILINE)


def content(file: Path) -> bytes:
    """Read a file that a driver fills, such as one below /sys.

    Raises:
        OSError: it cannot be read. BlockingIOError: the driver has no value yet (EAGAIN); a file object of Python would
            return None in place of it.
    """
    opened = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        return os.read(opened, PAGE)
    finally:
        os.close(opened)


def set_content(file: Path, text: bytes) -> None:
    """Write to a file that a driver takes, such as one below /sys; a missing one is never made. OSError: why not."""
    opened = os.open(file, os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC)
    try:
        os.write(opened, text)
    finally:
        os.close(opened)


def millis(file: Path) -> float:
    """Read a whole number of thousandths, such as millidegrees, as a number of the unit.

    Raises:
        OSError: the file cannot be read; the device is gone.
        ValueError: it is not a whole number. w1_therm leaves the file empty after a CRC error.
    """
    try:
        text = content(file).decode("ascii").strip()
    except FileNotFoundError:
        raise FileNotFoundError(errno.ENOENT, missing(file)) from None
    if not text:
        raise ValueError(f"the device did not answer: {file} is empty")
    try:
        return int(text) / 1000
    except ValueError:
        raise ValueError(f"{file} holds {text[:20]!r}, which is not a whole number") from None


def first_number(file: Path) -> float:
    """Read the number that a file such as /proc/loadavg begins with.

    Raises:
        OSError: the file cannot be read.
        ValueError: it does not begin with a number.
    """
    text = file.read_text(encoding="ascii")
    try:
        return float(text.split(maxsplit=1)[0])
    except (IndexError, ValueError):
        raise ValueError(f"{file} holds {text[:20]!r}, which does not begin with a number") from None


def hexadecimal(file: Path) -> int:
    """Read a hexadecimal number such as `50005`.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is not such a number.
    """
    text = file.read_text(encoding="ascii").strip()
    try:
        return int(text, 16)
    except ValueError:
        raise ValueError(f"{file} holds {text[:20]!r}, which is not a hexadecimal number") from None


def kibibytes(file: Path) -> dict[str, int]:
    """Read lines such as `MemTotal:  948012 kB` as numbers by name; lines of another form are passed over.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is not text.
    """
    return {name: int(number) for name, number in KIBIBYTES.findall(file.read_text(encoding="ascii"))}


def memory_used(meminfo: Path) -> float:
    """Return the share of memory in use, without what the kernel could free, in percent; `meminfo` is /proc/meminfo.

    Raises:
        OSError: the file cannot be read.
        ValueError: it lacks what that takes.
    """
    known = kibibytes(meminfo)
    if not known.get("MemTotal") or "MemAvailable" not in known:
        raise ValueError(f"{meminfo} has no MemTotal above 0, or no MemAvailable")
    return round(100 * (1 - known["MemAvailable"] / known["MemTotal"]), 1)


def disk_used(folder: Path) -> float:
    """Return the used share of a folder's file system as `df` counts it, in percent.

    Raises:
        OSError: the folder cannot be reached.
        ValueError: it is not on a disk.
    """
    require_visible(folder)
    found = os.statvfs(folder)
    used, free = found.f_blocks - found.f_bfree, found.f_bavail
    if not used + free:
        raise ValueError(f"{folder} has no size: it is not on a disk")
    return round(100 * used / (used + free), 1)


def require_visible(folder: Path) -> None:
    """Raise OSError for a folder in whose place a unit sees an empty one of another file system (`ProtectHome=`)."""
    if IN_UNIT in os.environ and any(folder.is_relative_to(hidden) for hidden in HIDDEN):
        hidden = ", ".join(map(str, HIDDEN))
        raise OSError(f"a unit does not see {folder}; name a folder of that disk which is not below {hidden}")


def present(**measures: Callable[[], T | None]) -> dict[str, T | OSError | ValueError]:
    """Take each measure by itself; leave out those that are None, or whose file does not exist on this machine.

    Where a measure fails in another way, the error stands in place of its value, and costs no other.
    """
    found: dict[str, T | OSError | ValueError] = {}
    for name, measure in measures.items():
        try:
            value = measure()
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as error:
            found[name] = error
        else:
            found |= {} if value is None else {name: value}
    return found


def missing(file: Path) -> str:
    """Return what is not there, and what is there instead."""
    absent = next(path for path in reversed([file, *file.parents]) if not path.exists())
    there = sorted(path.name for path in absent.parent.iterdir())[:SHOWN]
    return f"{absent} is not there; {absent.parent} has {', '.join(there) or 'nothing'}"


def boot_id() -> str:
    """Return the name of this start of the machine, or empty text if the kernel does not tell it."""
    with suppress(OSError):
        return BOOT_ID.read_text(encoding="ascii").strip()
    return ""
