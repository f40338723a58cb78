"""The health of each measure: what is refused, what is stale, what is gone, and what the state makes of it."""

import errno
import json
import time
from collections.abc import Callable
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import zmq
from hypothesis import given
from hypothesis import strategies as st
from odd_devices import Late, Told
from world import Broker, Eyes, House, Running, Supervisor, make_outbox, retained

from bootstrap.config.model import BrokerSettings as Section
from bootstrap.contract.liveness import MISSED
from bootstrap.contract.topics import Topics
from bootstrap.device import Measure
from bootstrap.eventloop.loop import Loop
from bootstrap.eventloop.threads import Inbox, Sockets, Worker
from bootstrap.mqtt.address import BrokerAddress
from bootstrap.mqtt.link import Link
from bootstrap.outbox.message import Message
from bootstrap.outbox.outbox import Outbox
from bootstrap.runtime import sampler
from bootstrap.runtime.heartbeat import Heartbeat
from bootstrap.runtime.measure_health import AGREE, NEVER, MeasureHealth
from bootstrap.runtime.reporter import Reporter
from bootstrap.runtime.sd_notify import notify

GOOD = {"level": 5, "depth": 1.5, "word": "open"}
STATE, HEALTH, READING = "cm/told/status/state", "cm/told/status/health", "cm/told/data/reading"


class Teller:
    """A device that reads what it is told, when it is told, and all that is seen of it."""

    def __init__(self, house: House, broker: Broker, eyes: Eyes) -> None:
        self._house, self._broker, self.eyes = house, broker, eyes
        self.running: Running

    def run(self, reading: Any, every_s: float = 3600, heartbeat_s: float = 0, **env: str) -> None:
        self._house.write(self._broker.port, top=f"heartbeat_s = {heartbeat_s}")
        self._house.device("told", f'kind = "odd_devices.Told"\nfile = "told.json"\nevery_s = {every_s}\n')
        self.tell(reading)
        self.running = self._house.run("told", **env)
        self.running.wait_log("connected (")
        self.eyes.wait(lambda seen: {"online", "fault"} & {one.value for one in seen if one.topic == STATE}, "a read")

    def tell(self, reading: Any) -> None:
        """What it reads from now on."""
        file = self._house.folder / "told.json"
        file.with_suffix(".new").write_text(json.dumps(reading))
        file.with_suffix(".new").replace(file)

    def read(self, reading: Any) -> str | None:
        """Have it read this, once; returns what it says is wrong, when all that it said besides is seen."""
        self.tell(reading)
        reason = self.eyes.ask("cm/told", "read", "now")["reason"]
        self.eyes.ask("cm/told", "log", "debug")  # an answer may overtake a value, but not one of the command before
        return reason

    def health(self) -> dict[str, dict[str, Any]]:
        return retained(self._broker.port)[HEALTH]

    def wait_health(self, name: str, health: str, since: int = 0) -> dict[str, Any]:
        """Until this measure is so."""
        met = lambda seen: [one.value[name] for one in seen[since:] if one.topic == HEALTH]  # noqa: E731
        found = lambda seen: [facts for facts in met(seen) if facts["health"] == health]  # noqa: E731
        return self.eyes.wait(found, f"{name} {health}")[0]


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
    assert teller.running.logged('a measure is not well (measure=level, reason="11 V is not within 0 to 10")')


def test_after_its_value_health_and_after_that_online(teller: Teller) -> None:
    teller.run(GOOD)
    teller.read({**GOOD, "level": -1})
    since = len(teller.eyes.seen)
    teller.read({**GOOD, "level": 6})
    teller.eyes.wait_value(STATE, "online", since)
    wanted = ("cm/told/data/level", HEALTH, STATE)
    assert [one.topic for one in teller.eyes.seen[since:] if one.topic in wanted] == list(wanted)
    assert len(teller.running.logged("a measure is well again (measure=level)")) == 1


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("level", "high", "'high' is no value in V"),
        ("level", True, "True is no value in V"),
        ("level", None, "None is no value in V"),
        ("level", float("nan"), "nan V is not within 0 to 10"),
        ("depth", float("inf"), "inf m is not within -inf to inf"),
        ("depth", 10**400, f"{str(10**400)[:60]} m is not within -inf to inf"),
        ("word", 7, "7 is no value in str"),
        ("word", "\ud83c", "'\\ud83c' holds half a character"),
        ("word", ["open"], "['open'] is no value in str"),
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
        assert teller.health()["word"]["errors"] == errors
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
    assert len(teller.running.wait_log("a measure is well again (measure=level)")) == 1
    teller.eyes.wait_value(STATE, "online")


