"""A DS18B20 thermometer."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from bootstrap import Device, Measure, OneWireDevice, OneWireFolder, Reading, millis
from bootstrap.proof import KERNEL_DRIVER


@dataclass(kw_only=True)
class Thermometer(Device):
    """A DS18B20 probe on the 1-Wire bus.

    Wiring: red to 3V3, black to GND, yellow to GPIO 4, and 4.7 kohm from yellow to red. A read takes 0.8 s.
    """

    parts: ClassVar = {"DS18B20": KERNEL_DRIVER}

    serial: OneWireDevice  # the probe's folder in bus, such as 28-0316a2795fff: ls /sys/bus/w1/devices
    bus: OneWireFolder = Path("/sys/bus/w1/devices")  # where the kernel lists its 1-Wire devices

    blocks = True  # a conversion takes 0.75 s, and probes on one bus are read in turn

    # 85 °C is what the chip holds until its first conversion (DS18B20 data sheet, "Memory").
    temperature = Measure("°C", low=-55, high=125, step=10, power_on=85)

    def read(self) -> Reading:
        """Return the temperature, which the kernel converts and reads."""
        return {"temperature": millis(self.bus / self.serial / "temperature")}
