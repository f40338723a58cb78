"""The readings that the broker has not got yet: in memory while all is well, on disk beyond that.

Well is: the oldest was put less than two seconds ago. So nothing is written while a broker answers, and a process that
dies at any moment takes less than two seconds of readings with it.
"""

import re
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from math import inf
from typing import TypeVar

from bootstrap.contract.timestamps import Clock, utc
from bootstrap.logs import log
from bootstrap.outbox.message import Message
from bootstrap.outbox.segment_log import Offset, SegmentLog, StoredRecord

WELL_S = 2.0
DISK_RETRY_S = 10.0
MEMORY_LIMIT = 10_000  # records, where the disk refuses them
RESEND_S = 60.0  # as long as Mosquitto waits before it saves what it has acknowledged, as we configure it
RESENDS = 3  # of one record: else a link that breaks again and again would never come to what follows
RESEND_LIMIT = 15_000  # records: a minute of draining
TIME = re.compile(rb'"time":"([0-9TZ:.-]+)"')
UNSURE = (b'"boot":[', b'"clock":"unsure"')  # records whose time says nothing of their age


@dataclass(slots=True, eq=False)
class QueuedReading:
    """A reading on its way; `queued_at` is when it was put, in `time.monotonic()` seconds."""

    number: int
    message: Message
    queued_at: float
    place: Offset | None = None
    tries: int = 0
    heard: int = 0  # how often it was acknowledged

    def settle(self, clock: Clock) -> None:
        """It goes out: tell its time as well as it can be told now."""
        settled = clock.settle(self.message.payload)
        if settled is not self.message.payload:
            self.message = Message(self.message.topic, settled)


N = TypeVar("N", QueuedReading, StoredRecord)


@dataclass(frozen=True, kw_only=True)
class BacklogLimits:
    """How much is kept.

    Attributes:
        records: at most.
        age_s: none that is older, in seconds.
        resend_s: what was acknowledged so lately is sent again when a connection broke: the broker may have forgotten.
    """

    records: int
    age_s: float = inf
    resend_s: float = 0.0


