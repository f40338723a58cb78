"""The units in which drivers write what they measure, and those in which it is published.

The kernel's documents have them: Documentation/ABI/testing/sysfs-bus-iio, Documentation/hwmon/sysfs-interface.rst.
"""

import re
from dataclasses import dataclass

DIGITS = 9  # of a result: more than any chip has, and few enough to hide the last bits of a float
TYPE = re.compile(r"[a-z]+")


@dataclass(frozen=True)
class ChannelUnit:
    """The unit of a channel as it is published, and how many of them one of the driver's units is."""

    name: str
    factor: float = 1.0

    def convert(self, number: float) -> float:
        """Return a driver's number in the published unit."""
        return float(f"{number * self.factor:.{DIGITS}g}") + 0.0


COUNT = ChannelUnit("1")
MILLI_CELSIUS, MILLI_PERCENT = ChannelUnit("°C", 1e-3), ChannelUnit("%", 1e-3)
MILLIVOLT, MILLIAMPERE = ChannelUnit("V", 1e-3), ChannelUnit("A", 1e-3)

IIO_UNITS = {
    "temp": MILLI_CELSIUS,
    "humidityrelative": MILLI_PERCENT,
    "pressure": ChannelUnit("hPa", 10),  # kilopascal
    "illuminance": ChannelUnit("lx"),
    "voltage": MILLIVOLT,
    "altvoltage": MILLIVOLT,
    "current": MILLIAMPERE,
    "power": ChannelUnit("W", 1e-3),  # milliwatt
    "energy": ChannelUnit("kWh", 1 / 3.6e6),  # joule
    "resistance": ChannelUnit("Ω"),
    "capacitance": ChannelUnit("nF"),
    "distance": ChannelUnit("m"),
    "concentration": ChannelUnit("ppm", 1e4),  # percent
    "massconcentration": ChannelUnit("µg/m³"),
    "accel": ChannelUnit("m/s²"),
    "anglvel": ChannelUnit("rad/s"),
    "angl": ChannelUnit("rad"),
    "incli": ChannelUnit("°"),
    "magn": ChannelUnit("G"),
    "velocity": ChannelUnit("m/s"),
    "positionrelative": MILLI_PERCENT,
    "electricalconductivity": ChannelUnit("S/m"),
    "ph": ChannelUnit("pH"),
}
HWMON_UNITS = {
    "temp": MILLI_CELSIUS,
    "humidity": MILLI_PERCENT,
    "in": MILLIVOLT,
    "curr": MILLIAMPERE,
    "power": ChannelUnit("W", 1e-6),  # microwatt
    "energy": ChannelUnit("kWh", 1 / 3.6e12),  # microjoule
    "fan": ChannelUnit("rpm"),
    "freq": ChannelUnit("Hz"),
}
ONE_WIRE_UNITS = {"temperature": MILLI_CELSIUS}


def channel_type(channel: str) -> str:
    """Return the type of a channel: `voltage` of `voltage0-voltage1`, `temp` of `temp1`."""
    found = TYPE.match(channel)
    return found[0] if found else channel
