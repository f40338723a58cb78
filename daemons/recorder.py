"""The writer of the history."""

from collections.abc import Mapping
from dataclasses import dataclass

from bootstrap.device import Device, Measure, Reading
from bootstrap.history.recording import KINDS, KnownKinds, Recording
from bootstrap.history.stores import NOTE, StoreSettings
from bootstrap.history.topic_settings import TopicSettings

FLEET = ("status/heartbeat", "status/state")  # for Grafana


@dataclass(kw_only=True)
class Recorder(TopicSettings, StoreSettings, Device):
    """Stores each reading of every sensor once, with its own timestamp; the broker keeps what is not yet stored.

    Wiring: none. Set `[history] recorder = true` in house.toml, so that the sensors know.
    """

    every_s: float = 60.0

    recorded = Measure("1", low=0, counter=True)  # readings stored since the start
    rejected = Measure("1", low=0, counter=True)  # messages that are not readings, or that the store will never accept

    def setup(self) -> None:
        """Open the store, then subscribe."""
        note = self.context.folder / NOTE
        self.opened = self.open_store(self.context.state, owner=not self.share, note=note)
        self.recording = Recording(self.opened, KnownKinds(self.context.folder / KINDS), self.context.dead_letter)
        filters = self.filters("data/reading", *([] if self.store == "sqlite" else FLEET))
        self.subscription = self.subscribe(filters, self.recording.on_batch, retained=self.of_each("status/about"))

    def progress(self) -> Mapping[str, float | None]:
        """Return the progress of the recording and of the subscription."""
        return self.recording.progress() | self.subscription.progress()

    def read(self) -> Reading:
        """Return how much was stored. OSError: the broker or the store is unavailable."""
        if trouble := self.subscription.trouble or self.recording.trouble:
            raise OSError(trouble)
        return {"recorded": self.recording.recorded, "rejected": self.recording.rejected}

    def teardown(self) -> None:
        """Close the store."""
        if hasattr(self, "opened"):
            self.opened.close()
