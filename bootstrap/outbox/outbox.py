"""What waits for the broker, and what the broker has not acknowledged yet. Only the outbox sends anything twice.

Three lanes, served in this order:

- state: retained, one slot per topic, only ever the newest value, at most one of it unacknowledged;
- words: not retained, in order, such as answers to commands;
- history: not retained, in order; on disk when it waits.
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import inf

from bootstrap.contract.timestamps import Clock
from bootstrap.logs import log
from bootstrap.outbox.backlog import Backlog, BacklogLimits, QueuedReading
from bootstrap.outbox.dead_letters import DeadLetters
from bootstrap.outbox.message import REFUSED_FOR_NOW, AckOutcome, Message

WINDOW = 20  # unacknowledged messages in all: Mosquitto's own default towards a subscriber
SPARE = 4  # of them never used by history, so that a live value does not queue behind it
WORDS_LIMIT = 1000
ROUNDING = 1e-6  # of a token; less is not waited for
DENIED_S = 30.0  # until we ask again whether we may
SOON_S = 1.0  # until we ask again whether somebody listens: where all of a house starts, the recorder is about to
NOBODY_S = 5.0  # and then every so often
LATER_S = 5.0
TRIES = 5  # of what the broker refuses without a reason that we know


class RateLimit:
    """A token bucket: `rate` a second, and `burst` at once after a rest."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate, self._burst = rate, burst
        self._tokens = burst
        self._counted_at = 0.0

    def wait_s(self, now: float) -> float:
        """Seconds until one may pass; 0 is now."""
        self._tokens = min(self._burst, self._tokens + (now - self._counted_at) * self._rate)
        self._counted_at = now
        missing = 1 - self._tokens
        return missing / self._rate if missing > ROUNDING else 0.0

    def spend(self) -> None:
        """One passes."""
        self._tokens -= 1


class StateQueue:
    """The newest payload of each retained topic, and which of them the broker has yet to be sent."""

    def __init__(self) -> None:
        self._newest: dict[str, bytes] = {}  # in the order of first use, which is the order of birth
        self._due: dict[str, None] = {}
        self._flying: set[str] = set()
        self._refused: dict[str, float] = {}  # until when

    def put(self, topic: str, payload: bytes) -> None:
        """Replace what was known of this topic."""
        self._newest[topic] = payload
        self._due[topic] = None

    def take(self, now: float) -> Message | None:
        """The next value to send, unless an older value of its topic is still unacknowledged, or was just refused."""
        topic = next((topic for topic in self._due if topic not in self._flying and self._may_go(topic, now)), None)
        if topic is None:
            return None
        del self._due[topic]
        self._refused.pop(topic, None)
        self._flying.add(topic)
        return Message(topic, self._newest[topic], retain=True)

    def _may_go(self, topic: str, now: float) -> bool:
        return self._refused.get(topic, -inf) <= now

    def done(self, topic: str) -> None:
        """The broker has it, or never will. What is cleared is not cleared again."""
        self._flying.discard(topic)
        if topic not in self._due and not self._newest[topic]:
            del self._newest[topic]

    def again(self, topic: str, at: float) -> None:
        """The broker has refused it; to be sent again, but not before."""
        self._flying.discard(topic)
        self._refused[topic] = at
        self._due[topic] = None

    def wait_s(self, now: float) -> float | None:
        """Seconds until a refused one is sent again; None: there is none."""
        return max(0.0, min(self._refused.values()) - now) if self._refused else None

    def renew(self) -> None:
        """A new connection: everything is sent again, in the order of birth."""
        self._flying.clear()
        self._refused.clear()
        self._due = dict.fromkeys(self._newest)

    @property
    def settled(self) -> bool:
        """Whether the broker has answered for the newest value of every topic."""
        return not (self._due.keys() - self._refused.keys()) and not self._flying


