"""The messages that wait for the broker or for its acknowledgement. Nothing but the outbox sends a message again.

Three queues, served in this order:

- state: retained, only the newest value of each topic, at most one unacknowledged message per topic;
- once: not retained, in order, such as answers to commands;
- history: not retained, in order; on disk while it waits.
"""

import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import inf

from bootstrap.contract.recording_word import KnownRecorders
from bootstrap.contract.timestamps import Clock
from bootstrap.logs import log
from bootstrap.outbox.backlog import Backlog, BacklogLimits, QueuedReading
from bootstrap.outbox.dead_letters import DeadLetters
from bootstrap.outbox.lazy_deque import LazyDeque
from bootstrap.outbox.message import REFUSED_FOR_NOW, AckOutcome, Message

WINDOW = 20  # unacknowledged messages in all, as many as Mosquitto by default sends to a subscriber
SPARE = 4  # places in the window that history never uses, so that a live value does not queue behind it
ONCE_LIMIT = 1000  # messages
LONG = 2048  # bytes above which a retained value is kept compressed
ROUNDING = 1e-6  # part of a token that may be missing
DENIED_S = 30.0  # until a message that was denied is sent again
SOON_S = 1.0  # until a reading that nobody records is first sent again: at boot, the recorder may be about to start
NOBODY_S = 5.0  # until it is sent again after that
LATER_S = 5.0
TRIES = 5  # of a message that the broker refuses for an unknown reason


class RateLimit:
    """A token bucket: `rate` messages a second, and `burst` at once after a pause."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate, self._burst = rate, burst
        self._tokens = burst
        self._counted_at = 0.0

    def wait_s(self, now: float) -> float:
        """Return the seconds until a message may be sent; 0 is now."""
        self._tokens = min(self._burst, self._tokens + (now - self._counted_at) * self._rate)
        self._counted_at = now
        missing = 1 - self._tokens
        return missing / self._rate if missing > ROUNDING else 0.0

    def spend(self) -> None:
        """Count a message that is sent."""
        self._tokens -= 1


@dataclass(slots=True, frozen=True)
class Compressed:
    """A long payload, such as an announcement to Home Assistant, which is kept for the next connect."""

    data: bytes


def _compressed(payload: bytes) -> Compressed:
    small = zlib.compressobj(wbits=12, memLevel=5)  # the usual size takes 260 kB, which the process would keep
    return Compressed(small.compress(payload) + small.flush())


class StateQueue:
    """The newest payload of each retained topic, and which of them have yet to be sent."""

    def __init__(self) -> None:
        self._newest: dict[str, bytes | Compressed] = {}  # in the order of first use, which is kept at each connect
        self._due: dict[str, None] = {}
        self._in_flight: set[str] = set()
        self._refused: dict[str, float] = {}  # when each may be sent again
        self._set_aside: dict[str, float] = {}  # the same, on whichever connection

    def __contains__(self, topic: str) -> bool:
        return topic in self._newest

    def put(self, topic: str, payload: bytes) -> None:
        """Replace the payload of this topic."""
        self._newest[topic] = payload if len(payload) <= LONG else _compressed(payload)
        self._due[topic] = None

    def value(self, topic: str) -> bytes:
        """Return the newest payload of this topic; empty if there is none."""
        payload = self._newest.get(topic, b"")
        return zlib.decompress(payload.data) if isinstance(payload, Compressed) else payload

    def take(self, now: float) -> Message | None:
        """Return the next value to send, skipping topics whose last value is unacknowledged or was just refused."""
        topic = next((topic for topic in self._due if topic not in self._in_flight and self._may_go(topic, now)), None)
        if topic is None:
            return None
        del self._due[topic]
        self._refused.pop(topic, None)
        self._in_flight.add(topic)
        return Message(topic, self.value(topic), retain=True)

    def _may_go(self, topic: str, now: float) -> bool:
        return max(self._refused.get(topic, -inf), self._set_aside.get(topic, -inf)) <= now

    def answered(self, topic: str) -> None:
        """Note that the broker has accepted a value, or never will. A topic that is cleared is forgotten."""
        self._in_flight.discard(topic)
        self._set_aside.pop(topic, None)
        if topic not in self._due and not self._newest[topic]:
            del self._newest[topic]

    def set_aside(self, topic: str, until: float) -> None:
        """Do not send this topic before `until`, on this connection or another."""
        self._set_aside[topic] = until

    def retry(self, topic: str, at: float) -> None:
        """Send a refused value again, but not before `at`."""
        self._in_flight.discard(topic)
        self._refused[topic] = at
        self._due[topic] = None

    def wait_s(self, now: float) -> float | None:
        """Return the seconds until a value that was refused or set aside is sent again; None if there is none."""
        aside = [at for topic, at in self._set_aside.items() if topic in self._due and at > now]
        times = [*self._refused.values(), *aside]
        return max(0.0, min(times) - now) if times else None

    def resend(self) -> None:
        """Send every value again on the next connection, in the order of first use."""
        self._in_flight.clear()
        self._refused.clear()
        self._due = dict.fromkeys(self._newest)

    @property
    def settled(self) -> bool:
        """Whether the broker has answered the newest value of every topic."""
        return not (self._due.keys() - self._refused.keys() - self._set_aside.keys()) and not self._in_flight


class OnceQueue:
    """Messages to be delivered once, oldest first."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._waiting = LazyDeque[Message]()
        self.dropped = 0

    def put(self, message: Message) -> None:
        """Add the newest message; beyond the limit the oldest is dropped."""
        if len(self._waiting) >= self._limit:
            self._waiting.popleft()
            self.dropped += 1
        self._waiting.append(message)

    def take(self) -> Message:
        """Remove and return the oldest message."""
        return self._waiting.popleft()

    @property
    def next_topic(self) -> str | None:
        """The topic of the oldest message."""
        return self._waiting[0].topic if self._waiting else None

    def give_back(self, messages: Iterable[Message]) -> None:
        """Put back messages that were taken and not acknowledged, newest first."""
        self._waiting.extendleft(messages)
        while len(self._waiting) > self._limit:
            self._waiting.popleft()
            self.dropped += 1

    def __len__(self) -> int:
        return len(self._waiting)


