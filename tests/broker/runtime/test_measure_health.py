"""The health of each measure: what is refused, what is stale, what is gone, and what the state makes of it."""

import errno
from functools import partial
from typing import Any

import pytest

from bootstrap.runtime.measure_health import NEVER
from support.teller import GOOD, HEALTH, READING, STATE, Teller
from support.world import Broker, Eyes, House, Supervisor, Wanted, eventually, retained


@pytest.fixture
def teller(house: House, broker: Broker, eyes: Eyes) -> Teller:
    return Teller(house, broker, eyes)


# On the wire.


def test_a_bad_value_is_refused_alone(teller: Teller) -> None:
    teller.run(GOOD)
    assert teller.read({**GOOD, "level": 11, "word": "shut"}) == "11 V is not within 0 to 10"
    teller.eyes.wait_value("cm/told/data/word", "shut")
    record = teller.eyes.on(READING)[-1].value
    assert (record["seq"], record["word"], record["depth"], "level" in record) == (2, "shut", 1.5, False)
    assert {one.value for one in teller.eyes.on("cm/told/data/level")} == {5}
    teller.eyes.wait_value(STATE, "fault")
    health = teller.health()
    assert health["word"] | {"since": ""} == {
        "health": "ok",
        "since": "",
        "why": None,
        "errors": 0,
        "last_good": record["time"],
    }
    level = health["level"]
    assert (level["health"], level["why"], level["errors"]) == ("failing", "11 V is not within 0 to 10", 1)
    assert level["last_good"] == teller.eyes.on(READING)[0].value["time"] < level["since"]
    assert teller.running.logged('a measure has a problem (measure=level, reason="11 V is not within 0 to 10")')


def test_limits_of_the_owner_are_those_on_the_wire(teller: Teller) -> None:
    teller.run(GOOD, limits="[level]\nlow = 2\nhigh = 8\n[depth]\nstep = 1\n")
    about: Wanted = lambda seen: [one.value for one in seen if one.topic == "cm/told/status/about"]  # noqa: E731
    measures = teller.eyes.wait(about, "what it measures")[0]["measures"]
    assert measures["level"] | {"every_s": 0} == {"unit": "V", "low": 2, "high": 8, "every_s": 0}
    assert measures["depth"] | {"every_s": 0} == {"unit": "m", "step": 1, "every_s": 0}
    assert teller.read({"level": 1}) == "1 V is not within 2 to 8"
    assert teller.read({"level": 9}) == "9 V is not within 2 to 8"
    assert teller.read({"depth": 3}) == "3 m is more than 1 away from the last good value, 1.5"
    assert teller.read({"level": 8, "depth": 2.5}) is None
    teller.eyes.wait_value("cm/told/data/depth", 2.5)
    assert {one.value for one in teller.eyes.on("cm/told/data/level")} == {5, 8}


def test_after_its_value_health_and_after_that_online(teller: Teller) -> None:
    teller.run(GOOD)
    teller.read({**GOOD, "level": -1})
    since = len(teller.eyes.seen)
    teller.read({**GOOD, "level": 6})
    teller.eyes.wait_value(STATE, "online", since)
    wanted = ("cm/told/data/level", HEALTH, STATE)
    assert [one.topic for one in teller.eyes.seen[since:] if one.topic in wanted] == list(wanted)
    assert len(teller.running.logged("a measure has recovered (measure=level)")) == 1


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("level", "high", "'high' is not a value in V"),
        ("level", True, "True is not a value in V"),
        ("level", None, "None is not a value in V"),
        ("level", float("nan"), "nan V is not within 0 to 10"),
        ("depth", float("inf"), "inf m is not within -inf to inf"),
        ("depth", 10**400, f"{str(10**400)[:60]} m is not within -inf to inf"),
        ("word", 7, "7 is not a value in str"),
        ("word", "\ud83c", "'\\ud83c' contains half a surrogate pair"),
        ("word", ["open"], "['open'] is not a value in str"),
        ("clicks", 0, "0 1 is not within 1 to inf"),
    ],
    ids=lambda given: ascii(given)[:20],
)
def test_what_is_no_value_is_never_published_and_no_bug(teller: Teller, name: str, value: Any, why: str) -> None:
    teller.run({name: value})
    teller.eyes.wait_value(STATE, "fault")
    assert teller.read({name: value}) == why
    facts = teller.health()[name]
    assert (facts["health"], facts["why"], facts["last_good"]) == ("failing", why, None)
    assert not [one for one in teller.eyes.seen if "/data/" in one.topic]
    assert teller.read(GOOD) is None
    teller.eyes.wait_value(STATE, "online")
    reading = teller.eyes.wait(lambda seen: [one.value for one in seen if one.topic == READING], "a reading")[0]
    assert reading["seq"] == 1


