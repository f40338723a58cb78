"""The port of a smart meter: its speed, and what is sent there, by the standard that it follows."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bootstrap.device import Reading
from bootstrap.serial_frames import dsmr, sml
from bootstrap.serial_frames.frame_channel import FrameChannel, Splitter
from bootstrap.streams import Serial


@dataclass(frozen=True)
class MeterPort:
    """What a standard says of the port; `within_s` is twice the time between two telegrams, and more."""

    baud: int
    mode: str
    split: Splitter
    reading_of: Callable[[bytes], Reading]
    within_s: float

    def read(self, port: Path) -> Reading:
        """Return what the next telegram says.

        Raises:
            OSError: nothing comes.
            ValueError: what comes is no telegram.
        """
        with FrameChannel(Serial(port, self.baud, self.mode)) as channel:
            return self.reading_of(channel.first(self.split, self.within_s))


WITH_CRC, WITHOUT_CRC = dsmr.telegrams(with_crc=True), dsmr.telegrams(with_crc=False)
BY_STANDARD: Mapping[str, MeterPort] = {
    "dsmr5": MeterPort(115_200, "8N1", WITH_CRC, dsmr.reading_of, 5.0),
    "dsmr4": MeterPort(115_200, "8N1", WITH_CRC, dsmr.reading_of, 25.0),
    "dsmr3": MeterPort(9600, "7E1", WITHOUT_CRC, dsmr.reading_of, 25.0),
    "dsmr2": MeterPort(9600, "7E1", WITHOUT_CRC, dsmr.reading_of, 25.0),
    "sml": MeterPort(9600, "8N1", sml.messages, sml.reading_of, 10.0),
}
