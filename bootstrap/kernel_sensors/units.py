"""The units in which drivers write what they measure, and those in which it is published.

The kernel's documents have them: Documentation/ABI/testing/sysfs-bus-iio, Documentation/hwmon/sysfs-interface.rst.
"""

import math
import re
from dataclasses import dataclass

DIGITS = 9  # of a result: more than any chip has, and few enough to hide the last bits of a float
TYPE = re.compile(r"[a-z]+")


@dataclass(frozen=True)
class ChannelUnit:
    """The unit of a channel as it is published, how many of them one of the driver's units is, and what can be."""

    name: str
    factor: float = 1.0
    low: float = -math.inf
    high: float = math.inf

    def convert(self, number: float) -> float:
        """Return a driver's number in the published unit."""
        return float(f"{number * self.factor:.{DIGITS}g}") + 0.0


COUNT = ChannelUnit("1")
MILLI_CELSIUS, MILLI_PERCENT = ChannelUnit("°C", 1e-3, -273.15), ChannelUnit("%", 1e-3, 0, 100)
MILLIVOLT, MILLIAMPERE = ChannelUnit("V", 1e-3), ChannelUnit("A", 1e-3)

IIO_UNITS = {
    "temp": MILLI_CELSIUS,
    "humidityrelative": MILLI_PERCENT,
    "pressure": ChannelUnit("hPa", 10, 0),  # kilopascal
    "illuminance": ChannelUnit("lx", low=0),
    "voltage": MILLIVOLT,
    "altvoltage": MILLIVOLT,
    "current": MILLIAMPERE,
    "power": ChannelUnit("W", 1e-3),  # milliwatt
    "energy": ChannelUnit("kWh", 1 / 3.6e6),  # joule
    "resistance": ChannelUnit("Ω", low=0),
    "capacitance": ChannelUnit("nF", low=0),
    "distance": ChannelUnit("m", low=0),
    "concentration": ChannelUnit("ppm", 1e4, 0, 1e6),  # percent
    "massconcentration": ChannelUnit("µg/m³", low=0),
    "accel": ChannelUnit("m/s²"),
    "anglvel": ChannelUnit("rad/s"),
    "angl": ChannelUnit("rad"),
    "incli": ChannelUnit("°"),
    "magn": ChannelUnit("G"),
    "velocity": ChannelUnit("m/s"),
    "positionrelative": MILLI_PERCENT,
    "electricalconductivity": ChannelUnit("S/m"),
    "ph": ChannelUnit("pH", low=0, high=14),
}
HWMON_UNITS = {
    "temp": MILLI_CELSIUS,
    "humidity": MILLI_PERCENT,
    "in": MILLIVOLT,
    "curr": MILLIAMPERE,
    "power": ChannelUnit("W", 1e-6),  # microwatt
    "energy": ChannelUnit("kWh", 1 / 3.6e12),  # microjoule
    "fan": ChannelUnit("rpm", low=0),
    "freq": ChannelUnit("Hz", low=0),
}
ONE_WIRE_UNITS = {"temperature": MILLI_CELSIUS}


def channel_type(channel: str) -> str:
    """Return the type of a channel: `voltage` of `voltage0-voltage1`, `temp` of `temp1`."""
    found = TYPE.match(channel)
    return found[0] if found else channel


def unit_of(channel: str) -> ChannelUnit:
    """Return the unit of a channel, whichever subsystem has it: where both know its type, they publish one unit."""
    kind = channel_type(channel)
    return (IIO_UNITS | HWMON_UNITS | ONE_WIRE_UNITS).get(kind, COUNT)
