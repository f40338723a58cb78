"""What a recorder does with what it hears: readings into the store, each with the kind of its sensor."""

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from bootstrap.contract.subscription import ReceivedMessage
from bootstrap.errors import Refused
from bootstrap.history.points import LEVELS, READING, Point, foreign, heartbeat, point, state
from bootstrap.history.reader import MICRO
from bootstrap.history.stores import Store
from bootstrap.paths import rewrite

ABOUT, BEAT, STATUS, SAID = "/status/about", "/status/heartbeat", "/status/state", "/data/reading"
KINDS = "kinds.json"  # in a recorder's folder
DeadLetter = Callable[[str, bytes, str], None]


class KnownKinds:
    """The kind of each sensor, as its `about` says.

    They are remembered on disk: what was stored and not yet acknowledged is heard again by the next run, and must
    become the same point. The broker keeps `about` and readings in order, so each reading has the kind it was made by.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._saved = self._load()
        self.known = dict(self._saved)

    def _load(self) -> dict[str, str]:
        try:
            found = json.loads(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return {}
        whole = isinstance(found, dict) and all(isinstance(kind, str) for kind in found.values())
        return found if whole else {}

    def hear(self, topic: str, payload: bytes) -> None:
        """Note what an `about` says; of one that says nothing we keep what was."""
        try:
            kind = json.loads(payload)["kind"]
        except (ValueError, TypeError, KeyError, RecursionError):
            return
        if isinstance(kind, str) and kind.isprintable() and "\\" not in kind:
            self.known[topic.removesuffix(ABOUT)] = kind

    def forget(self) -> None:
        """Go back to what was saved."""
        self.known = dict(self._saved)

    def save(self) -> None:
        """Write what is new.

        Raises:
            OSError: it cannot be written.
        """
        if self.known == self._saved:
            return
        rewrite(self._file, json.dumps(self.known))
        self._saved = dict(self.known)


class Recording:
    """Called in the intake's thread; the counts may be read from another."""

    def __init__(self, store: Store, kinds: KnownKinds, dead_letter: DeadLetter) -> None:
        self._store, self._kinds, self._dead_letter = store, kinds, dead_letter
        self.recorded = 0  # readings that the store has
        self.rejected = 0  # messages that are none, or that it will never take
        self._newest_us: int | None = None

    def progress(self) -> dict[str, float | None]:
        """How many readings are stored, and how old the newest of those stored last is (None before the first)."""
        lag_s = None if self._newest_us is None else round(time.time() - self._newest_us / MICRO, 1)
        return {"recorded": self.recorded, "lag_s": lag_s}

    def on_batch(self, batch: Sequence[ReceivedMessage]) -> None:
        """Store all that are readings.

        Raises:
            OSError: the store is away; nothing has happened, and the batch is to be given again.
        """
        readings, bad = self._sort(batch)
        try:
            refused = self._store.put([one for _, one in readings])
            self._kinds.save()
        except OSError:
            self._kinds.forget()
            raise
        bad += [(readings[number][0], why) for number, why in refused.items()]
        for heard, why in bad:
            self._dead_letter(heard.topic, heard.payload, why)
        self.rejected += len(bad)
        self._count([one for number, (_, one) in enumerate(readings) if number not in refused])

    def _count(self, stored: Sequence[Point]) -> None:
        times_us = [one.time_us for one in stored if one.measurement == READING]
        self.recorded += len(times_us)
        self._newest_us = max(times_us, default=self._newest_us)

    def _sort(
        self, batch: Sequence[ReceivedMessage]
    ) -> tuple[list[tuple[ReceivedMessage, Point]], list[tuple[ReceivedMessage, str]]]:
        readings, bad = [], []
        for heard in batch:
            if heard.topic.endswith(ABOUT):
                self._kinds.hear(heard.topic, heard.payload)
            elif not heard.retained and not _is_cleared(heard):
                try:
                    readings.append((heard, self._point(heard)))
                except Refused as why:
                    bad.append((heard, str(why)))
        return readings, bad

    def _point(self, heard: ReceivedMessage) -> Point:
        """What is called as a topic of ours is one."""
        topic, payload, kinds = heard.topic, heard.payload, self._kinds.known
        if topic.count("/") == LEVELS - 1:
            if topic.endswith(SAID):
                return point(topic, payload, kinds)
            if topic.endswith(BEAT):
                return heartbeat(topic, payload, kinds)
            if topic.endswith(STATUS):
                return state(topic, payload, heard.at_us, kinds)
        return foreign(topic, payload, heard.at_us)


def _is_cleared(heard: ReceivedMessage) -> bool:
    """Whether somebody has taken back what a sensor had said of itself, as `penates prune` does."""
    return not heard.payload and heard.topic.endswith((BEAT, STATUS))
