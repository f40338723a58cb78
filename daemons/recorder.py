"""The writer of the history."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from bootstrap import Device, Measure, Reading
from bootstrap.history.known_facts import ADOPTED, KINDS, AdoptedTopics, KnownKinds
from bootstrap.history.proof import Proof
from bootstrap.history.recording import Recording
from bootstrap.history.recording_check import CHECK_S, RecordingCheck
from bootstrap.history.stores import NOTE, StoreSettings
from bootstrap.history.topic_settings import TopicSettings
from bootstrap.proof import REAL_SYSTEM

FLEET = ("status/heartbeat", "status/state")  # for Grafana


@dataclass(kw_only=True)
class Recorder(TopicSettings, StoreSettings, Device):
    """Stores each reading of every sensor once, with its own timestamp; the broker keeps what is not yet stored.

    Wiring: none. Set `[history] recorder = true` in house.toml, so that the sensors know.
    """

    parts: ClassVar = dict.fromkeys(("SQLite", "InfluxDB", "VictoriaMetrics"), REAL_SYSTEM)

    records = True
    memory_mb = 256  # room for the messages that wait to be stored

    recorded = Measure("1", low=0, counter=True)  # readings stored since the start
    rejected = Measure("1", low=0, counter=True)  # messages that are not readings, or that the store will never accept

    def setup(self) -> None:
        """Open the store, then subscribe."""
        context, share = self.context, self.share
        self.opened = self.open_store(context.state, owner=not share, note=context.folder / NOTE)
        own, proof = self.own_readings(context.sensor), Proof(context.sensor, context.published)
        kinds, uncounted = KnownKinds(context.folder / KINDS), context.sensor if own else ""
        self.recording = Recording(self.opened, kinds, context.dead_letter, proof, uncounted)
        self.recording.leave_out(AdoptedTopics(context.folder / ADOPTED), gaps=bool(share))
        filters = [*self.filters("data/reading", *([] if self.store == "sqlite" else FLEET)), *own]
        self.subscription = self.subscribe(filters, self.recording.on_batch, retained=self.of_each("status/about"))
        self.checked = RecordingCheck(context, proof, self.recording, self.subscription, self.groups)
        self.after(CHECK_S, self.check_recording)

    def progress(self) -> Mapping[str, float | None]:
        """Return the progress of the recording and of the subscription."""
        return self.checked.progress()

    def read(self) -> Reading:
        """Return how much was stored. OSError: the broker or the store is unavailable."""
        if trouble := self.subscription.trouble or self.recording.trouble:
            raise OSError(trouble)
        return {"recorded": self.recording.recorded, "rejected": self.recording.rejected}

    def check_recording(self) -> Reading | None:
        """Check that readings are received and stored; return one where that has to be proven."""
        self.after(CHECK_S, self.check_recording)
        return self.read() if self.checked.check() else None

    def teardown(self) -> None:
        """Close the store."""
        if hasattr(self, "opened"):
            self.opened.close()