class OnceQueue:
    """What is said once, oldest first; beyond the limit the oldest goes."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._waiting: deque[Message] = deque()
        self.dropped = 0

    def put(self, message: Message) -> None:
        """Add the newest; beyond the limit the oldest goes."""
        if len(self._waiting) >= self._limit:
            self._waiting.popleft()
            self.dropped += 1
        self._waiting.append(message)

    def take(self) -> Message:
        """The oldest."""
        return self._waiting.popleft()

    def give_back(self, messages: Iterable[Message]) -> None:
        """What was taken, newest first, and not acknowledged."""
        self._waiting.extendleft(messages)
        while len(self._waiting) > self._limit:
            self._waiting.popleft()
            self.dropped += 1

    def __len__(self) -> int:
        return len(self._waiting)


@dataclass(slots=True, frozen=True)
class InFlight:
    """A message the broker has been sent and has not answered for; a record of the history, if it is one."""

    message: Message
    sent_at: float
    record: QueuedReading | None

    @property
    def is_word(self) -> bool:
        """Neither state nor history."""
        return self.record is None and not self.message.retain


class Pause:
    """The history's rest after a refusal; then one record at a time, until one is delivered."""

    def __init__(self) -> None:
        self._until = -inf
        self.careful = False

    def begin(self, until: float) -> None:
        """Send no more before then."""
        self._until, self.careful = until, True

    def end(self) -> None:
        """The broker takes them again."""
        self._until, self.careful = -inf, False

    def wait_s(self, now: float) -> float:
        """Seconds that are left of it."""
        return max(0.0, self._until - now)