def test_a_device_absent_at_the_start_says_so_before_it_ends(house: House, broker: Broker) -> None:
    house.write(broker.port)
    house.device("odd", 'kind = "odd_devices.Odd"\nhook = "setup"\nerror = "OSError"\ndiary = "diary"\n')
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
    assert len(teller.running.logged("a measure is not well (measure=level,")) == 1
    assert not teller.running.logged("cannot read the device")


def test_a_jump_is_believed_at_the_third_reading_that_agrees(teller: Teller) -> None:
    teller.run({"depth": 1.5})
    why = "40 m is more than 2 away from 1.5, the value before"
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
    beats = lambda seen: [one.value for one in seen if one.topic.endswith("heartbeat")]  # noqa: E731
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
    beats = lambda seen: [one for one in seen if one.topic.endswith("heartbeat")]  # noqa: E731
    count = len(beats(teller.eyes.seen))
    teller.eyes.wait(lambda seen: beats(seen)[count + 3 :], "heartbeats")
    said = len(teller.eyes.on(HEALTH))
    assert said <= 2
    assert teller.read(GOOD) is None
    teller.eyes.wait(lambda _: len(teller.eyes.on(HEALTH)) == said + 1, "the new time")
    times = [one.value["level"]["last_good"] for one in teller.eyes.on(HEALTH)]
    assert times[-1] == teller.eyes.on(READING)[-1].value["time"]


# Troubles that are none of the device's.


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    return make_outbox(tmp_path)


class Deaf:
    """Who is told nothing by a link that was never begun."""

    def on_connected(self) -> None: ...
    def on_disconnected(self, why: str) -> None: ...
    def on_message(self, topic: str, payload: bytes, *, retained: bool) -> None: ...
    def on_denied(self, topic: str, why: str | None) -> None: ...


@pytest.fixture
def reporter(outbox: Outbox) -> Any:
    """With a link that was never begun, so that what is said stays in the outbox."""
    topics, device = Topics("cm", "told"), Told()
    with ExitStack() as stack:
        sockets = Sockets()
        stack.callback(sockets.end)
        inbox = Inbox(sockets)
        stack.callback(inbox.close)
        worker = Worker(inbox)
        stack.callback(worker.close)
        address = BrokerAddress(Path(), Section(host="127.0.0.1"), topics)
        link = Link(Loop(), worker, address, outbox, Deaf())
        tell = lambda: notify(f"X_STATE={reporter.state}", f"X_WHY={reporter.why}")  # noqa: E731
        reporter = Reporter(topics, outbox, link, device, tell)
        reporter.begin("run")
        reporter.publish_about({"kind": "told"})
        Heartbeat(Loop(), topics, outbox, reporter.heartbeat_facts, tell).publish()
        reporter.publish_health()
        yield reporter


def said(outbox: Outbox) -> list[Message]:
    """What is due, as a connection would be sent it."""
    sent: list[Message] = []
    outbox.renew(time.monotonic())
    outbox.send(lambda message: sent.append(message) or len(sent), time.monotonic())
    return sent


def test_a_trouble_is_a_fault_until_it_is_over(reporter: Reporter, supervisor: Supervisor, monkeypatch: Any) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", supervisor.address)
    reporter.set_trouble("data/level", "the broker refuses it")
    assert reporter.state == "fault"
    supervisor.wait("X_WHY=data/level: the broker refuses it")
    reporter.set_trouble("data/level", None)
    assert reporter.state == "starting"
    good, refused = reporter.validate({**GOOD, "level": 11})
    reporter.publish_measured(good, refused, whole=True)
    reporter.set_trouble("the clock", "it is unsure")
    supervisor.wait("X_WHY=level: 11 V is not within 0 to 10; the clock: it is unsure")
    good, refused = reporter.validate(GOOD)
    reporter.publish_measured(good, refused, whole=True)
    assert reporter.state == "fault"
    supervisor.wait("X_WHY=the clock: it is unsure")
    reporter.set_trouble("the clock", None)
    assert reporter.state == "online"


def test_a_trouble_after_the_last_word_changes_nothing(reporter: Reporter, outbox: Outbox) -> None:
    reporter.publish_state("stopped")
    reporter.set_trouble("data/level", "the broker refuses it")
    assert [one.payload for one in said(outbox) if one.topic == STATE] == [b"stopped"]


def test_without_heartbeats_health_is_born_all_the_same(reporter: Reporter, outbox: Outbox) -> None:
    good, refused = reporter.validate({"level": 5})
    reporter.publish_measured(good, refused, whole=True)
    told = {one.topic.rpartition("/")[2]: one.payload for one in said(outbox)}
    assert [*told] == ["state", "about", "heartbeat", "health", "level", "reading"]
    assert told["heartbeat"] == b""  # one of an earlier run would look like that of a dead sensor


