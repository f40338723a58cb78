"""Each command is delivered or answered, whatever happens to it."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bootstrap.bridge.commands_across import MOST_PENDING, CommandsAcross, with_expiry
from bootstrap.device import Reading, ThenTold

TOPIC = "cabin/lamp/action/set"


class Site:
    def __init__(self, *, fetched: bool = False) -> None:
        self.sent: list[tuple[str, dict[str, Any], ThenTold]] = []
        self.answers: list[dict[str, Any]] = []
        self.timers: dict[str, Callable[[], Reading | None]] = {}
        self.trouble: str | None = None
        timers = self.later, lambda name: self.timers.pop(name, None)
        self.commands = CommandsAcross(self.deliver, lambda: self.trouble, self.answer, timers, fetched=fetched)

    def later(self, _seconds: float, call: Callable[[], Reading | None], name: str) -> None:
        self.timers[name] = call

    def deliver(self, topic: str, payload: bytes, then: ThenTold) -> None:
        self.sent.append((topic, json.loads(payload), then))

    def answer(self, topic: str, payload: bytes) -> None:
        assert topic == "cabin/lamp/status/action"
        self.answers.append(json.loads(payload))

    def say(self, payload: str, *, retained: bool = False) -> None:
        self.commands.on_command(TOPIC, payload.encode(), retained=retained)

    @property
    def results(self) -> list[tuple[Any, str]]:
        return [(one["id"], one["result"]) for one in self.answers]


def moment(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("on", {"value": "on"}),
        ("21.5", {"value": 21.5}),
        ('{"state":"on","for_s":600,"id":"7"}', {"state": "on", "for_s": 600, "id": "7"}),
        ('{"value":"on","id":9}', {"value": "on", "id": 9}),
    ],
)
def test_an_expiry_is_added(said: str, value: dict[str, Any]) -> None:
    stamped = json.loads(with_expiry(said.encode()))
    left = datetime.fromisoformat(stamped.pop("before")) - datetime.now(UTC)
    assert timedelta(seconds=4) < left < timedelta(seconds=5)
    assert stamped == value


def test_an_expiry_of_its_sender_stays() -> None:
    said = json.dumps({"value": "on", "before": moment(60)}).encode()
    assert with_expiry(said) == said


def test_what_is_delivered_is_not_answered_here() -> None:
    site = Site()
    site.say('{"value":"on","id":"1"}')
    site.sent[0][2]("sent", "")
    assert (site.answers, site.timers) == ([], {})


@pytest.mark.parametrize("fetched", [False, True])
def test_what_is_not_taken_is_undelivered_once(fetched: bool) -> None:
    site = Site(fetched=fetched)
    site.say('{"value":"on","id":"1"}')
    (expired,) = site.timers.values()
    site.sent[0][2]("undelivered", "it is away")
    expired()
    assert site.results == [("1", "undelivered")]
    assert site.answers[0]["reason"] == "it is away"
    assert site.commands.undelivered == 1


def test_what_nobody_acknowledges_is_undelivered_when_it_has_expired() -> None:
    site = Site()
    site.say('{"value":"on","id":"1"}')
    (expired,) = site.timers.values()
    expired()
    site.sent[0][2]("sent", "")
    site.sent[0][2]("undelivered", "late")
    assert site.results == [("1", "undelivered")]


def test_what_was_on_its_way_when_the_connection_broke_waits_for_an_answer_until_it_has_expired() -> None:
    site = Site()
    for identity in ("1", "2"):
        site.say(json.dumps({"value": "on", "id": identity}))
    for _, _, then in site.sent:
        then("unknown", "the connection was lost")
    site.commands.on_answer("cabin/lamp", {"action": "set", "id": "2", "result": "done"})
    assert site.answers == []
    (expired,) = site.timers.values()
    expired()
    assert site.results == [("1", "undelivered")]
    assert "perhaps it was executed" in site.answers[0]["reason"]


def test_what_is_fetched_waits_for_its_own_answer() -> None:
    site = Site(fetched=True)
    for identity in ("1", "2"):
        site.say(json.dumps({"value": "on", "id": identity}))
    for _, _, then in site.sent:
        then("sent", "")
    site.commands.on_answer("cabin/other", {"action": "set", "id": "1", "result": "done"})
    site.commands.on_answer("cabin/lamp", {"action": "set", "id": "2", "result": "done"})
    (expired,) = site.timers.values()
    expired()
    assert site.results == [("1", "undelivered")]


@pytest.mark.parametrize(
    ("said", "retained", "why"),
    [
        ('{"value":"on","id":"1"}', True, "retained"),
        (json.dumps({"value": "on", "id": "1", "before": "2020-01-01T00:00:00Z"}), False, "expired"),
        ('{"value":"on","id":"1","before":"soon"}', False, "not a time"),
    ],
)
def test_what_must_not_be_executed_is_refused(said: str, retained: bool, why: str) -> None:
    site = Site()
    site.say(said, retained=retained)
    assert (site.results, site.sent) == ([("1", "refused")], [])
    assert why in site.answers[0]["reason"]


def test_trouble_and_a_crowd_are_answered_at_once() -> None:
    site = Site()
    site.trouble = "no link"
    site.say('{"value":"on","id":"1"}')
    site.trouble = None
    for _ in range(MOST_PENDING + 1):
        site.say('{"value":"on","id":"2"}')
    assert site.results == [("1", "undelivered"), ("2", "undelivered")]
