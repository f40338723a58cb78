"""The history's writer."""

from collections.abc import Mapping
from dataclasses import dataclass

from bootstrap.device import Device, Measure, Reading
from bootstrap.filters import HeardSettings
from bootstrap.recording import KINDS, Kinds, Recording
from bootstrap.stores import StoreSettings

FLEET = ("status/heartbeat", "status/state")  # for Grafana


@dataclass(kw_only=True)
class Recorder(HeardSettings, StoreSettings, Device):
    """Writes down each reading of every sensor, once, at its own time; what it has not stored, the broker keeps.

    Wiring: none. Say `[history] recorder = true` in house.toml, so that the sensors know.
    """

    every_s: float = 60.0

    stored = Measure("1", low=0, counter=True)  # readings stored since the start
    refused = Measure("1", low=0, counter=True)  # messages that are no readings, or that the store will never take

    def setup(self) -> None:
        """Open the store, then hear."""
        self.opened = self.open_store(self.tools.state, owner=not self.share)
        self.recording = Recording(self.opened, Kinds(self.tools.folder / KINDS), self.tools.bury)
        said = self.filters("data/reading", *([] if self.store == "sqlite" else FLEET))
        self.intake = self.hear(said, self.recording.take, retained=self.of_each("status/about"))

    def progress(self) -> Mapping[str, float | None]:
        """How far it has come."""
        return {} if not hasattr(self, "intake") else self.recording.progress() | self.intake.progress()

    def read(self) -> Reading:
        """How much was stored; a fault while the broker or the store is away."""
        if self.intake.trouble:
            raise OSError(self.intake.trouble)
        return {"stored": self.recording.stored, "refused": self.recording.refused}

    def teardown(self) -> None:
        """Let go of the store."""
        if hasattr(self, "opened"):
            self.opened.close()