@dataclass(slots=True, frozen=True)
class InFlight:
    """A message that the broker has not acknowledged yet; `record` is set if it belongs to the history."""

    message: Message
    sent_at: float
    record: QueuedReading | None

    @property
    def is_once(self) -> bool:
        """Whether it belongs to neither state nor history."""
        return self.record is None and not self.message.retain


class Pause:
    """A pause of the history after a refusal, then one record at a time until one is delivered."""

    def __init__(self) -> None:
        self._until = self._set_aside_until = -inf
        self.one_at_a_time = False

    def set_aside(self, until: float) -> None:
        """Send no history before `until`, on this connection or another."""
        self._set_aside_until = until

    def begin(self, until: float) -> None:
        """Send no history before `until`."""
        self._until, self.one_at_a_time = until, True

    def end(self) -> None:
        """Note that the broker accepts history again."""
        self._until, self.one_at_a_time = -inf, False

    def wait_s(self, now: float) -> float:
        """Return the seconds that are left of the pause."""
        return max(0.0, self._until - now, self._set_aside_until - now)


class Outbox:
    """Decides what is published next, and keeps it until the broker has acknowledged it."""

    def __init__(
        self,
        history: Backlog,
        rate: float,
        dead_letters: DeadLetters,
        clock: Clock,
        *,
        recorders: KnownRecorders | None = None,
    ) -> None:
        """Send `rate` readings of the history a second, if one of the `recorders` is wanted, while one records."""
        self.history, self.clock = history, clock
        self._state = StateQueue()
        self._once = OnceQueue(ONCE_LIMIT)
        self._rate = RateLimit(rate, max(1.0, rate))
        self._pause = Pause()
        self._dead_letters, self.recorders = dead_letters, recorders or KnownRecorders()
        self._in_flight: dict[int, InFlight] = {}
        self._refused = 0
        self._unanswered: QueuedReading | None = None  # the only reading that the last connection left unanswered
        self._skipped: QueuedReading | None = None  # is sent after the next one, if at all
        self._recorder_missing = False
        self._held_since: float | None = None
        self.window = WINDOW
        self.largest = inf  # bytes of topic and payload that this broker accepts

    def apply_settings(self, limits: BacklogLimits, rate: float, *, recorded: bool) -> None:
        """Use these limits and this rate from now on."""
        self.history.limits, self.recorders.wanted = limits, recorded
        self._rate = RateLimit(rate, max(1.0, rate))

    def put_state(self, topic: str, payload: bytes) -> None:
        """Queue the current value of a retained topic."""
        self._state.put(topic, payload)

    def state(self, topic: str) -> bytes:
        """Return the current value of a retained topic; empty if it has none, or is cleared."""
        return self._state.value(topic)

    def holds(self, topic: str) -> bool:
        """Return whether a retained topic has a value, or the broker has not answered yet that it was cleared."""
        return topic in self._state

    def put_once(self, topic: str, payload: bytes) -> None:
        """Queue a message to be delivered once, such as an answer to a command."""
        self._once.put(Message(topic, payload))

    def put_history(self, topic: str, payload: bytes, now: float) -> None:
        """Queue a reading, to be kept until it is acknowledged."""
        self.history.put(Message(topic, payload), now)

    def send(self, publish: Callable[[Message], int], now: float) -> None:
        """Publish what may be published now. `publish` returns the packet id; `now` is `time.monotonic()`."""
        while len(self._in_flight) < self.window and (flight := self._next(now)):
            if len(flight.message.topic) + len(flight.message.payload) > self.largest:
                self._dead_letter(flight, "larger than the broker accepts")
            else:
                self._in_flight[publish(flight.message)] = flight

    def _next(self, now: float) -> InFlight | None:
        if message := self._state.take(now):
            return InFlight(message, now, None)
        if self._once:
            return InFlight(self._once.take(), now, None)
        if self._history_wait_s(now) == 0 and (record := self._take_reading()):
            self._rate.spend()
            record.settle(self.clock)
            return InFlight(record.message, now, record)
        return None

    def _take_reading(self) -> QueuedReading | None:
        """Return the oldest reading, or the one after it if that is skipped."""
        record = self.history.take()
        if record is None or record is not self._skipped:
            return record
        following = self.history.take()
        self.history.requeue(record)
        return following

    def _history_wait_s(self, now: float) -> float | None:
        """Return the seconds until history may be sent; None if that takes an acknowledgement or a new message."""
        unacknowledged = sum(flight.record is not None for flight in self._in_flight.values())
        room = 1 if self._pause.one_at_a_time else max(1, self.window - SPARE)
        waiting = self.history.waiting > (self._skipped is not None)
        if not waiting or unacknowledged >= room or self._must_wait(now):
            return None
        return max(self._rate.wait_s(now), self._pause.wait_s(now), self.clock.hold_s())

    def _must_wait(self, now: float) -> bool:
        """Return whether the history must wait until a recorder says that it records. Logs it after a moment."""
        if not self.recorders.missing:
            self._held_since = None
            return False
        self._held_since = now if self._held_since is None else self._held_since
        if now - self._held_since >= NOBODY_S:
            self._log_recorder(missing=True)
        return True

    def wait_s(self, now: float) -> float | None:
        """Return the seconds until more may be sent; None if that takes an acknowledgement or a new message."""
        if len(self._in_flight) >= self.window:
            return None
        waits = [wait for wait in (self._state.wait_s(now), self._history_wait_s(now)) if wait is not None]
        return min(waits, default=None)

    def acknowledged(self, packet_id: int, outcome: AckOutcome, reason: str, now: float) -> Message | None:
        """Handle an acknowledgement, and return its message; None if it was not sent on this connection."""
        flight = self._in_flight.pop(packet_id, None)
        if flight is None:
            return None
        if outcome is AckOutcome.BAD:
            self._dead_letter(flight, reason)
        elif flight.record is not None:
            self._record_acknowledged(flight, flight.record, outcome, reason, now)
        elif flight.message.retain:
            self._state_acknowledged(flight.message.topic, outcome, now)
        else:
            self._refused += outcome in REFUSED_FOR_NOW
        return flight.message

    def _record_acknowledged(
        self, flight: InFlight, record: QueuedReading, outcome: AckOutcome, reason: str, now: float
    ) -> None:
        record.tries += outcome is AckOutcome.LATER
        if outcome is AckOutcome.DELIVERED or (outcome is AckOutcome.NOBODY and not self.recorders.wanted):
            self.history.acknowledged(record, now)
            self._resume()
            if self._skipped is not None and record.number > self._skipped.number:
                self._give_up_skipped()
        elif record.tries >= TRIES:
            self._dead_letter(flight, reason)
        else:
            self.history.requeue(record)
            nobody_s = NOBODY_S if self._recorder_missing else SOON_S
            self._log_recorder(missing=outcome is AckOutcome.NOBODY)
            self._pause.begin(now + {AckOutcome.DENIED: DENIED_S, AckOutcome.NOBODY: nobody_s}.get(outcome, LATER_S))

    def _resume(self) -> None:
        self._pause.end()
        self._log_recorder(missing=False)

    def _log_recorder(self, *, missing: bool) -> None:
        """Log once that there is no recorder, and once that there is one again."""
        if missing and not self._recorder_missing:
            log.warning("no recorder says that it records; the history is kept until one does")
        elif self._recorder_missing and not missing:
            log.info("the history is recorded again")
        self._recorder_missing = missing

    def _state_acknowledged(self, topic: str, outcome: AckOutcome, now: float) -> None:
        if outcome in REFUSED_FOR_NOW:
            self._state.retry(topic, now + DENIED_S)
        else:
            self._state.answered(topic)

    def _dead_letter(self, flight: InFlight, reason: str) -> None:
        """Give up a message that no broker accepts, since it would block all that follows."""
        self._dead_letters.add(flight.message, reason)
        if flight.record is not None:
            self.history.rejected(flight.record)
            return
        self._refused += 1
        if flight.message.retain:
            self._state.answered(flight.message.topic)

    @property
    def unanswered(self) -> list[str]:
        """The topics of the messages that the broker has not acknowledged."""
        return [flight.message.topic for flight in self._in_flight.values()]

    def set_aside(self, topic: str, until: float, reason: str) -> None:
        """Send nothing to this topic before `until`, because the broker closes the connection when that is published.

        Of the history, only the reading that was sent last is skipped at first: it may be that one alone. The rest is
        held back if the broker does not accept the next one either.
        """
        if self._once.next_topic == topic:
            self._dead_letters.add(self._once.take(), reason)
            self._refused += 1
        if topic in self._state:
            self._state.set_aside(topic, until)
        elif self._unanswered is not None and self._unanswered.message.topic == topic:
            skipped, self._skipped = self._skipped, None if self._skipped else self._unanswered
            if skipped:
                self._pause.set_aside(until)

    def _give_up_skipped(self) -> None:
        """Give up the skipped reading: the broker has accepted a later one on the same topic."""
        record, skipped = self.history.take(), self._skipped
        self._skipped = None
        if record is None:
            return
        if record is skipped:
            self._dead_letters.add(record.message, "the broker closes the connection when it is published")
            self.history.rejected(record)
        else:
            self.history.requeue(record)

    def connection_lost(self, now: float) -> None:
        """Queue again, after a lost connection, all state and every message that was not acknowledged."""
        records = [flight.record for flight in self._in_flight.values()]
        self._unanswered = records[0] if len(records) == 1 else None
        once = [flight.message for flight in self._in_flight.values() if flight.is_once]
        self._once.give_back(reversed(once))
        self.history.connection_lost(now)
        self._state.resend()
        self._pause.end()
        self._in_flight.clear()
        self.recorders.clear()
        self._held_since = None

    def oldest_sent_at(self) -> float | None:
        """Return when the oldest unacknowledged message was sent; None if there is none."""
        return next((flight.sent_at for flight in self._in_flight.values()), None)

    @property
    def queued(self) -> int:
        """The number of readings and answers that the broker has not acknowledged."""
        once = sum(flight.is_once for flight in self._in_flight.values())
        return len(self.history) + len(self._once) + once

    @property
    def deliverable(self) -> int:
        """The number of those that need not wait until a recorder says that it records."""
        return self.queued - (self.history.waiting if self.recorders.missing else 0)

    @property
    def dropped(self) -> int:
        """The number of messages given up: beyond a limit, damaged on disk, or refused by the broker for good."""
        return self.history.dropped + self._once.dropped + self._refused

    @property
    def state_settled(self) -> bool:
        """Whether the broker has answered the newest value of every state topic."""
        return self._state.settled
