"""The history's writer."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from bootstrap.device import Device, Measure, Reading
from bootstrap.errors import Refused
from bootstrap.intake import Heard
from bootstrap.points import point
from bootstrap.settings import Limits
from bootstrap.sqlite_store import SqliteStore


@dataclass(kw_only=True)
class Recorder(Device):
    """Writes down each reading of every sensor, once, at its own time; what it has not stored, the broker keeps.

    Wiring: none. Its sensor id is `recorder`. Say `[history] recorder = true` in house.toml, so that the sensors know.
    """

    file: Path | None = None  # history.sqlite in the state folder
    keep_days: Annotated[float, Limits(1, 36_500)] = 400.0  # then the averages of five minutes and of a day remain
    groups: list[str] = field(default_factory=lambda: ["+"])  # which, or all
    every_s: float = 60.0

    stored = Measure("1", low=0)  # messages heard and stored since the start
    refused = Measure("1", low=0)  # of them, such as are no readings

    def place(self, state: Path) -> Path:
        """Where the history is, given the state folder."""
        return self.file or state / "history.sqlite"

    def setup(self) -> None:
        """Open the store, then hear."""
        self.database = SqliteStore(self.place(self.tools.state), self.keep_days, owner=True)
        self.nonsense = 0
        self.intake = self.hear([f"{group}/+/data/reading" for group in self.groups], self.take)

    def take(self, batch: Sequence[Heard]) -> None:
        """In the intake's thread: store all that are readings."""
        points = []
        for heard in batch:
            if heard.retained:
                continue
            try:
                points.append(point(heard.topic, heard.payload))
            except Refused as why:
                self.nonsense += 1
                self.tools.bury(heard.topic, heard.payload, str(why))
        self.database.put(points)

    def read(self) -> Reading:
        """How much was stored; a fault while the broker or the store is away."""
        progress = self.intake.progress
        if progress.trouble:
            raise OSError(progress.trouble)
        return {"stored": progress.heard, "refused": self.nonsense}

    def teardown(self) -> None:
        """Close the file."""
        if hasattr(self, "database"):
            self.database.close()
