"""The computer itself."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from bootstrap import Device, Measure, Reading, first_number, hexadecimal, host_name, kibibytes, millis, present

THERMAL = "sys/class/thermal/thermal_zone0/temp"
THROTTLED = "sys/devices/platform/soc/soc:firmware/get_throttled"
NOW = 0xF  # its low bits: under-voltage, capped, throttled, too hot, now (raspberrypi.com, vcgencmd get_throttled)


@dataclass(kw_only=True)
class Pi(Device):
    """The machine's own condition. Its sensor id is the host name; what the machine lacks is left out.

    Wiring: none.
    """

    root: Path = Path("/")  # the folder that contains the machine's own sys and proc
    disk: Path = Path("/")  # a folder of the file system to measure

    cpu_temperature = Measure("°C", low=-40, high=125)
    load = Measure("1", low=0)  # processes that want to run, averaged over a minute
    memory = Measure("%", low=0, high=100)  # used
    disk_used = Measure("%", low=0, high=100)
    throttled = Measure(bool)

    sensor_id = staticmethod(host_name)

    def read(self) -> Reading:
        """Return every measure that this machine has; one that cannot be read costs no other."""
        return present(
            cpu_temperature=lambda: millis(self.root / THERMAL),
            load=lambda: first_number(self.root / "proc/loadavg"),
            memory=self.memory_used,
            disk_used=self.disk_share,
            throttled=lambda: bool(hexadecimal(self.root / THROTTLED) & NOW),
        )

    def memory_used(self) -> float:
        """Return the share of memory in use, without what the kernel could free, in percent."""
        file = self.root / "proc/meminfo"
        known = kibibytes(file)
        if not known.get("MemTotal") or "MemAvailable" not in known:
            raise ValueError(f"{file} has no MemTotal above 0, or no MemAvailable")
        return round(100 * (1 - known["MemAvailable"] / known["MemTotal"]), 1)

    def disk_share(self) -> float:
        """Return the used share of the file system as `df` counts it, in percent."""
        usage = shutil.disk_usage(self.disk)
        if not usage.used + usage.free:
            raise ValueError(f"{self.disk} has no size: it is not on a disk")
        return round(100 * usage.used / (usage.used + usage.free), 1)
