"""The computer itself."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import ClassVar

from bootstrap import Measure, Reading, disk_used, first_number, host_name, memory_used, millis, present
from bootstrap.machine.powered_device import PoweredDevice
from bootstrap.machine.throttling import ANY, SINCE, UNDER_VOLTAGE, Throttling
from bootstrap.proof import DRIVER_NOT_RUN

THERMAL = "sys/class/thermal/thermal_zone0/temp"


@dataclass(kw_only=True)
class Pi(PoweredDevice):
    """The machine's own condition. Its sensor id is the host name; what the machine lacks is left out.

    Wiring: none.
    """

    root: Path = Path("/")  # the folder that contains the machine's own sys and proc
    disk: Path = Path("/")  # a folder of the file system to measure

    parts: ClassVar = dict.fromkeys(("Raspberry Pi", "under-voltage"), DRIVER_NOT_RUN)

    cpu_temperature = Measure("°C", low=-40, high=125)
    load = Measure("1", low=0)  # processes that want to run, averaged over a minute
    memory = Measure("%", low=0, high=100)  # used
    disk_used = Measure("%", low=0, high=100)
    uptime = Measure("s", low=0)  # since the machine was started
    throttled = Measure(bool)  # slowed down, by whatever of these
    throttled_since_start = Measure(bool)
    under_voltage = Measure(bool)  # its power supply or cable is too weak
    under_voltage_since_start = Measure(bool)

    sensor_id = staticmethod(host_name)

    def setup(self) -> None:
        """Remember what the firmware has told."""
        self.throttling = Throttling(self.root, self.keep("throttling", {"boot": "", "bits": 0}))

    def read(self) -> Reading:
        """Return every measure that this machine has; one that cannot be read costs no other."""
        bits = cache(self.throttling.look)
        return present(
            cpu_temperature=lambda: millis(self.root / THERMAL),
            load=lambda: first_number(self.root / "proc/loadavg"),
            memory=lambda: memory_used(self.root / "proc/meminfo"),
            disk_used=lambda: disk_used(self.disk),
            uptime=lambda: first_number(self.root / "proc/uptime"),
            throttled=lambda: bool(bits() & ANY),
            throttled_since_start=lambda: bool(bits() & ANY << SINCE),
            under_voltage=lambda: bool(bits() & UNDER_VOLTAGE),
            under_voltage_since_start=lambda: bool(bits() & UNDER_VOLTAGE << SINCE),
        )
