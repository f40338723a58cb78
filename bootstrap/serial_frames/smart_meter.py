"""The port of a smart meter: its speed, and what is sent there, by the standard that it follows."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from bootstrap.device import Measure, Reading
from bootstrap.serial_frames import dsmr, sml
from bootstrap.serial_frames.frame_channel import FrameChannel, Splitter
from bootstrap.serial_frames.meter_measures import MEASURES
from bootstrap.serial_frames.port_device import PortDevice
from bootstrap.serial_frames.port_or_host import PortOrHost


@dataclass(frozen=True)
class MeterPort:
    """What a standard says of the port; `within_s` is enough for what is left of one telegram, and for the next one."""

    baud: int
    mode: str
    split: Splitter
    reading_of: Callable[[bytes], Reading]
    within_s: float

    def read(self, port: PortOrHost) -> Reading:
        """Return what the next telegram says.

        Raises:
            OSError: nothing comes.
            ValueError: what comes is no telegram.
        """
        with FrameChannel(port.source(self.baud, self.mode)) as channel:
            return self.reading_of(channel.first(self.split, self.within_s))


WITH_CRC, WITHOUT_CRC = dsmr.telegrams(with_crc=True), dsmr.telegrams(with_crc=False)
BY_STANDARD: Mapping[str, MeterPort] = {
    "dsmr5": MeterPort(115_200, "8N1", WITH_CRC, dsmr.reading_of, 5.0),
    "dsmr4": MeterPort(115_200, "8N1", WITH_CRC, dsmr.reading_of, 12.5),
    "dsmr3": MeterPort(9600, "7E1", WITHOUT_CRC, dsmr.reading_of, 12.5),
    "dsmr2": MeterPort(9600, "7E1", WITHOUT_CRC, dsmr.reading_of, 12.5),
    "sml": MeterPort(9600, "8N1", sml.messages, sml.reading_of, 10.0),
}


@dataclass(kw_only=True)
class MeterDevice(PortDevice):
    """A smart meter, which from its first telegram on measures what it has ever told of, and keeps that in mind."""

    measures: ClassVar[Mapping[str, Measure]] = MEASURES

    def setup(self) -> None:
        """Measure what the meter has told of in earlier runs."""
        self.told = self.keep("told", dict[str, bool]())
        if self.told.value:
            self._declare(self.told.value)

    def check(self, reading: Reading) -> dict[str, str]:
        """Declare what is told for the first time, before it is checked: the loop calls this with each reading."""
        if hasattr(self, "told") and (new := reading.keys() - self.told.value.keys()):
            self.told.value = {**self.told.value, **dict.fromkeys(sorted(new), True)}
            self._declare(self.told.value)
        return super().check(reading)

    def _declare(self, names: Iterable[str]) -> None:
        self.measures = {name: one for name, one in type(self).measures.items() if name in names}  # type: ignore[misc]
        self.redescribe()
