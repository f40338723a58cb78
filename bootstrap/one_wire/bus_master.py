"""One master of the 1-Wire bus: the probes on it, and the conversion of all of them at once."""

import re
import time
from collections.abc import Iterable
from pathlib import Path

from bootstrap.sysfs import first_number, millis, set_content

MASTERS = "w1_bus_master*"
BULK_FILE = "therm_bulk_read"
TRIGGER = b"trigger\n"  # the kernel takes exactly these eight bytes, in one write
PROBE = re.compile(r"(10|22|28|3b|42)-[0-9a-f]{12}")  # the families of w1_therm
ALONE = "42-"  # the DS28EA00 is converted at each read: the kernel does not count it among those of a trigger
NEARLY = 0.95  # part of a conversion's time that is as good as all of it: the kernel's timer and our clock may differ
LONGEST_S = 0.75  # a conversion with 12 bits (DS18B20 data sheet, "Thermometer Resolution")


def conversion_s(probe: Path) -> float:
    """Return how long a conversion of a probe takes, in seconds. Kernels before 5.11 do not say it: the longest."""
    try:
        return first_number(probe / "conv_time") / 1000
    except (OSError, ValueError):
        return LONGEST_S


def fresh(probe: Path) -> float:
    """Convert the temperature of one probe and return it in °C; that takes up to 0.8 s.

    After a trigger the kernel hands out what was converted then, however long ago that was. What came sooner than a
    conversion takes may be such a value: the second read converts in any case.

    Raises:
        OSError: the probe is gone.
        ValueError: it did not answer.
    """
    began = time.monotonic()
    try:
        found = millis(probe / "temperature")
    except ValueError:
        if _took(began, conversion_s(probe)):
            raise
        return millis(probe / "temperature")
    return found if _took(began, conversion_s(probe)) else millis(probe / "temperature")


def _took(began: float, wanted_s: float) -> bool:
    """Return whether it is as long as a conversion takes since `began` (monotonic)."""
    return time.monotonic() - began >= NEARLY * wanted_s


class BusMaster:
    """A folder such as `/sys/bus/w1/devices/w1_bus_master1`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def probes(self) -> list[Path]:
        """Return the folders of the probes, in the order of their serial numbers."""
        return sorted(one for one in self.folder.iterdir() if PROBE.fullmatch(one.name))

    def convert(self, probes: Iterable[Path]) -> str:
        """Have all probes convert at once, which takes 0.75 s. Return why that was not done, or empty text.

        The kernel takes a trigger without a word even if nobody has answered it, and would then hand out the values of
        the conversion before. But only one that was answered takes as long as a conversion.
        """
        wanted_s = max(map(conversion_s, probes))
        file, began = self.folder / BULK_FILE, time.monotonic()
        try:
            set_content(file, TRIGGER)
        except OSError as error:
            return f"{file}: {error.strerror or error}"
        return "" if _took(began, wanted_s) else f"no probe answered to {file}: that took less than a conversion"
