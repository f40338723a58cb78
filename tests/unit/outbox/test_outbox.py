"""The outbox against a broker that acknowledges when it likes, refuses, and hangs up at any moment."""

import json
import tempfile
from pathlib import Path
from shutil import rmtree

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from bootstrap.contract.recording_word import recording_word
from bootstrap.outbox.backlog import WELL_S
from bootstrap.outbox.message import AckOutcome, Message, ack_outcome
from bootstrap.outbox.outbox import DENIED_S, LATER_S, LONG, NOBODY_S, SOON_S, SPARE, TRIES, WINDOW
from support.world import DRAIN_RATE, make_outbox

LIMIT = 30


@pytest.fixture(autouse=True)
def _disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


class Wire:
    """Both ends of one outbox: what was sent, and the broker's retained store."""

    def __init__(self, limit: int = LIMIT, *, recorded: bool = False) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.limit, self.recorded = limit, recorded
        self.start()
        self.flying: dict[int, Message] = {}
        self.sent: list[Message] = []
        self.now = 0.0
        self._ids = 0

    def start(self) -> None:
        """A new run, with what the one before has left on disk."""
        self.outbox = make_outbox(self.folder, self.limit, recorded=self.recorded)
        self.record()

    def record(self) -> None:
        """A recorder says that it records."""
        self.outbox.recorders.note("cm/recorder/status/recording", recording_word("+", recording=True))

    def close(self) -> None:
        rmtree(self.folder)

    def publish(self, message: Message) -> int:
        self._ids += 1
        self.flying[self._ids] = message
        self.sent.append(message)
        return self._ids

    def send(self) -> None:
        self.outbox.send(self.publish, self.now)

    def answer(self, position: int = 0, ack_outcome: AckOutcome = AckOutcome.DELIVERED) -> Message:
        number = list(self.flying)[position]
        assert self.outbox.acknowledged(number, ack_outcome, "because", self.now) == self.flying[number]
        return self.flying.pop(number)

    def hang_up(self) -> None:
        self.flying.clear()
        self.outbox.connection_lost(self.now)
        self.record()


