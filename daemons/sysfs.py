"""Any channel of any device with a driver in the kernel."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from bootstrap import Device, Measure, Reading, Sysfs
from bootstrap.kernel_sensors.channel_measures import measures_of, sampled
from bootstrap.kernel_sensors.kernel_device import find
from bootstrap.proof import KERNEL_DRIVER


@dataclass(kw_only=True)
class SysfsDevice(Device):
    """A device of the kernel (IIO, hwmon, 1-Wire, counter) that has no kind of its own; its channels are the measures.

    Wiring: as its driver wants it.
    """

    name: str  # what its driver calls it, such as "ads1015": cat /sys/bus/iio/devices/*/name /sys/class/hwmon/*/name
    at: str | None = None  # where it is, if there are several: such as "0x48", "0x48 on i2c-3", "spi0.0"
    channels: list[str]  # its files without in_, _raw and _input, such as ["voltage0", "voltage1"]
    sysfs: Sysfs = Path("/sys")

    parts: ClassVar = {"IIO": KERNEL_DRIVER, "hwmon": KERNEL_DRIVER}
    blocks = True
    temp = Measure("°C", low=-273.15)  # and each other channel, by its name

    def __post_init__(self) -> None:
        """Have the channels as measures."""
        self.measures = measures_of(self.channels)  # type: ignore[misc]

    def read(self) -> Reading:
        """Return what the channels have now; one that cannot be read costs no other."""
        return sampled(find(self.sysfs, (self.name,), self.at or ""), self.channels)