class Outbox:
    """Decides what is published next, and remembers it until the broker has answered for it."""

    def __init__(
        self, history: Backlog, rate: float, dead: DeadLetters, clock: Clock, *, recorded: bool = False
    ) -> None:
        """Send `rate` readings of the history a second. `recorded`: there is somebody who must hear each of them."""
        self.history, self.clock = history, clock
        self._state = StateQueue()
        self._words = OnceQueue(WORDS_LIMIT)
        self._rate = RateLimit(rate, max(1.0, rate))
        self._pause = Pause()
        self._dead, self._recorded = dead, recorded
        self._flying: dict[int, InFlight] = {}
        self._refused = 0
        self._unheard = False
        self.window = WINDOW
        self.largest = inf  # bytes of topic and payload that this broker takes

    def apply_settings(self, limits: BacklogLimits, rate: float, *, recorded: bool) -> None:
        """Keep and send by other settings from now on."""
        self.history.limits, self._recorded = limits, recorded
        self._rate = RateLimit(rate, max(1.0, rate))

    def put_state(self, topic: str, payload: bytes) -> None:
        """A retained value: the truth now."""
        self._state.put(topic, payload)

    def put_once(self, topic: str, payload: bytes) -> None:
        """Something said once, such as an answer."""
        self._words.put(Message(topic, payload))

    def put_history(self, topic: str, payload: bytes, now: float) -> None:
        """A reading: kept until it is acknowledged."""
        self.history.put(Message(topic, payload), now)

    def send(self, publish: Callable[[Message], int], now: float) -> None:
        """Publish what may be published now; `publish` returns the message id, `now` is `time.monotonic()`."""
        while len(self._flying) < self.window and (flight := self._next(now)):
            if len(flight.message.topic) + len(flight.message.payload) > self.largest:
                self._bury(flight, "larger than the broker takes")
            else:
                self._flying[publish(flight.message)] = flight

    def _next(self, now: float) -> InFlight | None:
        if message := self._state.take(now):
            return InFlight(message, now, None)
        if self._words:
            return InFlight(self._words.take(), now, None)
        if self._history_wait_s(now) == 0 and (record := self.history.take()):
            self._rate.spend()
            record.settle(self.clock)
            return InFlight(record.message, now, record)
        return None

    def _history_wait_s(self, now: float) -> float | None:
        """Seconds until history may go on by itself; None: not before an answer or a new message."""
        flown = sum(flight.record is not None for flight in self._flying.values())
        room = 1 if self._pause.careful else max(1, self.window - SPARE)
        if not self.history.waiting or flown >= room:
            return None
        return max(self._rate.wait_s(now), self._pause.wait_s(now), self.clock.hold_s())

    def wait_s(self, now: float) -> float | None:
        """Seconds until something may be sent that may not now; None: not before an answer or a new message."""
        if len(self._flying) >= self.window:
            return None
        waits = [wait for wait in (self._state.wait_s(now), self._history_wait_s(now)) if wait is not None]
        return min(waits, default=None)

    def acknowledged(self, message_id: int, verdict: AckOutcome, reason: str, now: float) -> Message | None:
        """The broker has answered for a message, which is returned; None: it was no message of this connection."""
        flight = self._flying.pop(message_id, None)
        if flight is None:
            return None
        if verdict is AckOutcome.BAD:
            self._bury(flight, reason)
        elif flight.record is not None:
            self._judge_record(flight, flight.record, verdict, reason, now)
        elif flight.message.retain:
            self._judge_state(flight.message.topic, verdict, now)
        else:
            self._refused += verdict in REFUSED_FOR_NOW
        return flight.message

    def _judge_record(
        self, flight: InFlight, record: QueuedReading, verdict: AckOutcome, reason: str, now: float
    ) -> None:
        record.tries += verdict is AckOutcome.LATER
        if verdict is AckOutcome.DELIVERED or (verdict is AckOutcome.NOBODY and not self._recorded):
            self.history.acknowledged(record, now)
            self._resume()
        elif record.tries >= TRIES:
            self._bury(flight, reason)
        else:
            self.history.requeue(record)
            nobody_s = NOBODY_S if self._unheard else SOON_S
            self._say_unheard(verdict is AckOutcome.NOBODY)
            self._pause.begin(now + {AckOutcome.DENIED: DENIED_S, AckOutcome.NOBODY: nobody_s}.get(verdict, LATER_S))

    def _resume(self) -> None:
        self._pause.end()
        self._say_unheard(False)

    def _say_unheard(self, unheard: bool) -> None:
        """Say once that there is no recorder, and once that there is one again."""
        if unheard and not self._unheard:
            log.warning("nobody records the history; it is kept until somebody does")
        elif self._unheard and not unheard:
            log.info("the history is recorded again")
        self._unheard = unheard

    def _judge_state(self, topic: str, verdict: AckOutcome, now: float) -> None:
        if verdict in REFUSED_FOR_NOW:
            self._state.again(topic, now + DENIED_S)
        else:
            self._state.done(topic)

    def _bury(self, flight: InFlight, reason: str) -> None:
        """What no broker takes must not be sent, or nothing else ever would be."""
        self._dead.add(flight.message, reason)
        if flight.record is not None:
            self.history.rejected(flight.record)
            return
        self._refused += 1
        if flight.message.retain:
            self._state.done(flight.message.topic)

    def renew(self, now: float) -> None:
        """The connection broke: all state is due again, and what was not answered for goes back to its lane."""
        words = [flight.message for flight in self._flying.values() if flight.is_word]
        self._words.give_back(reversed(words))
        self.history.connection_lost(now)
        self._state.renew()
        self._pause.end()
        self._flying.clear()

    def oldest_sent_at(self) -> float | None:
        """When the oldest unanswered message was sent."""
        return next((flight.sent_at for flight in self._flying.values()), None)

    @property
    def queued(self) -> int:
        """Readings and answers the broker has not acknowledged."""
        words = sum(flight.is_word for flight in self._flying.values())
        return len(self.history) + len(self._words) + words

    @property
    def dropped(self) -> int:
        """Messages given up since the start: beyond a limit, damaged on disk, or refused by the broker for good."""
        return self.history.dropped + self._words.dropped + self._refused

    @property
    def state_settled(self) -> bool:
        """Whether the broker has answered for the newest value of every state topic."""
        return self._state.settled
