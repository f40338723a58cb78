"""A device that keeps a diary of what it read, so that a test knows the truth. `kind = "support.truth.Counter"`."""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bootstrap.device import Device, Measure, Reading

LINE = "{count:09d} {at:017.6f} {waited:012.6f}\n"
LENGTH = len(LINE.format(count=0, at=0.0, waited=0.0))
SCHEDULER = Path("/proc/thread-self/schedstat")
MOST = 1_000_000.0


@dataclass(kw_only=True)
class Counter(Device):
    """Counts its reads over all of its runs, and writes each down before it tells of it. Wiring: none."""

    diary: Path
    mood: Path
    every_s: float = 0.1

    count = Measure("1", low=0, high=MOST)
    even = Measure(bool)
    word = Measure(str)

    def setup(self) -> None:
        self.file = os.open(self.diary, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        self.last = os.fstat(self.file).st_size // LENGTH
        self.written_s = 0.0

    def read(self) -> Reading:
        match self.mood.read_text() if self.mood.exists() else "":
            case "raises":
                raise OSError("no answer")
            case "hangs":
                time.sleep(3600)
            case "lies":
                return {**truth(self.last), "count": MOST * 2}
        self.last += 1
        waited, began = waited_s() + self.written_s, time.monotonic()
        os.write(self.file, LINE.format(count=self.last, waited=waited, at=time.time()).encode())
        self.written_s += time.monotonic() - began  # a disk may be busy with others
        return truth(self.last)


def truth(count: int) -> dict[str, int | bool | str]:
    """What is measured at the read of this number."""
    return {"count": count, "even": count % 2 == 0, "word": f"w{count}"}


def waited_s() -> float:
    """For how long this thread could have run, but others had the processor; 0 where the kernel does not count it."""
    return int(SCHEDULER.read_text().split()[1]) / 1e9 if SCHEDULER.exists() else 0.0


@dataclass(frozen=True)
class Entry:
    """A read: when it was (seconds since 1970, by the clock of who read), and how long it had waited until then."""

    count: int
    at: float
    waited_s: float


def entries(diary: Path) -> Iterator[Entry]:
    """What was read, in order."""
    for line in diary.read_text().splitlines():
        count, at, waited = line.split()
        yield Entry(int(count), float(at), float(waited))


def made(diary: Path) -> int:
    """How many readings were made so far."""
    return diary.stat().st_size // LENGTH if diary.exists() else 0
