"""What is reported of a sensor, and of troubles that are not the device's."""

import errno
import json
import re
import time
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bootstrap.contract.timestamps import parse
from bootstrap.contract.topics import State, Topics
from bootstrap.device import Reading
from bootstrap.eventloop.loop import Loop
from bootstrap.outbox.message import Message
from bootstrap.outbox.outbox import Outbox
from bootstrap.runtime.heartbeat import Heartbeat
from bootstrap.runtime.reporter import Reporter
from support.world import Supervisor

GOOD: Reading = {"level": 5, "depth": 1.5, "word": "open"}
STATE, HEALTH, READING = "cm/told/status/state", "cm/told/status/health", "cm/told/data/reading"


def said(outbox: Outbox) -> list[Message]:
    """What is due, as a connection would be sent it."""
    sent: list[Message] = []
    outbox.connection_lost(time.monotonic())

    def send(message: Message) -> int:
        sent.append(message)
        return len(sent)

    outbox.send(send, time.monotonic())
    return sent


def state(reporter: Reporter) -> State:
    """What it is now, whatever it was a line before."""
    return reporter.state


def test_a_trouble_is_a_fault_until_it_is_over(reporter: Reporter, supervisor: Supervisor, monkeypatch: Any) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", supervisor.address)
    reporter.set_problem("data/level", "the broker refuses it")
    assert state(reporter) == "fault"
    supervisor.wait("X_WHY=data/level: the broker refuses it")
    reporter.set_problem("data/level", None)
    assert state(reporter) == "starting"
    reporter.publish_measured(reporter.judge({**GOOD, "level": 11}), whole=True)
    reporter.set_problem("the clock", "it is unsure")
    supervisor.wait("X_WHY=level: 11 V is not within 0 to 10; the clock: it is unsure")
    reporter.publish_measured(reporter.judge(GOOD), whole=True)
    assert state(reporter) == "fault"
    supervisor.wait("X_WHY=the clock: it is unsure")
    reporter.set_problem("the clock", None)
    assert state(reporter) == "online"


def test_a_zero_has_no_sign(reporter: Reporter, outbox: Outbox) -> None:
    reporter.publish_measured(reporter.judge({**GOOD, "depth": -0.0}), whole=True)
    sent = {message.topic: message.payload for message in said(outbox)}
    assert b'"depth":0.0,' in sent[READING]
    assert sent["cm/told/data/depth"] == b"0.0"


def test_an_error_in_place_of_a_value_costs_no_other_and_is_logged_once(
    reporter: Reporter, outbox: Outbox, caplog: pytest.LogCaptureFixture
) -> None:
    broken: Reading = {**GOOD, "depth": OSError(errno.EINVAL, "Invalid argument")}
    for _ in range(2):
        reporter.publish_measured(reporter.judge(broken), whole=True)
    told = said(outbox)
    readings = [json.loads(one.payload) for one in told if one.topic == READING]
    assert [(one["level"], one["word"], "depth" in one) for one in readings] == 2 * [(5, "open", False)]
    health = [json.loads(one.payload) for one in told if one.topic == HEALTH][-1]
    assert (health["depth"]["health"], health["depth"]["why"]) == ("failing", "[Errno 22] Invalid argument")
    assert (health["level"]["health"], state(reporter)) == ("ok", "fault")
    assert reporter.heartbeat_facts()["invalid"] == 2
    assert caplog.text.count("a measure has a problem") == 1


def test_a_trouble_after_the_last_word_changes_nothing(reporter: Reporter, outbox: Outbox) -> None:
    reporter.publish_state("stopped")
    reporter.set_problem("data/level", "the broker refuses it")
    assert [one.payload for one in said(outbox) if one.topic == STATE] == [b"stopped"]


def test_without_heartbeats_health_is_born_all_the_same(reporter: Reporter, outbox: Outbox) -> None:
    reporter.publish_measured(reporter.judge({"level": 5}), whole=True)
    told = {one.topic.rpartition("/")[2]: one.payload for one in said(outbox)}
    assert [*told] == ["state", "about", "heartbeat", "health", "level", "reading"]
    assert told["heartbeat"] == b""  # one of an earlier run would look like that of a dead sensor


def test_words_of_a_device_that_no_topic_can_hold_are_told_all_the_same(reporter: Reporter, outbox: Outbox) -> None:
    reporter.publish_failure(OSError(errno.EIO, "\udcff" * 1000))
    health = next(json.loads(one.payload) for one in said(outbox) if one.topic == HEALTH)
    assert health["level"]["why"].startswith("[Errno 5] ???")
    assert len(health["level"]["why"]) == 200


def test_a_clock_that_is_set_back_for_good_begins_a_run_in_the_same_process(
    reporter: Reporter, outbox: Outbox, monkeypatch: Any
) -> None:
    """Heartbeats name it, and no run of its own is taken for another process of the same sensor."""
    ahead_s = [9 * 365 * 86_400]
    true_ns = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: true_ns() + ahead_s[0] * 10**9)
    heartbeat = Heartbeat(Loop(), Topics("cm", "told"), outbox, dict, lambda: None)
    heartbeat.period_s = 60
    for _ in range(2):
        reporter.publish_reading({"level": 5})
    heartbeat.publish()
    before = beat(outbox)
    ahead_s[0] = 0
    for _ in range(2):
        reporter.publish_reading({"level": 5})
    heartbeat.publish()
    readings = [json.loads(one.payload) for one in said(outbox) if one.topic == READING]
    runs = [one["run"] for one in readings]
    assert (runs[0] == runs[1], runs[2] == runs[3], runs[0] == runs[2]) == (True, True, False)
    assert [one["seq"] for one in readings] == [1, 2, 1, 2]
    times = [parse(one["time"]).timestamp() for one in readings]
    assert times == pytest.approx([time.time() + ahead for ahead in (283_824_000, 283_824_000, 0, 0)], abs=3600)
    assert [json.loads(one)["run"] for one in (before, beat(outbox))] == [runs[0], runs[2]]
    assert [heartbeat.twins.on_heartbeat(one) for one in (before, beat(outbox))] == [None, None]
    assert heartbeat.twins.silent_s() == 0


def beat(outbox: Outbox) -> bytes:
    """The newest heartbeat."""
    return next(one.payload for one in said(outbox) if one.topic == "cm/told/status/heartbeat")


@pytest.mark.usefixtures("berlin")
def test_the_status_has_the_time_of_the_clock_on_the_wall_and_the_heartbeat_that_of_the_wire(
    reporter: Reporter, outbox: Outbox
) -> None:
    reporter.publish_measured(reporter.judge(GOOD), whole=True)
    stamp = json.loads(next(one.payload for one in said(outbox) if one.topic == READING))["time"]
    wall = parse(stamp).astimezone(ZoneInfo("Europe/Berlin"))
    assert f"last reading {wall:%Y-%m-%d %H:%M:%S}" in reporter.status
    reporter.set_broker("it is away")
    assert re.search(r"no broker since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d: it is away", reporter.status)
