"""The computer itself."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from bootstrap.device import Device, Measure, Reading, host_name
from bootstrap.sysfs import hexadecimal, kibibytes, millis, present

THERMAL = "sys/class/thermal/thermal_zone0/temp"
THROTTLED = "sys/devices/platform/soc/soc:firmware/get_throttled"
NOW = 0xF  # its low bits: under-voltage, capped, throttled, too hot, now (raspberrypi.com, vcgencmd get_throttled)


@dataclass(kw_only=True)
class Pi(Device):
    """How the machine is. Its sensor id is the host's name; what the machine lacks is left out.

    Wiring: none.
    """

    root: Path = Path("/")  # where the machine's own files are
    disk: Path = Path("/")  # a folder of the file system to measure
    every_s: float = 60.0

    cpu_temperature = Measure("°C", low=-40, high=125)
    load = Measure("1", low=0)  # processes that want to run, over a minute
    memory = Measure("%", low=0, high=100)  # used
    disk_used = Measure("%", low=0, high=100)
    throttled = Measure(bool)

    sensor_id = staticmethod(host_name)

    def read(self) -> Reading:
        """All there is."""
        return present(
            cpu_temperature=lambda: millis(self.root / THERMAL),
            load=lambda: float((self.root / "proc/loadavg").read_text().split()[0]),
            memory=self.memory_used,
            disk_used=self.share_of_disk,
            throttled=lambda: bool(hexadecimal(self.root / THROTTLED) & NOW),
        )

    def memory_used(self) -> float:
        """Without what the kernel would give back."""
        known = kibibytes(self.root / "proc/meminfo")
        return round(100 * (1 - known["MemAvailable"] / known["MemTotal"]), 1)

    def share_of_disk(self) -> float:
        """As `df` counts it."""
        usage = shutil.disk_usage(self.disk)
        return round(100 * usage.used / (usage.used + usage.free), 1)
