"""A receiver of GPS and other satellites."""

from dataclasses import dataclass
from typing import ClassVar

from bootstrap import Measure, Reading
from bootstrap.proof import WRITTEN_LINES
from bootstrap.serial_frames import nmea
from bootstrap.serial_frames.frame_channel import FrameChannel
from bootstrap.serial_frames.port_device import PortDevice


@dataclass(kw_only=True)
class Gps(PortDevice):
    """A receiver of GPS by NMEA 0183, such as a u-blox NEO-6M. Without a fix there is no position; it is private.

    Wiring: by USB; or VCC to 3V3, GND to GND, its TX to the Pi's RX.
    """

    baud: int = 9600  # speed in bits per second; older ones have 4800

    private: ClassVar = True  # where somebody is
    parts: ClassVar = dict.fromkeys(("NEO-6M", "NEO-M8N", "NMEA 0183"), WRITTEN_LINES)

    latitude = Measure("°", low=-90, high=90)  # south is below 0
    longitude = Measure("°", low=-180, high=180)  # west is below 0
    altitude = Measure("m", low=-1000, high=100_000)  # above the sea
    speed = Measure("km/h", low=0, high=2000)
    satellites = Measure("1", low=0, high=99)
    fix = Measure(str, words=nmea.FIXES.values())

    def read(self) -> Reading:
        """Return what the next sentences say."""
        with FrameChannel(self.port.source(self.baud)) as channel:
            return nmea.position(nmea.hear(channel))
