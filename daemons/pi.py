"""The computer itself."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from bootstrap import (
    Device,
    Measure,
    Reading,
    disk_used,
    first_number,
    hexadecimal,
    host_name,
    memory_used,
    millis,
    present,
)
from bootstrap.proof import REAL_SYSTEM

THERMAL = "sys/class/thermal/thermal_zone0/temp"
THROTTLED = "sys/devices/platform/soc/soc:firmware/get_throttled"
NOW = 0xF  # its low bits: under-voltage, capped, throttled, too hot, now (raspberrypi.com, vcgencmd get_throttled)


@dataclass(kw_only=True)
class Pi(Device):
    """The machine's own condition. Its sensor id is the host name; what the machine lacks is left out.

    Wiring: none.
    """

    parts: ClassVar = {"Raspberry Pi": REAL_SYSTEM}

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
            memory=lambda: memory_used(self.root / "proc/meminfo"),
            disk_used=lambda: disk_used(self.disk),
            throttled=lambda: bool(hexadecimal(self.root / THROTTLED) & NOW),
        )
