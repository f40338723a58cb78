"""Storing the messages that a recorder receives, each reading with the kind of its sensor."""

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from bootstrap.contract.subscription import ReceivedMessage
from bootstrap.contract.values import members
from bootstrap.errors import Refused
from bootstrap.history.gaps import Gaps
from bootstrap.history.points import LEVELS, NO_TEXT, READING, LeftOut, Point, foreign, heartbeat, point, state
from bootstrap.history.proof import Proof
from bootstrap.history.reader import MICRO
from bootstrap.history.stores import Store
from bootstrap.logs import log
from bootstrap.paths import read_own, rewrite

ABOUT, HEARTBEAT, STATE, READINGS = "/status/about", "/status/heartbeat", "/status/state", "/data/reading"
KINDS = "kinds.json"  # in a recorder's folder
NAMED = 1000  # values that were left out are logged once each, and only so many
DeadLetter = Callable[[str, bytes, str], None]


class KnownKinds:
    """The kind of each sensor, taken from its `about`.

    They are saved on disk: the next run receives again what was stored but not acknowledged, and must make the same
    point of it. The broker keeps `about` and readings in order, so each reading gets the kind that made it.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._saved = self._load()
        self.known = dict(self._saved)

    def _load(self) -> dict[str, str]:
        try:
            found = json.loads(read_own(self._file))
        except (OSError, ValueError, RecursionError):
            return {}
        known = found if isinstance(found, dict) else {}
        return {sensor: kind for sensor, kind in known.items() if isinstance(kind, str)}

    def update(self, topic: str, payload: bytes) -> None:
        """Note the kind in an `about`; if it contains none, the known kind is kept."""
        kind = members(payload).get("kind")
        if isinstance(kind, str) and kind.isprintable() and "\\" not in kind:
            self.known[topic.removesuffix(ABOUT)] = kind

    def forget(self) -> None:
        """Return to the kinds that are saved."""
        self.known = dict(self._saved)

    def save(self) -> None:
        """Write the kinds to disk if they have changed.

        Raises:
            OSError: the file cannot be written.
        """
        if self.known == self._saved:
            return
        rewrite(self._file, json.dumps(self.known))
        self._saved = dict(self.known)


class Recording:
    """Stores batches in the thread of the subscription; the counts may be read from any thread."""

    def __init__(
        self, store: Store, kinds: KnownKinds, dead_letter: DeadLetter, proof: Proof | None = None, uncounted: str = ""
    ) -> None:
        """Note in `proof` what is received and stored. Readings of the sensor `uncounted` are not in `recorded`.

        `gaps` may be set to None if others receive a part of the readings.
        """
        self._store, self._kinds, self._dead_letter = store, kinds, dead_letter
        self._proof, self._uncounted = proof, uncounted
        self.gaps: Gaps | None = Gaps()
        self.recorded = 0  # readings stored
        self.rejected = 0  # messages that cannot be parsed, or that the store will never accept
        self.invalid = 0  # values left out of messages whose other values are stored
        self._named: set[tuple[str, str]] = set()  # sensors and measures of which one was left out
        self._newest_us: int | None = None

    @property
    def trouble(self) -> str | None:
        """Why readings are not stored where they belong; None if all is well."""
        return self._store.trouble

    def progress(self) -> dict[str, float | None]:
        """Return the number of stored readings, and the age of the newest in the last batch (None before the first)."""
        lag_s = None if self._newest_us is None else round(time.time() - self._newest_us / MICRO, 1)
        missed = self.gaps.missing if self.gaps else 0
        return {"recorded": self.recorded, "lag_s": lag_s, "invalid": self.invalid, "missed": missed}

    def on_batch(self, batch: Sequence[ReceivedMessage]) -> None:
        """Store the readings of a batch.

        Raises:
            OSError: the store is unavailable; the whole batch must be passed again.
        """
        points, bad = self._parse_batch(batch)
        if self._proof:
            self._proof.receive(one for _, one in points)
        left_out: list[LeftOut] = []
        try:
            refused = self._put([one for _, one in points], left_out)
            self._kinds.save()
        except OSError:
            self._kinds.forget()
            raise
        bad += [(points[number][0], why) for number, why in refused.items() if why != NO_TEXT]
        for message, why in bad:
            self._dead_letter(message.topic, message.payload, why)
        self.rejected += len(bad)
        if self.gaps:
            self.gaps.note(one for _, one in points)
        self._count([one for number, (_, one) in enumerate(points) if number not in refused])
        left_out += [LeftOut(one, *what) for _, one in points for what in one.invalid.items()]
        texts = [points[number][1] for number, why in refused.items() if why == NO_TEXT]
        self._note([*left_out, *(LeftOut(one, name, NO_TEXT) for one in texts for name in one.fields)])

    def _put(self, points: Sequence[Point], left_out: list[LeftOut]) -> dict[int, str]:
        """Store points. One that no store can take, whatever the reason, is refused by itself: it would come again.

        Raises:
            OSError: the store is unavailable.
        """
        found: list[LeftOut] = []
        try:
            refused = self._store.put(points, found.append)
        except ValueError as error:
            if len(points) == 1:
                return {0: repr(error)}
            half = len(points) // 2
            first, second = self._put(points[:half], left_out), self._put(points[half:], left_out)
            return first | {half + number: why for number, why in second.items()}
        left_out += found
        return refused

    def _note(self, left_out: Sequence[LeftOut]) -> None:
        """Count values that were left out, and log each measure of a sensor once."""
        self.invalid += sum(one.why != NO_TEXT for one in left_out)
        for one, measure, why in left_out:
            if one.measurement == READING or why != NO_TEXT:  # a state is text, beside a number
                self._name(one.sensor, measure, why)

    def _name(self, sensor: str, measure: str, why: str) -> None:
        """Log a measure of which a value was left out, once."""
        if (sensor, measure) not in self._named and len(self._named) < NAMED:
            self._named.add((sensor, measure))
            log.warning("a value is left out", sensor=sensor, measure=measure, reason=why)

    def _count(self, stored: Sequence[Point]) -> None:
        if self._proof:
            self._proof.store(stored)
        times_us = [one.time_us for one in stored if one.measurement == READING and one.sensor != self._uncounted]
        self.recorded += len(times_us)
        self._newest_us = max(times_us, default=self._newest_us)

    def _parse_batch(
        self, batch: Sequence[ReceivedMessage]
    ) -> tuple[list[tuple[ReceivedMessage, Point]], list[tuple[ReceivedMessage, str]]]:
        """Return the messages that became points, and those that cannot be parsed, each with the reason."""
        points, bad = [], []
        for message in batch:
            if message.topic.endswith(ABOUT):
                self._kinds.update(message.topic, message.payload)
            elif not message.retained and not _is_cleared(message):
                try:
                    points.append((message, self._point(message)))
                except ValueError as why:
                    bad.append((message, str(why) if isinstance(why, Refused) else repr(why)))
        return points, bad

    def _point(self, message: ReceivedMessage) -> Point:
        """Parse a message by the last two levels of its topic, which decide whether it is one of penates."""
        topic, payload, kinds = message.topic, message.payload, self._kinds.known
        if topic.count("/") == LEVELS - 1:
            if topic.endswith(READINGS):
                return point(topic, payload, kinds)
            if topic.endswith(HEARTBEAT):
                return heartbeat(topic, payload, kinds)
            if topic.endswith(STATE):
                return state(topic, payload, message.at_us, kinds)._replace(unsure=message.unsure)
        return foreign(topic, payload, message.at_us)._replace(unsure=message.unsure)


def _is_cleared(message: ReceivedMessage) -> bool:
    """Return whether it clears a retained status topic, as `penates prune` does."""
    return not message.payload and message.topic.endswith((HEARTBEAT, STATE))
