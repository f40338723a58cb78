"""Storing the messages that a recorder receives, each reading with the kind of its sensor."""

import time
from collections.abc import Callable, Sequence

from bootstrap.contract.subscription import ReceivedMessage
from bootstrap.errors import Refused
from bootstrap.history.gaps import Gaps
from bootstrap.history.known_facts import ABOUT, AdoptedTopics, KnownKinds
from bootstrap.history.points import LEVELS, NO_TEXT, READING, LeftOut, Point, foreign, heartbeat, point, state
from bootstrap.history.proof import Proof
from bootstrap.history.reader import MICRO
from bootstrap.history.stores import Store
from bootstrap.logs import log

HEARTBEAT, STATE, READINGS = "/status/heartbeat", "/status/state", "/data/reading"
NAMED = 1000  # values that were left out are logged once each, and only so many
DeadLetter = Callable[[str, bytes, str], None]


class Recording:
    """Stores batches in the thread of the subscription; the counts may be read from any thread."""

    def __init__(
        self, store: Store, kinds: KnownKinds, dead_letter: DeadLetter, proof: Proof | None = None, uncounted: str = ""
    ) -> None:
        """Note in `proof` what is received and stored. Readings of the sensor `uncounted` are not in `recorded`."""
        self._store, self._kinds, self._dead_letter = store, kinds, dead_letter
        self._proof, self._uncounted = proof, uncounted
        self.gaps: Gaps | None = Gaps()
        self.adopted: AdoptedTopics | None = None
        self.recorded = 0  # readings stored
        self.rejected = 0  # messages that cannot be parsed, or that the store will never accept
        self.invalid = 0  # values left out of messages whose other values are stored
        self._named: set[tuple[str, str]] = set()  # sensors and measures of which one was left out
        self._newest_us: int | None = None

    def leave_out(self, adopted: AdoptedTopics, *, gaps: bool) -> None:
        """Leave out the topics that sensors stand for; and, if others receive a part of the readings, the `gaps`."""
        self.adopted = adopted
        if gaps:
            self.gaps = None

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
            for facts in self._facts:
                facts.save()
        except OSError:
            for facts in self._facts:
                facts.forget()
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

    @property
    def _facts(self) -> list[KnownKinds | AdoptedTopics]:
        return [self._kinds, self.adopted] if self.adopted else [self._kinds]

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
                for facts in self._facts:
                    facts.update(message.topic, message.payload)
            elif not message.retained and not _is_cleared(message) and not self._is_adopted(message.topic):
                try:
                    points.append((message, self._point(message)))
                except ValueError as why:
                    bad.append((message, str(why) if isinstance(why, Refused) else repr(why)))
        return points, bad

    def _is_adopted(self, topic: str) -> bool:
        return self.adopted is not None and topic in self.adopted

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
