"""What a sensor leaves in its folder for its next run: the name of its run, and where it announced itself."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from bootstrap.contract.payload import decode, encode
from bootstrap.errors import Refused
from bootstrap.paths import rewrite
from bootstrap.sysfs import boot_id

FILE = "run.json"


@dataclass(frozen=True)
class RunRecord:
    """The last run of a sensor in this folder.

    Attributes:
        run: its name, as in the heartbeat.
        boot: the start of the machine in which it ran.
        announced: the topics on which the sensor was announced to Home Assistant and may still be.
    """

    run: str = ""
    boot: str = ""
    announced: tuple[str, ...] = ()

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Return the record in this folder; an empty one if there is none, or it cannot be read."""
        with suppress(OSError, Refused):
            match decode((folder / FILE).read_bytes()):
                case {"run": str(run), "boot": str(boot), "announced": [*topics]}:
                    return cls(run, boot, tuple(topic for topic in topics if isinstance(topic, str)))
        return cls()

    def write(self, folder: Path) -> None:
        """Write it, unless the disk does not allow that: then the next run waits longer before it publishes."""
        with suppress(OSError):
            rewrite(folder / FILE, encode({"run": self.run, "boot": self.boot, "announced": self.announced}).decode())

    @property
    def ended(self) -> str | None:
        """The name of the run, if it has certainly ended: it ran since this machine was started, under our lock."""
        return self.run if self.run and self.boot and self.boot == boot_id() else None


class AnnouncedTopics:
    """The topics on which a sensor is or was announced, in the record of its run."""

    def __init__(self, folder: Path, run: str) -> None:
        """Begin the record of this run, with the topics of the last one."""
        self._folder = folder
        self.last = RunRecord.read(folder)
        self._record = RunRecord(run, boot_id(), self.last.announced)
        self._record.write(folder)

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics on which it may be announced."""
        return self._record.announced

    def keep(self, topics: Iterable[str]) -> None:
        """Keep exactly these topics."""
        wanted = tuple(dict.fromkeys(topics))
        if wanted != self._record.announced:
            self._record = RunRecord(self._record.run, self._record.boot, wanted)
            self._record.write(self._folder)