class Model(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.wire = Wire()
        self.count = self.dropped_before = 0
        self.newest: dict[str, bytes] = {}
        self.retained: dict[str, bytes] = {}
        self.put_at: dict[int, float] = {}
        self.delivered: set[int] = set()
        self.may_be_lost: set[int] = set()

    @initialize(recorded=st.booleans())
    def begin(self, *, recorded: bool) -> None:
        self.wire.close()
        self.wire = Wire(recorded=recorded)

    @property
    def dropped(self) -> int:
        return self.dropped_before + self.wire.outbox.dropped

    @property
    def missing(self) -> set[int]:
        return self.put_at.keys() - self.delivered

    @rule(topic=st.sampled_from("abc"))
    def put_state(self, topic: str) -> None:
        self.count += 1
        self.newest[topic] = b"%d" % self.count
        self.wire.outbox.put_state(topic, self.newest[topic])

    @rule(times=st.integers(1, 20))
    def put_history(self, times: int) -> None:
        for _ in range(times):
            self.count += 1
            self.put_at[self.count] = self.wire.now
            self.wire.outbox.put_history("h", b"%d" % self.count, self.wire.now)

    @rule()
    def put_once(self) -> None:
        self.count += 1
        self.wire.outbox.put_once("w", b"%d" % self.count)

    @rule(seconds=st.floats(0, 3))
    def send(self, seconds: float) -> None:
        self.wire.now += seconds
        self.wire.outbox.history.flush(self.wire.now)
        before = len(self.wire.sent)
        flown = {int(message.payload) for message in self.wire.flying.values()}
        self.wire.send()
        for message in self.wire.sent[before:]:
            if message.retain:
                self.retained[message.topic] = message.payload
            elif message.topic == "h":
                self.in_order(int(message.payload), flown)

    def in_order(self, number: int, flown: set[int]) -> None:
        """Nothing older waits, but what was dropped."""
        older = {other for other in self.missing - self.may_be_lost - flown if other < number}
        assert len(older) <= self.dropped
        flown.add(number)

    @precondition(lambda self: self.wire.flying)
    @rule(data=st.data())
    def answer(self, data: st.DataObject) -> None:
        message = self.wire.answer(data.draw(st.integers(0, len(self.wire.flying) - 1)))
        if message.topic == "h":
            self.delivered.add(int(message.payload))

    @precondition(lambda self: self.wire.flying)
    @rule(data=st.data(), verdict=st.sampled_from([AckOutcome.DENIED, AckOutcome.NOBODY]))
    def refuse(self, data: st.DataObject, verdict: AckOutcome) -> None:
        position = data.draw(st.integers(0, len(self.wire.flying) - 1))
        message = [*self.wire.flying.values()][position]
        if verdict is AckOutcome.NOBODY or message.topic != "w":
            self.wire.answer(position, verdict)
        if verdict is AckOutcome.NOBODY and message.topic == "h" and not self.wire.recorded:
            self.delivered.add(int(message.payload))

    @rule()
    def hang_up(self) -> None:
        self.wire.hang_up()

    @rule(killed=st.booleans())
    def new_run(self, *, killed: bool) -> None:
        """A kill takes only what is younger than two seconds, a stop takes nothing of the history."""
        history = self.wire.outbox.history
        history.flush(self.wire.now)
        if killed:
            self.may_be_lost |= {number for number in self.missing if self.wire.now - self.put_at[number] < WELL_S}
        else:
            history.close()
        self.dropped_before = self.dropped
        self.wire.flying.clear()
        self.wire.start()
        for topic, payload in self.newest.items():
            self.wire.outbox.put_state(topic, payload)

    @invariant()
    def the_window_holds(self) -> None:
        flying = self.wire.flying.values()
        assert len(flying) <= WINDOW
        assert sum(message.topic == "h" for message in flying) <= WINDOW - SPARE

    @invariant()
    def at_most_one_unacknowledged_value_per_topic(self) -> None:
        topics = [message.topic for message in self.wire.flying.values() if message.retain]
        assert len(topics) == len(set(topics))

    @invariant()
    def what_waited_two_seconds_is_on_disk(self) -> None:
        history = self.wire.outbox.history
        history.flush(self.wire.now)
        old = [number for number in self.missing - self.may_be_lost if self.wire.now - self.put_at[number] >= WELL_S]
        assert history.on_disk >= len(old) - self.dropped

    def teardown(self) -> None:
        """Left in peace, everything arrives: the newest of each topic, and all history but what was counted dropped."""
        for _ in range(200):
            self.send(DENIED_S)
            while self.wire.flying:
                message = self.wire.answer()
                if message.topic == "h":
                    self.delivered.add(int(message.payload))
        self.wire.outbox.history.close()
        assert self.retained == self.newest
        assert self.wire.outbox.state_settled
        assert self.wire.outbox.queued == 0
        assert len(self.missing - self.may_be_lost) <= self.dropped
        assert [*self.wire.folder.iterdir()] == []
        self.wire.close()


Model.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestModel = Model.TestCase


def payloads(messages: list[Message]) -> list[bytes]:
    return [message.payload for message in messages]


def test_state_first_then_words_then_history_in_order() -> None:
    wire = Wire()
    wire.outbox.put_history("h", b"1", wire.now)
    wire.outbox.put_history("h", b"2", wire.now)
    wire.outbox.put_once("w", b"answer")
    wire.outbox.put_state("s", b"on")
    wire.send()
    assert payloads(wire.sent) == [b"on", b"answer", b"1", b"2"]
    assert [message.retain for message in wire.sent] == [True, False, False, False]


def test_a_waiting_value_is_replaced_not_queued() -> None:
    wire = Wire()
    for number in range(5):
        wire.outbox.put_state("s", b"%d" % number)
        wire.send()
    assert payloads(wire.sent) == [b"0"]
    wire.answer()
    wire.send()
    assert payloads(wire.sent) == [b"0", b"4"]


def test_a_long_value_is_the_same_on_each_connection() -> None:
    wire, long = Wire(), b'{"cmps":"' + b"abc" * LONG + b'"}'
    wire.outbox.put_state("long", long)
    wire.outbox.put_state("short", b"1")
    assert (wire.outbox.state("long"), wire.outbox.state("short"), wire.outbox.state("none")) == (long, b"1", b"")
    for _ in range(2):
        wire.send()
        wire.hang_up()
    assert payloads(wire.sent) == [long, b"1"] * 2


def test_after_a_lost_connection_history_goes_on_where_it_was_not_acknowledged() -> None:
    wire = Wire(100)
    for number in range(40):
        wire.outbox.put_history("h", b"%d" % number, wire.now)
    wire.send()
    wire.answer(0)
    wire.answer(4)  # number 5
    wire.hang_up()
    wire.sent.clear()
    for _ in range(40):
        wire.now += 1
        wire.send()
        while wire.flying:
            wire.answer()
    assert payloads(wire.sent) == [b"%d" % number for number in range(40) if number not in {0, 5}]


def test_the_order_of_birth_survives_the_connection() -> None:
    wire = Wire()
    for topic in ("state", "about", "heartbeat", "temperature"):
        wire.outbox.put_state(topic, b"1")
    wire.send()
    wire.hang_up()
    wire.outbox.put_state("temperature", b"2")
    wire.outbox.put_state("heartbeat", b"2")
    wire.sent.clear()
    wire.send()
    assert [message.topic for message in wire.sent] == ["state", "about", "heartbeat", "temperature"]
    assert payloads(wire.sent) == [b"1", b"1", b"2", b"2"]


def test_beyond_the_limit_the_oldest_is_dropped_and_counted() -> None:
    wire = Wire(10)
    for number in range(15):
        wire.outbox.put_history("h", b"%d" % number, wire.now)
    assert (wire.outbox.dropped, wire.outbox.queued) == (5, 10)
    wire.send()
    assert payloads(wire.sent)[0] == b"5"


def test_what_is_in_flight_counts_against_the_limit_when_it_comes_back() -> None:
    wire = Wire(10)
    for number in range(10):
        wire.outbox.put_history("h", b"%d" % number, wire.now)
    wire.send()
    for number in range(10, 15):
        wire.outbox.put_history("h", b"%d" % number, wire.now)
    wire.hang_up()
    assert (wire.outbox.dropped, wire.outbox.queued) == (5, 10)
    wire.sent.clear()
    wire.send()
    assert payloads(wire.sent)[0] == b"5"


def test_what_is_refused_for_good_is_kept_for_somebody_to_look_at() -> None:
    wire = Wire()
    wire.outbox.put_history("h", b"1", wire.now)
    wire.outbox.put_state("s", b"2")
    wire.send()
    wire.answer(0, AckOutcome.BAD)
    wire.answer(0, AckOutcome.BAD)
    assert (wire.outbox.dropped, wire.outbox.queued, wire.outbox.state_settled) == (2, 0, True)
    letters = [json.loads(line) for line in (wire.folder / "dead_letters.jsonl").read_text().splitlines()]
    assert [(letter["topic"], letter["payload"], letter["reason"]) for letter in letters] == [
        ("s", "2", "because"),
        ("h", "1", "because"),
    ]


def test_what_is_too_large_for_the_broker_is_not_sent() -> None:
    wire = Wire()
    wire.outbox.largest = 10
    wire.outbox.put_history("h", b"x" * 10, wire.now)
    wire.outbox.put_history("h", b"1", wire.now)
    wire.send()
    assert payloads(wire.sent) == [b"1"]
    assert "larger" in (wire.folder / "dead_letters.jsonl").read_text()


def test_what_is_denied_is_asked_for_again_one_at_a_time_and_loses_nothing() -> None:
    wire = Wire()
    for number in range(5):
        wire.outbox.put_history("h", b"%d" % number, wire.now)
    wire.outbox.put_state("s", b"on")
    wire.send()
    while wire.flying:
        wire.answer(0, AckOutcome.DENIED)
    assert wire.outbox.state_settled  # nothing that could be sent waits
    wire.sent.clear()
    wire.now += DENIED_S - 1
    wire.send()
    assert (wire.sent, wire.outbox.wait_s(wire.now)) == ([], 1.0)
    wire.now += 1
    wire.send()
    assert payloads(wire.sent) == [b"on", b"0"]
    while wire.flying:
        wire.answer()
    wire.send()
    assert payloads(wire.sent) == [b"on", b"0", b"1", b"2", b"3", b"4"]
    assert (wire.outbox.dropped, wire.outbox.wait_s(wire.now)) == (0, None)


def test_what_is_refused_without_a_reason_we_know_is_given_up_after_some_tries() -> None:
    wire = Wire()
    wire.outbox.put_history("h", b"1", wire.now)
    wire.outbox.put_history("h", b"2", wire.now)
    for _ in range(TRIES):
        wire.send()
        while wire.flying:
            wire.answer(
                0, AckOutcome.LATER if next(iter(wire.flying.values())).payload == b"1" else AckOutcome.DELIVERED
            )
        wire.now += LATER_S
    assert (wire.outbox.queued, wire.outbox.dropped) == (0, 1)
    assert payloads(wire.sent) == [b"1", b"2", b"1", b"1", b"1", b"1"]


def test_readings_wait_until_a_recorder_says_that_it_records(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "penates")
    wire = Wire(recorded=True)
    wire.outbox.connection_lost(wire.now)
    wire.outbox.put_history("h", b"1", wire.now)
    wire.outbox.put_state("s", b"live")
    for _ in range(3):
        wire.send()
        assert wire.outbox.wait_s(wire.now) is None
        wire.now += NOBODY_S
    assert payloads(wire.sent) == [b"live"]
    assert (wire.outbox.queued, wire.outbox.deliverable) == (1, 0)
    assert caplog.text.count("no recorder says that it records") == 1
    wire.record()
    wire.send()
    assert payloads(wire.sent) == [b"live", b"1"]
    assert wire.outbox.deliverable == 1
    wire.answer(1)
    assert "recorded again" in caplog.text
    assert wire.outbox.queued == 0


def test_nobody_to_hear_it_is_no_delivery_where_there_is_a_recorder() -> None:
    wire = Wire(recorded=True)
    wire.outbox.put_history("h", b"1", wire.now)
    wire.send()
    wire.answer(0, AckOutcome.NOBODY)
    assert wire.outbox.queued == 1
    for tries, seconds in enumerate((SOON_S, NOBODY_S, NOBODY_S), 2):  # at the start it will soon be there
        wire.now += seconds - 0.1
        wire.send()
        assert len(wire.sent) == tries - 1
        wire.now += 0.1
        wire.send()
        wire.answer(0, AckOutcome.NOBODY)
    wire.now += NOBODY_S
    wire.send()
    wire.answer()
    assert (payloads(wire.sent), wire.outbox.queued) == ([b"1"] * 5, 0)


def test_nobody_to_hear_it_is_well_where_there_is_no_recorder() -> None:
    wire = Wire()
    wire.outbox.put_history("h", b"1", wire.now)
    wire.send()
    wire.answer(0, AckOutcome.NOBODY)
    assert (wire.outbox.queued, wire.outbox.dropped) == (0, 0)


def test_what_was_acknowledged_lately_is_sent_again_after_a_broken_connection_to_a_recorder() -> None:
    wire = Wire(recorded=True)
    for number in range(4):
        wire.outbox.put_history("h", b"%d" % number, wire.now)
        wire.send()
        wire.answer()
        wire.now += 20
    wire.outbox.put_history("h", b"4", wire.now)
    wire.send()
    wire.sent.clear()
    wire.hang_up()
    wire.send()
    assert payloads(wire.sent) == [b"1", b"2", b"3", b"4"]


def test_a_link_that_breaks_again_and_again_comes_to_the_newest() -> None:
    wire = Wire(recorded=True)
    for number in range(LIMIT):
        wire.outbox.put_history("h", b"%d" % number, wire.now)
    for _ in range(2 * LIMIT):
        wire.send()
        for _ in range(WINDOW // 4):
            if wire.flying:
                wire.answer()
        wire.now += 1
        wire.hang_up()
    assert b"%d" % (LIMIT - 1) in payloads(wire.sent)
    assert wire.outbox.queued == 0


def test_history_drains_at_a_bounded_rate_and_says_when_to_go_on() -> None:
    wire = Wire(5000)
    for number in range(5000):
        wire.outbox.put_history("h", b"%d" % number, wire.now)
    while wire.now < 10:
        wire.send()
        while wire.flying:
            wire.answer()
        wire.now += wire.outbox.wait_s(wire.now) or 0.001
    assert abs(len(wire.sent) - 11 * DRAIN_RATE) < 10
    wire.outbox.put_state("s", b"live")
    wire.send()
    assert wire.sent[-1].payload == b"live" or wire.sent[-2].payload == b"live"


def test_a_broker_with_a_small_window_still_gets_everything() -> None:
    wire = Wire()
    wire.outbox.window = 1
    for number in range(5):
        wire.outbox.put_history("h", b"%d" % number, wire.now)
    wire.outbox.put_state("s", b"on")
    for _ in range(6):
        wire.send()
        assert len(wire.flying) == 1
        wire.answer()
    assert payloads(wire.sent) == [b"on", b"0", b"1", b"2", b"3", b"4"]


def test_an_answer_from_an_older_connection_is_no_answer() -> None:
    wire = Wire()
    wire.outbox.put_history("h", b"1", wire.now)
    wire.send()
    wire.hang_up()
    assert wire.outbox.acknowledged(1, AckOutcome.DELIVERED, "", wire.now) is None
    assert wire.outbox.queued == 1


def test_the_age_of_the_oldest_unanswered() -> None:
    wire = Wire()
    assert wire.outbox.oldest_sent_at() is None
    wire.now = 5.0
    wire.outbox.put_state("s", b"1")
    wire.send()
    wire.now = 9.0
    wire.outbox.put_state("t", b"1")
    wire.send()
    assert wire.outbox.oldest_sent_at() == 5.0
    wire.answer()
    assert wire.outbox.oldest_sent_at() == 9.0


def test_where_there_is_no_room_only_an_answer_is_waited_for() -> None:
    """A refused value that is due again must not wake the loop again and again while the broker hangs."""
    wire = Wire()
    wire.outbox.window = 1
    wire.outbox.put_state("s", b"on")
    wire.send()
    wire.answer(0, AckOutcome.DENIED)
    wire.outbox.put_history("h", b"1", wire.now)
    wire.send()
    wire.now += DENIED_S + 1
    assert wire.outbox.wait_s(wire.now) is None
    wire.answer()
    assert wire.outbox.wait_s(wire.now) == 0


def test_a_quota_that_is_exceeded_costs_no_record_however_long() -> None:
    wire = Wire()
    wire.outbox.put_history("h", b"1", wire.now)
    for _ in range(3 * TRIES):
        wire.send()
        wire.answer(0, ack_outcome(0x97))
        wire.now += LATER_S
    wire.send()
    wire.answer()
    assert (wire.outbox.queued, wire.outbox.dropped) == (0, 0)


@pytest.fixture
def wire() -> Wire:
    return Wire()


def hung_up_on(wire: Wire, topic: str) -> None:
    """Sent alone, unanswered when the connection broke, and found to be the cause."""
    wire.hang_up()
    wire.outbox.set_aside(topic, wire.now + 60, "it hangs up")


def letters(wire: Wire) -> list[str]:
    file = wire.folder / "dead_letters.jsonl"
    return [json.loads(line)["payload"] for line in file.read_text().splitlines()] if file.exists() else []


def test_a_value_that_is_hung_up_on_waits_and_the_others_do_not(wire: Wire) -> None:
    wire.outbox.put_state("a", b"1")
    wire.outbox.put_state("b", b"2")
    wire.outbox.window = 1
    wire.send()
    hung_up_on(wire, "a")
    wire.hang_up()  # on no other connection is it sent either
    wire.send()
    assert [one.topic for one in wire.flying.values()] == ["b"]
    wire.answer()
    assert wire.outbox.state_settled
    assert wire.outbox.wait_s(wire.now) == 60
    wire.now += 60
    wire.send()
    assert wire.answer().topic == "a"
    assert wire.outbox.wait_s(wire.now) is None


def test_a_value_that_is_replaced_while_it_is_sent_again_is_no_reason_to_wake(wire: Wire) -> None:
    wire.outbox.put_state("a", b"1")
    wire.send()
    hung_up_on(wire, "a")
    wire.now += 61
    wire.send()
    wire.outbox.put_state("a", b"2")
    assert wire.outbox.wait_s(wire.now) is None


@pytest.mark.parametrize("others", [0, 3])
def test_one_reading_that_is_hung_up_on_is_given_up_once_a_later_one_is_accepted(wire: Wire, others: int) -> None:
    wire.outbox.window = 1
    for number in range(1, 2 + others):
        wire.outbox.put_history("h", b"%d" % number, wire.now)
    wire.send()
    hung_up_on(wire, "h")
    wire.send()
    if not others:
        assert not wire.flying
        assert wire.outbox.wait_s(wire.now) is None
        wire.outbox.put_history("h", b"2", wire.now)
        wire.send()
    assert letters(wire) == []
    assert wire.answer().payload == b"2"
    assert letters(wire) == ["1"]
    wire.send()
    while wire.flying:
        wire.answer()
        wire.send()
    assert (wire.outbox.queued, wire.outbox.dropped) == (0, 1)


def test_a_history_that_is_hung_up_on_waits_and_loses_nothing(wire: Wire) -> None:
    wire.outbox.window = 1
    for number in (1, 2, 3):
        wire.outbox.put_history("h", b"%d" % number, wire.now)
    wire.outbox.put_state("a", b"1")
    for _ in range(2):
        wire.send()
        while [one.topic for one in wire.flying.values()] == ["a"]:
            wire.answer()
            wire.send()
        hung_up_on(wire, "h")
    wire.send()
    assert [one.topic for one in wire.flying.values()] == ["a"]
    wire.answer()
    wire.send()
    assert not wire.flying
    wire.now += 60
    wire.send()
    assert wire.answer().payload == b"1"
    assert (letters(wire), wire.outbox.queued) == ([], 2)


def test_an_answer_that_is_hung_up_on_is_given_up(wire: Wire) -> None:
    wire.outbox.put_once("w", b"1")
    wire.outbox.put_once("v", b"2")
    wire.outbox.window = 1
    wire.send()
    hung_up_on(wire, "w")
    wire.send()
    assert wire.answer().payload == b"2"
    assert (letters(wire), wire.outbox.dropped) == (["1"], 1)
