"""What a device tells others: now, or not at all. Nothing of it is kept for another connection."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from bootstrap.contract.commands import Outcome
from bootstrap.outbox.message import AckOutcome, Message

Then: TypeAlias = Callable[[Outcome, str], object]  # the outcome, and why it was not sent

MOST_WAITING = 100
MOST_IN_FLIGHT = 8  # messages that the broker has not acknowledged, of at most 20 of the whole sensor
NOT_SENT = "the connection was lost before it was sent"
NOT_ANSWERED = "the connection was lost before the broker acknowledged it; perhaps it was delivered"


@dataclass(frozen=True, slots=True)
class _InFlight:
    message: Message
    then: Then
    sent_at: float


class Telling:
    """The messages that are told on this connection, in order, beside what the outbox sends."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[Message, Then]] = deque()
        self._in_flight: dict[int, _InFlight] = {}
        self._set_aside: dict[str, float] = {}  # until when nothing is sent to a topic

    def put(self, message: Message, then: Then) -> None:
        """Send a message as soon as there is room. `then` is called once with what became of it."""
        if self._set_aside.get(message.topic, 0) > time.monotonic():
            then("undelivered", "the broker closes the connection when that is published; tried again later")
        elif len(self._waiting) >= MOST_WAITING:
            then("undelivered", f"{MOST_WAITING} messages wait already")
        else:
            self._waiting.append((message, then))

    def room(self, window: int) -> int:
        """Return how many of the messages that the broker takes at once are left to these."""
        return min(len(self._waiting) + len(self._in_flight), MOST_IN_FLIGHT, window // 2)

    def send(self, publish: Callable[[Message], int], free: int, largest: float) -> None:
        """Publish what may be published while `free` messages, these included, may be unacknowledged."""
        while self._waiting and len(self._in_flight) < min(free, MOST_IN_FLIGHT):
            message, then = self._waiting.popleft()
            if len(message.topic.encode()) + len(message.payload) > largest:
                then("undelivered", "it is larger than the broker accepts")
            else:
                self._in_flight[publish(message)] = _InFlight(message, then, time.monotonic())

    def acknowledged(self, packet_id: int, outcome: AckOutcome, reason: str) -> Message | None:
        """Handle an acknowledgement, and return its message; None if it is not one of these."""
        flight = self._in_flight.pop(packet_id, None)
        if flight is None:
            return None
        if outcome is AckOutcome.DELIVERED or (outcome is AckOutcome.NOBODY and flight.message.retain):
            flight.then("sent", "")
        elif outcome is AckOutcome.NOBODY:
            flight.then("undelivered", "nobody is subscribed to it")
        else:
            flight.then("undelivered", f"the broker refuses it: {reason}")
        return flight.message

    def set_aside(self, topic: str, until: float) -> None:
        """Send nothing to this topic before `until`."""
        self._set_aside[topic] = until

    def connection_lost(self) -> None:
        """Drop everything: it would come too late."""
        flying, waiting = [*self._in_flight.values()], [*self._waiting]
        self._in_flight.clear()
        self._waiting.clear()
        for flight in flying:
            flight.then("unknown", NOT_ANSWERED)
        for _, then in waiting:
            then("undelivered", NOT_SENT)

    @property
    def unanswered(self) -> list[str]:
        """The topics of the messages that the broker has not acknowledged."""
        return [flight.message.topic for flight in self._in_flight.values()]

    def oldest_sent_at(self) -> float | None:
        """Return when the oldest unacknowledged message was sent; None if there is none."""
        return next((flight.sent_at for flight in self._in_flight.values()), None)
