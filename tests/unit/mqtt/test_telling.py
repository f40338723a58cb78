"""What is told beside the outbox: in order, within limits, and never later."""

from math import inf

import pytest

from bootstrap.mqtt.telling import MOST_IN_FLIGHT, MOST_WAITING, Telling
from bootstrap.outbox.message import AckOutcome, Message


class Told:
    """A telling, and what became of its messages."""

    def __init__(self) -> None:
        self.telling = Telling()
        self.outcomes: list[tuple[int, str, str]] = []
        self.sent: list[Message] = []

    def put(self, number: int, *, retain: bool = False) -> None:
        message = Message("a/b", b"%d" % number, retain=retain)
        self.telling.put(message, lambda outcome, why: self.outcomes.append((number, outcome, why)))

    def publish(self, message: Message) -> int:
        self.sent.append(message)
        return len(self.sent)

    def send(self, free: int = 20, largest: float = inf) -> None:
        self.telling.send(self.publish, free, largest)


@pytest.fixture
def told() -> Told:
    return Told()


def test_few_at_a_time_in_order(told: Told) -> None:
    for number in range(MOST_IN_FLIGHT + 1):
        told.put(number)
    told.send()
    assert [one.payload for one in told.sent] == [b"%d" % number for number in range(MOST_IN_FLIGHT)]
    told.telling.acknowledged(1, AckOutcome.DELIVERED, "")
    told.send()
    assert told.sent[-1].payload == b"%d" % MOST_IN_FLIGHT
    assert told.outcomes == [(0, "sent", "")]


def test_no_more_than_the_broker_takes(told: Told) -> None:
    told.put(0)
    told.put(1)
    told.send(free=1)
    assert len(told.sent) == 1
    assert (told.telling.room(20), told.telling.room(1)) == (2, 0)


def test_beyond_the_limit_the_newest_is_refused(told: Told) -> None:
    for number in range(MOST_WAITING + 1):
        told.put(number)
    assert told.outcomes == [(MOST_WAITING, "undelivered", f"{MOST_WAITING} messages wait already")]


@pytest.mark.parametrize(
    ("outcome", "retain", "expected"),
    [
        (AckOutcome.NOBODY, False, ("undelivered", "nobody is subscribed to it")),
        (AckOutcome.NOBODY, True, ("sent", "")),
        (AckOutcome.DENIED, False, ("undelivered", "the broker refuses it: no")),
        (AckOutcome.BAD, False, ("undelivered", "the broker refuses it: no")),
    ],
)
def test_an_acknowledgement(told: Told, outcome: AckOutcome, retain: bool, expected: tuple[str, str]) -> None:
    told.put(0, retain=retain)
    told.send()
    assert told.telling.acknowledged(1, outcome, "no") == told.sent[0]
    assert told.outcomes == [(0, *expected)]
    assert told.telling.acknowledged(1, outcome, "no") is None


def test_a_message_that_is_too_large(told: Told) -> None:
    told.put(1000)
    told.send(largest=5)
    assert (told.sent, told.outcomes) == ([], [(1000, "undelivered", "it is larger than the broker accepts")])


def test_a_lost_connection_drops_everything(told: Told) -> None:
    told.put(0)
    told.send()
    told.put(1)
    told.telling.connection_lost()
    told.send()
    assert [one.payload for one in told.sent] == [b"0"]
    assert [(number, outcome) for number, outcome, _ in told.outcomes] == [(0, "unknown"), (1, "undelivered")]
    assert (told.telling.unanswered, told.telling.oldest_sent_at()) == ([], None)


def test_a_topic_that_is_set_aside(told: Told) -> None:
    told.telling.set_aside("a/b", inf)
    told.put(0)
    told.send()
    assert told.sent == []
    assert told.outcomes[0][1] == "undelivered"
