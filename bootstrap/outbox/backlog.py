"""The readings that the broker has not acknowledged yet, in memory for the first two seconds and on disk after that.

As long as the oldest was put less than two seconds ago, nothing is written to disk. So a broker that answers causes no
writes, and a process that dies at any moment loses less than two seconds of readings.
"""

import re
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from math import inf
from typing import TypeVar

from bootstrap.contract.timestamps import Clock, utc
from bootstrap.logs import log
from bootstrap.outbox.lazy_deque import LazyDeque
from bootstrap.outbox.message import Message
from bootstrap.outbox.segment_log import Offset, SegmentLog, StoredRecord

WELL_S = 2.0
DISK_RETRY_S = 10.0
MEMORY_LIMIT = 10_000  # records kept in memory while the disk cannot be written
RESEND_S = 60.0  # Mosquitto, as we configure it, saves what it has acknowledged after at most this long
RESENDS = 3  # per record; without a limit, a link that keeps breaking would never get past the first records
RESEND_LIMIT = 15_000  # records, which take a minute to send
TIME = re.compile(rb'"time":"([0-9TZ:.-]+)"')
UNSURE = (b'"boot":[', b'"clock":"unsure"')  # marks of records whose age cannot be told from their time


@dataclass(slots=True, eq=False)
class QueuedReading:
    """A reading to be delivered; `queued_at` is when it was put, in `time.monotonic()` seconds."""

    number: int
    message: Message
    queued_at: float
    offset: Offset | None = None  # where it is on disk
    tries: int = 0
    acknowledgements: int = 0

    def settle(self, clock: Clock) -> None:
        """Correct its time, just before it is sent, by what the clock knows now."""
        settled = clock.settle(self.message.payload)
        if settled is not self.message.payload:
            self.message = Message(self.message.topic, settled)


N = TypeVar("N", QueuedReading, StoredRecord)


@dataclass(frozen=True, kw_only=True)
class BacklogLimits:
    """How much is kept.

    Attributes:
        records: the most records to keep.
        age_s: the age in seconds beyond which a record is dropped.
        resend_s: after a lost connection, records acknowledged within this many seconds before are sent again, because
            the broker may have lost them.
    """

    records: int
    age_s: float = inf
    resend_s: float = 0.0


