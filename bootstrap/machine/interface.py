"""A network interface: whether it is connected, how much goes through it, and how strong its radio signal is."""

import errno
import re
import time
from collections.abc import Callable
from pathlib import Path

from bootstrap.sysfs import first_number, missing

LONGEST = 15  # characters of an interface's name
UNKNOWN = -256  # in place of a signal's strength
BYTE = 256  # by which drivers that know no negative numbers are off


def an_interface(text: str) -> None:
    """Raise ValueError, saying what is allowed, if `text` cannot be the name of a network interface."""
    if not re.fullmatch(r"[^\s/:]{1,15}", text) or text in (".", ".."):
        raise ValueError('the name of a network interface, such as "wlan0"; `ip -brief link` lists them')


class Interface:
    """One interface. Rates are those since it was read last."""

    def __init__(self, name: str, root: Path, now: Callable[[], float] = time.monotonic) -> None:
        """Read it below `root`, the folder that contains the machine's own sys and proc."""
        self._name, self._root, self._now = name, root, now
        self._before: dict[str, tuple[float, float]] = {}  # the time and the count, by the counter

    @property
    def _folder(self) -> Path:
        return self._root / "sys/class/net" / self._name

    def require(self) -> None:
        """Raise FileNotFoundError, with the interfaces that there are, if it is not there."""
        if not self._folder.exists():
            self._before.clear()
            raise FileNotFoundError(errno.ENOENT, missing(self._folder))

    @property
    def is_connected(self) -> bool:
        """Whether there is a carrier: a cable that is plugged in, or a radio network that was joined."""
        try:
            return first_number(self._folder / "carrier") > 0
        except OSError as error:
            if error.errno == errno.EINVAL:  # what the kernel answers while the interface is switched off
                return False
            raise

    def rate(self, counter: str) -> float | None:
        """Return the bytes per second of a counter, such as `rx_bytes`; None at first, and where it began anew."""
        count, now = first_number(self._folder / "statistics" / counter), self._now()
        before = self._before.get(counter)
        self._before[counter] = now, count
        if before is None or count < before[1] or now <= before[0]:
            return None
        return round((count - before[1]) / (now - before[0]), 1)

    @property
    def signal(self) -> float | None:
        """The strength of its radio signal in dBm; None if it has none.

        Raises:
            ValueError: its driver tells a strength without a unit.
        """
        rows = (self._root / "proc/net/wireless").read_text(encoding="ascii").splitlines()
        fields = next((row.split() for row in rows if row.strip().startswith(f"{self._name}:")), None)
        if fields is None:
            return None
        level = float(fields[3].rstrip("."))
        if level >= 0:
            level = level - BYTE if level > BYTE / 4 else level
        if level == UNKNOWN:
            return None
        if level >= 0:
            raise ValueError(f"the driver of {self._name} tells a strength of {level:g} without a unit")
        return level