def test_words_of_a_device_that_no_topic_can_hold_are_told_all_the_same(reporter: Reporter, outbox: Outbox) -> None:
    reporter.publish_failure(OSError(errno.EIO, "\udcff" * 1000))
    health = next(json.loads(one.payload) for one in said(outbox) if one.topic == HEALTH)
    assert health["level"]["why"].startswith("[Errno 5] ???")
    assert len(health["level"]["why"]) == 200


@pytest.fixture
def sampled(reporter: Reporter, tmp_path: Path, monkeypatch: Any) -> Callable[[Any], Loop]:
    """A loop in which a device reads this, once an hour if nothing makes haste."""
    monkeypatch.setattr(sampler, "FIRST_RETRY_S", 0.01)

    def start(reading: Any) -> Loop:
        loop, file = Loop(), tmp_path / "told.json"
        file.write_text(json.dumps(reading))
        sampler.Sampler(loop, Told(file=file), reporter, lambda: None).start()
        return loop

    return start


@pytest.mark.parametrize("reading", [{"level": 11}, {**GOOD, "level": 11}, errno.EIO])
def test_a_failed_read_is_tried_again_soon(
    sampled: Callable[[Any], Loop], reporter: Reporter, reading: dict[str, Any] | int
) -> None:
    assert sampled(reading).run(lambda: reporter.reads == 5, 15)
    assert reporter.state == "fault"


def test_a_trouble_makes_no_haste(sampled: Callable[[Any], Loop], reporter: Reporter) -> None:
    reporter.set_trouble("the clock", "it is unsure")
    assert not sampled(GOOD).run(lambda: reporter.reads > 1, 0.3)
    assert (reporter.state, reporter.reads) == ("fault", 1)


def test_a_late_read_keeps_step_and_makes_nothing_up(reporter: Reporter, monkeypatch: Any) -> None:
    """On a machine where time passes only while somebody waits."""
    now, steps = [1000.0], []

    def pass_by(seconds: float) -> list[Any]:
        now[0] += seconds
        return []

    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(time, "sleep", pass_by)
    monkeypatch.setattr(zmq.Poller, "poll", lambda _self, patience_ms: pass_by(patience_ms / 1000))
    loop, device = Loop(), Late()
    reporter.use_device(device)
    sampler.Sampler(loop, device, reporter, lambda: steps.append((now[0] - 1000) / device.every_s)).start()
    loop.run(lambda: len(steps) == 8)
    assert steps == pytest.approx([0, 1, 5.5, 6, 7, 8, 9, 10], abs=0.02)


# The rule of steps, by itself.

Take = Callable[[float, float], bool]


@pytest.fixture(scope="module")
def scale() -> Callable[[], tuple[MeasureHealth, Take]]:
    def make() -> tuple[MeasureHealth, Take]:
        health = MeasureHealth(Told(file=Path(), every_s=10), 0)

        def take(depth: float, now: float) -> bool:
            """Whether the value is published."""
            refused = health.validate({"depth": depth}, now)
            health.record_invalid(refused)
            if not refused:
                health.record_good({"depth": depth}, "now", now)
            return not refused

        return health, take

    return make


@given(values=st.lists(st.sampled_from([0, 1, 2, 3, 4.5, 9, 10, 11, 30]), min_size=1, max_size=40))
def test_a_step_is_refused_only_with_reason_and_never_for_ever(
    scale: Callable[[], tuple[MeasureHealth, Take]], values: list[float]
) -> None:
    health, take = scale()
    near = lambda one, other: abs(one - other) <= 2  # noqa: E731
    taken = [take(value, float(now)) for now, value in enumerate(values)]
    last = values[0]
    for index, (value, good) in enumerate(zip(values, taken, strict=True)):
        before = values[max(0, index - AGREE + 1) : index + 1]
        in_a_row = len(before) == AGREE and all(near(*pair) for pair in pairwise(before))
        refused_before = not any(taken[max(0, index - AGREE + 1) : index])
        assert good == (near(value, last) or (in_a_row and refused_before))
        last = value if good else last
    assert health.invalid == taken.count(False)


def test_after_a_long_silence_anything_is_believed(scale: Callable[[], tuple[MeasureHealth, Take]]) -> None:
    health, take = scale()
    patience_s = MISSED * 10
    assert take(0, 1)
    health.record_failure("no answer", absent=False)
    assert not take(50, patience_s)
    assert take(1, patience_s + 1)
    health.record_failure("no answer", absent=False)
    assert take(50, 2 * patience_s + 1)


@pytest.mark.parametrize("step", [0, -1, float("nan")])
def test_a_step_of_nothing_is_a_mistake(step: float) -> None:
    with pytest.raises(ValueError, match="step must be above 0"):
        Measure("V", step=step)
