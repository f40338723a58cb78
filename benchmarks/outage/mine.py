"""The inputs as devices of penates; copied beside house.toml."""

from dataclasses import dataclass
from pathlib import Path

from inputs import Level, Ticks

from bootstrap.device import Device, Measure, Reading
from bootstrap.errors import NoReading


@dataclass(kw_only=True)
class Counter(Device):
    """Wiring: none."""

    folder: Path

    count = Measure("1")

    def setup(self) -> None:
        self.ticks = Ticks(self.folder)

    def read(self) -> Reading:
        number = self.ticks.next()
        if number is None:
            raise NoReading
        return {"count": number}


@dataclass(kw_only=True)
class Contact(Device):
    """Wiring: none. It tells changes only, as mqtt-io's inputs do."""

    folder: Path

    on = Measure(bool)

    def setup(self) -> None:
        self.level = Level(self.folder)
        self.last: bool | None = None

    def read(self) -> Reading:
        level = self.level.read()
        if level == self.last:
            raise NoReading
        self.last = level
        return {"on": level}
