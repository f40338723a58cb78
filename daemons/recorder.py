"""The history's writer."""

from dataclasses import dataclass, field

from bootstrap.device import Device, Measure, Reading
from bootstrap.recording import Kinds, Recording
from bootstrap.stores import StoreSettings

FLEET = ("status/heartbeat", "status/state")  # for Grafana


@dataclass(kw_only=True)
class Recorder(StoreSettings, Device):
    """Writes down each reading of every sensor, once, at its own time; what it has not stored, the broker keeps.

    Wiring: none. Its sensor id is `recorder`. Say `[history] recorder = true` in house.toml, so that the sensors know.
    """

    groups: list[str] = field(default_factory=lambda: ["+"])  # the groups it records; "+" is all
    every_s: float = 60.0

    stored = Measure("1", low=0)  # readings stored since the start
    refused = Measure("1", low=0)  # messages that are no readings, or that the store will never take

    def setup(self) -> None:
        """Open the store, then hear."""
        self.opened = self.open_store(self.tools.state)
        self.recording = Recording(self.opened, Kinds(self.tools.state / "kinds.json"), self.tools.bury)
        wanted = ["data/reading", *([] if self.store == "sqlite" else FLEET)]
        said = [f"{group}/+/{last}" for group in self.groups for last in wanted]
        abouts = [f"{group}/+/status/about" for group in self.groups]
        self.intake = self.hear(said, self.recording.take, retained=abouts)

    def read(self) -> Reading:
        """How much was stored; a fault while the broker or the store is away."""
        if self.intake.trouble:
            raise OSError(self.intake.trouble)
        return {"stored": self.recording.stored, "refused": self.recording.refused}

    def teardown(self) -> None:
        """Let go of the store."""
        if hasattr(self, "opened"):
            self.opened.close()
