"""Devices that wait for something: their files are FIFOs, which a test answers when it likes."""

import errno
import os
import time
from dataclasses import dataclass
from pathlib import Path

from bootstrap.contract.payload import Json
from bootstrap.device import Device, Measure, Reading
from bootstrap.needs import I2CBus
from support.world import eventually


class Fifo:
    """A file whose reader waits until it is answered."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.mkfifo(path)
        self.path = path

    def _try_open(self) -> int:
        try:
            return os.open(self.path, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
            return 0

    @property
    def is_read(self) -> bool:
        """Whether somebody waits for an answer; who does gets an empty one."""
        if descriptor := self._try_open():
            os.close(descriptor)
        return bool(descriptor)

    def hold(self) -> int:
        """Wait for a reader, and keep it waiting until the descriptor is closed."""
        return int(eventually(self._try_open, f"a reader of {self.path.name}"))

    def answer(self, text: str) -> None:
        descriptor = self.hold()
        os.write(descriptor, text.encode())
        os.close(descriptor)


@dataclass(kw_only=True)
class Slow(Device):
    """Wiring: none. Its read takes as long as its file does."""

    file: Path
    bus: str = ""
    every_s: float = 3600.0

    blocks = True
    level = Measure("V", low=0, high=10)

    def read(self) -> Reading:
        text = self.file.read_text()
        if text == "bug":
            raise RuntimeError("a bug")
        return {"level": float(text)}

    def act_echo(self, value: Json) -> Reading | None:
        return {"level": value} if isinstance(value, int) else None


@dataclass(kw_only=True)
class OnI2C(Device):
    """Wiring: none. It declares its bus, by a number."""

    file: Path
    bus: I2CBus = 1

    blocks = True
    level = Measure("V", low=0, high=10)

    def read(self) -> Reading:
        return {"level": float(self.file.read_text())}


@dataclass(kw_only=True)
class Asking(Device):
    """Wiring: none. `action/ask` reads the file in a worker thread."""

    file: Path
    bus: str = ""
    every_s: float = 3600.0

    level = Measure("V", low=0, high=10)
    word = Measure(str)

    def read(self) -> Reading:
        return {"word": "read"}

    def act_ask(self, value: Json) -> None:
        self.ask(self.file.read_text, self.then, self.failed if value == "gently" else None, bus=self.bus or None)

    def act_echo(self, value: Json) -> Reading | None:
        return {"word": str(value)}

    def failed(self, error: Exception) -> Reading:
        return {"word": f"failed: {error}"}

    def then(self, text: str) -> Reading:
        return {"level": float(text)}


@dataclass(kw_only=True)
class Probe(Device):
    """Wiring: none. Each read takes `takes_s`, and leaves its beginning and end in a file of the bus."""

    bus: Path
    takes_s: float
    every_s: float = 3600.0

    blocks = True
    began = Measure("s")

    def read(self) -> Reading:
        began = time.monotonic()
        time.sleep(self.takes_s)
        with (self.bus / "reads").open("a") as reads:
            reads.write(f"{began} {time.monotonic()}\n")
        return {"began": began}


def spans(bus: Path) -> list[tuple[float, ...]]:
    """When the reads of the probes on a bus began and ended, in order."""
    lines = (bus / "reads").read_text().splitlines() if (bus / "reads").exists() else []
    return sorted(tuple(map(float, line.split())) for line in lines)
