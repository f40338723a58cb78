"""What waits for the broker, and what the broker has not acknowledged yet. Only the outbox sends anything twice.

Three lanes, served in this order:

- state: retained, one slot per topic, only ever the newest value, at most one of it unacknowledged;
- words: not retained, in order, such as answers to commands;
- history: not retained, in order, bounded; the oldest is dropped first, and counted.
"""

import math
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum, auto

from bootstrap import log

WINDOW = 20  # unacknowledged messages in all: Mosquitto's own default towards a subscriber
SPARE = 4  # of them never used by history, so that a live value does not queue behind it
HISTORY_LIMIT = 10_000  # readings kept in memory, 2 to 3 MB
WORDS_LIMIT = 1000
DRAIN_RATE = 200.0  # readings a second: no queue behind the broker overflows (Mosquitto's holds 1000)
DRAIN_BURST = 200.0
ROUNDING = 1e-6  # of a token; less is not waited for


@dataclass(slots=True, frozen=True)
class Message:
    """What is published at QoS 1."""

    topic: str
    payload: bytes
    retain: bool = False


class Rate:
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


class State:
    """The newest payload of each retained topic, and which of them the broker has yet to be sent."""

    def __init__(self) -> None:
        self._newest: dict[str, bytes] = {}  # in the order of first use, which is the order of birth
        self._due: dict[str, None] = {}
        self._flying: set[str] = set()

    def put(self, topic: str, payload: bytes) -> None:
        """Replace what was known of this topic."""
        self._newest[topic] = payload
        self._due[topic] = None

    def take(self) -> Message | None:
        """The next value to send, unless an older value of its topic is still unacknowledged."""
        topic = next((topic for topic in self._due if topic not in self._flying), None)
        if topic is None:
            return None
        del self._due[topic]
        self._flying.add(topic)
        return Message(topic, self._newest[topic], retain=True)

    def done(self, topic: str) -> None:
        """The broker has answered for it."""
        self._flying.discard(topic)

    def renew(self) -> None:
        """A new connection: everything is sent again, in the order of birth."""
        self._flying.clear()
        self._due = dict.fromkeys(self._newest)

    @property
    def settled(self) -> bool:
        """Whether the broker has answered for the newest value of every topic."""
        return not self._due and not self._flying


class Queue:
    """What is not yet acknowledged, oldest first. For the history, this is the one place a spill file belongs."""

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


class Lane(Enum):
    """Where a message came from, and goes back to when its connection ends."""

    STATE = auto()
    WORDS = auto()
    HISTORY = auto()


@dataclass(slots=True, frozen=True)
class Flight:
    """A message the broker has been sent and has not answered for."""

    message: Message
    lane: Lane
    sent_at: float


class Outbox:
    """Decides what is published next, and remembers it until the broker has answered for it."""

    def __init__(self, limit: int = HISTORY_LIMIT) -> None:
        self._state = State()
        self._words = Queue(WORDS_LIMIT)
        self._history = Queue(limit)
        self._rate = Rate(DRAIN_RATE, DRAIN_BURST)
        self._flying: dict[int, Flight] = {}
        self._refused = 0
        self.window = WINDOW
        self.largest = math.inf  # bytes of topic and payload that this broker takes

    def put_state(self, topic: str, payload: bytes) -> None:
        """A retained value: the truth now."""
        self._state.put(topic, payload)

    def put_word(self, topic: str, payload: bytes) -> None:
        """Something said once, such as an answer."""
        self._words.put(Message(topic, payload))

    def put_history(self, topic: str, payload: bytes) -> None:
        """A reading: kept until it is acknowledged."""
        self._history.put(Message(topic, payload))

    def send(self, publish: Callable[[Message], int], now: float) -> None:
        """Publish what may be published now; `publish` returns the message id, `now` is `time.monotonic()`."""
        while len(self._flying) < self.window and (found := self._next(now)):
            lane, message = found
            if len(message.topic) + len(message.payload) > self.largest:
                self._give_up(lane, message)
            else:
                self._flying[publish(message)] = Flight(message, lane, now)

    def _give_up(self, lane: Lane, message: Message) -> None:
        """What the broker would hang up on must not be sent, or nothing else ever would."""
        log.error("a message is larger than the broker takes", topic=message.topic, bytes=len(message.payload))
        self._refused += 1
        if lane is Lane.STATE:
            self._state.done(message.topic)

    def _next(self, now: float) -> tuple[Lane, Message] | None:
        if message := self._state.take():
            return Lane.STATE, message
        if self._words:
            return Lane.WORDS, self._words.take()
        if self._history and self._has_room() and self._rate.wait_s(now) == 0:
            self._rate.spend()
            return Lane.HISTORY, self._history.take()
        return None

    def _has_room(self) -> bool:
        """Whether history may use another place of the window."""
        return len(self._flown(Lane.HISTORY)) < max(1, self.window - SPARE)

    def _flown(self, lane: Lane) -> list[Message]:
        return [flight.message for flight in self._flying.values() if flight.lane is lane]

    def wait_s(self, now: float) -> float | None:
        """Seconds until history may go on by itself; None: not before an answer or a new message."""
        may_go = len(self._flying) < self.window and self._history and self._has_room()
        return self._rate.wait_s(now) if may_go else None

    def answered(self, message_id: int, *, accepted: bool) -> Message | None:
        """The broker has answered for a message: it is done with, delivered or refused for good."""
        flight = self._flying.pop(message_id, None)
        if flight is None:
            return None
        if flight.lane is Lane.STATE:
            self._state.done(flight.message.topic)
        self._refused += not accepted
        return flight.message

    def renew(self) -> None:
        """The connection ended: all state is due again, and what was not answered for goes back to its lane."""
        self._words.give_back(reversed(self._flown(Lane.WORDS)))
        self._history.give_back(reversed(self._flown(Lane.HISTORY)))
        self._state.renew()
        self._flying.clear()

    def oldest_sent_at(self) -> float | None:
        """When the oldest unanswered message was sent."""
        return next((flight.sent_at for flight in self._flying.values()), None)

    @property
    def queued(self) -> int:
        """Readings and answers the broker has not acknowledged."""
        flown = len(self._flown(Lane.HISTORY)) + len(self._flown(Lane.WORDS))
        return len(self._history) + len(self._words) + flown

    @property
    def dropped(self) -> int:
        """Messages given up since the start: beyond a queue's limit, or refused by the broker."""
        return self._history.dropped + self._words.dropped + self._refused

    @property
    def state_settled(self) -> bool:
        """Whether the broker has answered for the newest value of every state topic."""
        return self._state.settled