class Backlog:
    """Readings in the order they were made. First `_head`, then what is on disk alone, then `_tail`, the newest."""

    def __init__(self, log_: SegmentLog, limits: BacklogLimits) -> None:
        self._segments, self.limits = log_, limits
        self._head: deque[QueuedReading] = deque()
        self._tail: deque[QueuedReading] = deque()
        self._sent: set[QueuedReading] = (
            set()
        )  # not by number: a segment that can be read again may repeat those of others
        self._bare: set[QueuedReading] = set()  # in `_head` or `_sent`, and not on disk
        self._recent: deque[tuple[float, QueuedReading]] = deque()  # acknowledged, and when
        self._number = log_.last_number
        self._dropped = 0
        self._disk_retry_at = -inf
        self._born_at = time.time() - time.monotonic()  # what that clock counts from
        self.disk_problem: str | None = None

    def __len__(self) -> int:
        """All that is not acknowledged."""
        return len(self._sent) + self.waiting

    @property
    def waiting(self) -> int:
        """All that is not sent."""
        return len(self._head) + self._segments.unread + len(self._tail)

    @property
    def on_disk(self) -> int:
        """Records on disk."""
        return len(self._segments)

    @property
    def dropped(self) -> int:
        """Records given up: beyond the limits, or damaged on disk."""
        return self._dropped + self._segments.damaged

    # On the way to the broker.

    def put(self, message: Message, now: float) -> None:
        """Add the newest; beyond the limits the oldest goes."""
        self._number += 1
        self._tail.append(QueuedReading(self._number, message, now))
        self._trim()

    def _trim(self) -> None:
        while (oldest := self._oldest()) and (self.waiting > self.limits.records or self._is_old(oldest)):
            self._drop(self._pop())

    def take(self) -> QueuedReading | None:
        """The oldest that waits; None if there was only what is damaged."""
        if not self._oldest():
            return None
        record = self._pop()
        self._sent.add(record)
        if record.place is None:
            self._bare.add(record)
        return record

    def acknowledged(self, record: QueuedReading, now: float) -> None:
        """The broker has acknowledged it."""
        self._forget(record)
        record.heard += 1
        if self.limits.resend_s and record.heard <= RESENDS:
            self._recent.append((now, record))
            self._forget_recent(now)
        else:
            self._release(record)

    def rejected(self, record: QueuedReading) -> None:
        """Nobody will ever want it."""
        self._forget(record)
        self._release(record)
        self._dropped += 1

    def requeue(self, record: QueuedReading) -> None:
        """It is to be sent again, in its turn."""
        self._sent.remove(record)
        self._insert([record])

    def connection_lost(self, now: float) -> None:
        """The connection broke: what is not acknowledged is to be sent again, and what was so only lately."""
        self._forget_recent(now)
        recent = [record for _, record in self._recent]
        self._recent.clear()
        self._bare.update(record for record in recent if record.place is None)
        self._insert([*recent, *self._sent])
        self._sent.clear()
        self._trim()

    def _insert(self, records: list[QueuedReading]) -> None:
        if records:
            self._head = deque(_in_order([*records, *self._head]))

    def _forget(self, record: QueuedReading) -> None:
        self._sent.remove(record)
        self._bare.discard(record)

    def _forget_recent(self, now: float) -> None:
        oldest = now - self.limits.resend_s
        while self._recent and (self._recent[0][0] < oldest or len(self._recent) > RESEND_LIMIT):
            self._release(self._recent.popleft()[1])

    def _release(self, record: QueuedReading) -> None:
        if record.place is not None:
            self._segments.done(record.place)

    def _oldest(self) -> QueuedReading | None:
        """The first that waits, if need be from disk."""
        while not self._head and self._segments.unread:
            for line in _in_order(self._segments.load()):
                self._head.append(QueuedReading(line.number, Message(line.topic, line.payload), -inf, line.place))
        return next((queue[0] for queue in (self._head, self._tail) if queue), None)

    def _pop(self) -> QueuedReading:
        self._oldest()
        return (self._head or self._tail).popleft()

    def _drop(self, record: QueuedReading) -> None:
        self._bare.discard(record)
        self._release(record)
        self._dropped += 1

    def _is_old(self, record: QueuedReading) -> bool:
        payload = record.message.payload
        if not self.on_disk or self.limits.age_s == inf or any(mark in payload for mark in UNSURE):
            return False
        found = TIME.search(payload)
        return found is not None and found[1].decode() < utc(int((self._now() - self.limits.age_s) * 1e6))

    def _now(self) -> float:
        """The time of day, but that a clock which leaps ahead makes nothing old."""
        return min(time.time(), self._born_at + time.monotonic())

    # On the way to the disk.

    def flush(self, now: float) -> None:
        """Write down what is nowhere but in memory, unless all is well."""
        if self.flush_in_s(now) == 0:
            self._write(now)

    def flush_in_s(self, now: float) -> float | None:
        """Seconds until `keep` has something to do; None: never, as it is."""
        if not self._bare and not self._tail:
            return None
        return max(0.0, self._oldest_at() + WELL_S - now, self._disk_retry_at - now)

    def _oldest_at(self) -> float:
        return -inf if self._segments.unread else min(self._times())

    def _times(self) -> Iterator[float]:
        yield from (record.queued_at for record in self._sent)
        yield from (queue[0].queued_at for queue in (self._head, self._tail) if queue)

    def _write(self, now: float) -> None:
        try:
            for record in _in_order(self._bare):
                record.place = self._append(record, read=True)
                self._bare.remove(record)
            while self._tail:
                self._append(self._tail[0], read=False)
                self._tail.popleft()
        except OSError as error:
            self._not_written(error, now)
        else:
            self._written()

    def _append(self, record: QueuedReading, *, read: bool) -> Offset:
        return self._segments.append(record.number, record.message.topic, record.message.payload, read=read)

    def _not_written(self, error: OSError, now: float) -> None:
        self._disk_retry_at = now + DISK_RETRY_S
        if self.disk_problem is None:
            log.error("cannot store readings; they are kept in memory", error=str(error), at_most=MEMORY_LIMIT)
        self.disk_problem = str(error)
        while len(self._tail) > MEMORY_LIMIT:
            self._drop(self._tail.popleft())

    def _written(self) -> None:
        if self.disk_problem is not None:
            log.info("readings are stored again")
        self.disk_problem = None

    @property
    def unsynced(self) -> bool:
        """Whether a power cut would take something that is on disk."""
        return self._segments.unsynced

    def to_sync(self) -> Callable[[], None] | None:
        """See `SegmentLog.to_sync`."""
        return self._segments.to_sync()

    def close(self) -> None:
        """The end: all that is not acknowledged goes to disk."""
        while self._recent:
            self._release(self._recent.popleft()[1])
        if self._bare or self._tail:
            self._write(time.monotonic())
        if self._bare or self._tail:
            log.error("readings are lost", count=len(self._bare) + len(self._tail))
        if sync := self._segments.to_sync():
            with suppress(OSError):
                sync()
        self._segments.close()


def _in_order(numbered: Iterable[N]) -> list[N]:
    return sorted(numbered, key=lambda one: one.number)