class Backlog:
    """Readings in the order they were made: `_head`, then those that are only on disk, then `_tail`, the newest."""

    def __init__(self, segments: SegmentLog, limits: BacklogLimits) -> None:
        self._segments, self.limits = segments, limits
        self._head = LazyDeque[QueuedReading]()
        self._tail = LazyDeque[QueuedReading]()
        # Records, not numbers: a segment that becomes readable again may contain the same numbers as another.
        self._sent: set[QueuedReading] = set()
        self._memory_only: set[QueuedReading] = set()  # in `_head` or `_sent`, and not on disk
        self._recent = LazyDeque[tuple[float, QueuedReading]]()  # time of the acknowledgement, and the record
        self._number = segments.last_number
        self._dropped = 0
        self._disk_retry_at = -inf
        self._monotonic_epoch = time.time() - time.monotonic()  # in seconds since 1970
        self.disk_problem: str | None = None

    def __len__(self) -> int:
        """Return the number of records that are not acknowledged."""
        return len(self._sent) + self.waiting

    @property
    def waiting(self) -> int:
        """The number of records that are not sent."""
        return len(self._head) + self._segments.unread + len(self._tail)

    @property
    def on_disk(self) -> int:
        """The number of records on disk."""
        return len(self._segments)

    @property
    def dropped(self) -> int:
        """The number of records given up: beyond the limits, or damaged on disk."""
        return self._dropped + self._segments.damaged

    # Delivery to the broker.

    def put(self, message: Message, now: float) -> None:
        """Add the newest record; beyond the limits the oldest is dropped."""
        self._number += 1
        self._tail.append(QueuedReading(self._number, message, now))
        self._trim()

    def _trim(self) -> None:
        while (oldest := self._oldest()) and (self.waiting > self.limits.records or self._is_old(oldest)):
            self._drop(self._pop())

    def take(self) -> QueuedReading | None:
        """Return the oldest record that is not sent, or None if all that was left is damaged."""
        if not self._oldest():
            return None
        record = self._pop()
        self._sent.add(record)
        if record.offset is None:
            self._memory_only.add(record)
        return record

    def acknowledged(self, record: QueuedReading, now: float) -> None:
        """Note that the broker has acknowledged a record, and release it when it need not be sent again any more."""
        self._forget(record)
        record.acknowledgements += 1
        if self.limits.resend_s and record.acknowledgements <= RESENDS:
            self._recent.append((now, record))
            self._forget_recent(now)
        else:
            self._release(record)

    def rejected(self, record: QueuedReading) -> None:
        """Drop a record that no broker will ever accept."""
        self._forget(record)
        self._release(record)
        self._dropped += 1

    def requeue(self, record: QueuedReading) -> None:
        """Put a sent record back, to be sent again in its turn."""
        self._sent.remove(record)
        self._insert([record])

    def connection_lost(self, now: float) -> None:
        """Put back what is to be sent again: all that is not acknowledged, and what was acknowledged recently."""
        self._forget_recent(now)
        recent = [record for _, record in self._recent]
        self._recent.clear()
        self._memory_only.update(record for record in recent if record.offset is None)
        self._insert([*recent, *self._sent])
        self._sent.clear()
        self._trim()

    def _insert(self, records: list[QueuedReading]) -> None:
        if records:
            self._head = LazyDeque(_in_order([*records, *self._head]))

    def _forget(self, record: QueuedReading) -> None:
        self._sent.remove(record)
        self._memory_only.discard(record)

    def _forget_recent(self, now: float) -> None:
        oldest = now - self.limits.resend_s
        while self._recent and (self._recent[0][0] < oldest or len(self._recent) > RESEND_LIMIT):
            self._release(self._recent.popleft()[1])

    def _release(self, record: QueuedReading) -> None:
        if record.offset is not None:
            self._segments.release(record.offset)

    def _oldest(self) -> QueuedReading | None:
        """Return the first record that is not sent, after loading it from disk if necessary."""
        while not self._head and self._segments.unread:
            for stored in _in_order(self._segments.load()):
                message = Message(stored.topic, stored.payload)
                self._head.append(QueuedReading(stored.number, message, -inf, stored.offset))
        return next((queue[0] for queue in (self._head, self._tail) if queue), None)

    def _pop(self) -> QueuedReading:
        self._oldest()
        return (self._head or self._tail).popleft()

    def _drop(self, record: QueuedReading) -> None:
        self._memory_only.discard(record)
        self._release(record)
        self._dropped += 1

    def _is_old(self, record: QueuedReading) -> bool:
        payload = record.message.payload
        if not self.on_disk or self.limits.age_s == inf or any(mark in payload for mark in UNSURE):
            return False
        found = TIME.search(payload)
        return found is not None and found[1].decode() < utc(int((self._now() - self.limits.age_s) * 1e6))

    def _now(self) -> float:
        """Return the time of day, except that a clock set forward must not make any record too old."""
        return min(time.time(), self._monotonic_epoch + time.monotonic())

    # Writing to disk.

    def flush(self, now: float) -> None:
        """Write what is only in memory to disk, if the oldest record has waited too long."""
        if self.flush_in_s(now) == 0:
            self._write(now)

    def flush_in_s(self, now: float) -> float | None:
        """Return the seconds until `flush` has something to do, or None if there is nothing to write."""
        if not self._memory_only and not self._tail:
            return None
        return max(0.0, self._oldest_at() + WELL_S - now, self._disk_retry_at - now)

    def _oldest_at(self) -> float:
        return -inf if self._segments.unread else min(self._times())

    def _times(self) -> Iterator[float]:
        yield from (record.queued_at for record in self._sent)
        yield from (queue[0].queued_at for queue in (self._head, self._tail) if queue)

    def _write(self, now: float) -> None:
        try:
            for record in _in_order(self._memory_only):
                record.offset = self._append(record, read=True)
                self._memory_only.remove(record)
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
        """Whether a power cut could lose records that are written to disk."""
        return self._segments.unsynced

    def to_sync(self) -> Callable[[], None] | None:
        """Return what to call, in any thread, so that all records survive a power cut; None if they already do."""
        return self._segments.to_sync()

    def close(self) -> None:
        """Write all that is not acknowledged to disk, and close the files."""
        while self._recent:
            self._release(self._recent.popleft()[1])
        if self._memory_only or self._tail:
            self._write(time.monotonic())
        if self._memory_only or self._tail:
            log.error("readings are lost", count=len(self._memory_only) + len(self._tail))
        if sync := self._segments.to_sync():
            with suppress(OSError):
                sync()
        self._segments.close()


def _in_order(records: Iterable[N]) -> list[N]:
    return sorted(records, key=lambda record: record.number)
