"""Of each topic the newest is told, and few at a time."""

import logging
from typing import TYPE_CHECKING

import pytest

from bootstrap.bridge.newest_told import MOST_FLYING, NewestTold

if TYPE_CHECKING:
    from bootstrap.device import ThenTold


class Broker:
    def __init__(self) -> None:
        self.taken: list[tuple[str, bytes, ThenTold]] = []
        self.acknowledged: list[tuple[str, bytes]] = []
        self.told = NewestTold(lambda *what: self.taken.append(what))
        self.told.acknowledged = lambda *what: self.acknowledged.append(what)

    def answer(self, outcome: str = "sent", why: str = "") -> None:
        self.taken.pop(0)[2](outcome, why)  # type: ignore[arg-type]


def test_one_that_was_overtaken_is_never_sent() -> None:
    broker = Broker()
    for payload in (b"1", b"2", b"3"):
        broker.told.put("a", payload)
    assert [payload for _, payload, _ in broker.taken] == [b"1"]
    broker.answer()
    assert [payload for _, payload, _ in broker.taken] == [b"3"]
    broker.answer()
    assert broker.acknowledged == [("a", b"1"), ("a", b"3")]
    assert not broker.told.holds("a")


def test_few_at_a_time() -> None:
    broker = Broker()
    for number in range(2 * MOST_FLYING):
        broker.told.put(str(number), b"")
    assert len(broker.taken) == MOST_FLYING
    while broker.taken:
        broker.answer()
    assert len(broker.acknowledged) == 2 * MOST_FLYING


def test_what_is_not_delivered_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    broker = Broker()
    with caplog.at_level(logging.WARNING):
        for topic in ("a", "b"):
            broker.told.put(topic, b"1")
            broker.answer("undelivered", "it is away")
    assert (caplog.text.count("cannot be told"), broker.acknowledged) == (1, [])
