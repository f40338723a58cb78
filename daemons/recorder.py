"""The history's writer."""

from collections.abc import Mapping
from dataclasses import dataclass

from bootstrap.device import Device, Measure, Reading
from bootstrap.history.recording import KINDS, KnownKinds, Recording
from bootstrap.history.stores import StoreSettings
from bootstrap.history.topic_settings import TopicSettings

FLEET = ("status/heartbeat", "status/state")  # for Grafana


@dataclass(kw_only=True)
class Recorder(TopicSettings, StoreSettings, Device):
    """Writes down each reading of every sensor, once, at its own time; what it has not stored, the broker keeps.

    Wiring: none. Say `[history] recorder = true` in house.toml, so that the sensors know.
    """

    every_s: float = 60.0

    recorded = Measure("1", low=0, counter=True)  # readings stored since the start
    rejected = Measure("1", low=0, counter=True)  # messages that are no readings, or that the store will never take

    def setup(self) -> None:
        """Open the store, then hear."""
        self.opened = self.open_store(self.context.state, owner=not self.share)
        self.recording = Recording(self.opened, KnownKinds(self.context.folder / KINDS), self.context.dead_letter)
        said = self.filters("data/reading", *([] if self.store == "sqlite" else FLEET))
        self.subscription = self.subscribe(said, self.recording.on_batch, retained=self.of_each("status/about"))

    def progress(self) -> Mapping[str, float | None]:
        """How far it has come."""
        return {} if not hasattr(self, "subscription") else self.recording.progress() | self.subscription.progress()

    def read(self) -> Reading:
        """How much was stored; a fault while the broker or the store is away."""
        if self.subscription.trouble:
            raise OSError(self.subscription.trouble)
        return {"recorded": self.recording.recorded, "rejected": self.recording.rejected}

    def teardown(self) -> None:
        """Let go of the store."""
        if hasattr(self, "opened"):
            self.opened.close()