@pytest.mark.parametrize(
    ("number", "health"), [("ENOENT", "absent"), ("ENODEV", "absent"), ("ENXIO", "absent"), ("EIO", "failing")]
)
def test_a_device_that_is_gone_is_told_from_one_that_fails(
    teller: Teller, supervisor: Supervisor, number: str, health: str
) -> None:
    teller.run(GOOD, NOTIFY_SOCKET=supervisor.address)
    code = getattr(errno, number)
    for errors in (1, 2):
        why = teller.read(code)
        facts = teller.wait_health("level", health)
        assert facts["why"] == why
        told = partial(lambda wanted: teller.health()["word"]["errors"] == wanted, errors)
        eventually(told, "the count of its failures, which waits until the last one is acknowledged")
    supervisor.wait(f"X_WHY=level, depth, word, clicks: {why}")
    assert len(teller.running.logged("cannot read the device (")) == 1
    teller.read(GOOD)
    assert {facts["health"] for facts in teller.health().values()} == {"ok"}
    assert len(teller.running.logged("reading again")) == 1
    supervisor.wait("X_WHY=")


def test_a_device_that_reads_again_but_for_one_value(teller: Teller) -> None:
    teller.run(GOOD)
    teller.read(errno.EIO)
    teller.read({**GOOD, "level": 11})
    assert teller.running.wait_log('reading again (but="level: 11 V is not within 0 to 10")')
    assert teller.read(GOOD) is None
    assert len(teller.running.wait_log("a measure has recovered (measure=level)")) == 1
    teller.eyes.wait_value(STATE, "online")


def test_a_device_absent_at_the_start_says_so_before_it_ends(house: House, broker: Broker) -> None:
    house.write(broker.port)
    house.device("odd", 'kind = "support.odd_devices.Odd"\nhook = "setup"\nerror = "OSError"\ndiary = "diary"\n')
    running = house.run("odd")
    assert running.wait() == 1
    held = retained(broker.port)
    assert held["cm/odd/status/state"] == "fault"
    health = held["cm/odd/status/health"]
    assert {name: (facts["health"], facts["why"]) for name, facts in health.items()} == dict.fromkeys(
        ("level", "word", "flag"), ("absent", "odd")
    )
    assert not running.logged("cannot read")


def test_what_is_silent_is_stale_what_never_spoke_is_absent_and_events_may_be_rare(teller: Teller) -> None:
    teller.run({"level": 5, "clicks": 1}, every_s=0.1)
    teller.wait_health("word", "absent")
    health = teller.health()
    assert (health["word"]["why"], health["word"]["errors"]) == (NEVER, 0)
    assert {one.value for one in teller.eyes.on(STATE)} <= {"starting", "online"}
    teller.tell(None)
    facts = teller.wait_health("level", "stale")
    assert facts["why"] == "no value for more than 0.3 s"
    teller.eyes.wait_value(STATE, "fault")
    assert teller.health()["clicks"]["health"] == "ok"
    since = len(teller.eyes.seen)
    teller.tell(GOOD)
    teller.eyes.wait_value(STATE, "online", since)
    teller.wait_health("word", "ok", since)
    assert len(teller.running.logged("a measure has a problem (measure=level,")) == 1
    assert not teller.running.logged("cannot read the device")


def test_a_jump_is_believed_at_the_third_reading_that_agrees(teller: Teller) -> None:
    teller.run({"depth": 1.5})
    why = "40 m is more than 2 away from the last good value, 1.5"
    assert teller.read({"depth": 40}) == why
    assert teller.health()["depth"]["why"] == why
    assert teller.read({"depth": 41.5}) is not None
    assert teller.read({"depth": 40.5}) is None
    teller.eyes.wait_value("cm/told/data/depth", 40.5)
    assert teller.read({"depth": 42}) is None
    assert [one.value["depth"] for one in teller.eyes.on(READING)] == [1.5, 40.5, 42]
    assert teller.eyes.on("cm/told/status/about")[0].value["measures"]["depth"]["step"] == 2


def test_what_an_action_brings_is_refused_and_counted_and_no_fault(teller: Teller) -> None:
    teller.run(GOOD, heartbeat_s=0.2)
    assert teller.eyes.ask("cm/told", "set", "11")["reason"] == "11 V is not within 0 to 10"
    beats: Wanted = lambda seen: [one.value for one in seen if one.topic.endswith("heartbeat")]  # noqa: E731
    beat = teller.eyes.wait(lambda seen: [one for one in beats(seen) if one["invalid"]], "a heartbeat")[0]
    assert (beat["invalid"], beat["faults"]) == (1, 0)
    assert teller.health()["level"]["health"] == "ok"
    assert teller.eyes.on(STATE)[-1].value == "online"


def test_nothing_new_is_not_said_again(teller: Teller) -> None:
    teller.run(GOOD, every_s=0.1)
    teller.eyes.wait(lambda seen: [one for one in seen if one.topic == READING][8:], "readings")
    assert len(teller.eyes.on(HEALTH)) == 1  # however long there is no click


def test_last_good_comes_with_the_heartbeat_if_it_is_another(teller: Teller) -> None:
    teller.run(GOOD, heartbeat_s=0.2)
    beats: Wanted = lambda seen: [one for one in seen if one.topic.endswith("heartbeat")]  # noqa: E731
    count = len(beats(teller.eyes.seen))
    teller.eyes.wait(lambda seen: beats(seen)[count + 3 :], "heartbeats")
    said = len(teller.eyes.on(HEALTH))
    assert said <= 2
    assert teller.read(GOOD) is None
    teller.eyes.wait(lambda _: len(teller.eyes.on(HEALTH)) == said + 1, "the new time")
    times = [one.value["level"]["last_good"] for one in teller.eyes.on(HEALTH)]
    assert times[-1] == teller.eyes.on(READING)[-1].value["time"]
