"""The outbox against a broker that acknowledges when it likes, refuses, and hangs up at any moment."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from bootstrap.outbox import DRAIN_BURST, DRAIN_RATE, SPARE, WINDOW, Message, Outbox

LIMIT = 30


class Wire:
    """Both ends of one outbox: what was sent, and the broker's retained store."""

    def __init__(self, limit: int = LIMIT) -> None:
        self.outbox = Outbox(limit)
        self.flying: dict[int, Message] = {}
        self.sent: list[Message] = []
        self.now = 0.0
        self._ids = 0

    def publish(self, message: Message) -> int:
        self._ids += 1
        self.flying[self._ids] = message
        self.sent.append(message)
        return self._ids

    def send(self) -> None:
        self.outbox.send(self.publish, self.now)

    def answer(self, position: int = 0, *, accepted: bool = True) -> Message:
        number = list(self.flying)[position]
        assert self.outbox.answered(number, accepted=accepted) == self.flying[number]
        return self.flying.pop(number)

    def hang_up(self) -> None:
        self.flying.clear()
        self.outbox.renew()


class Model(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.wire = Wire()
        self.count = 0
        self.newest: dict[str, bytes] = {}
        self.retained: dict[str, bytes] = {}
        self.history: set[bytes] = set()
        self.delivered: set[bytes] = set()

    @rule(topic=st.sampled_from("abc"))
    def put_state(self, topic: str) -> None:
        self.count += 1
        self.newest[topic] = b"%d" % self.count
        self.wire.outbox.put_state(topic, self.newest[topic])

    @rule(times=st.integers(1, 20))
    def put_history(self, times: int) -> None:
        for _ in range(times):
            self.count += 1
            self.history.add(b"%d" % self.count)
            self.wire.outbox.put_history("h", b"%d" % self.count)

    @rule()
    def put_word(self) -> None:
        self.count += 1
        self.wire.outbox.put_word("w", b"%d" % self.count)

    @rule(seconds=st.floats(0, 1))
    def send(self, seconds: float) -> None:
        self.wire.now += seconds
        before = len(self.wire.sent)
        self.wire.send()
        for message in self.wire.sent[before:]:
            if message.retain:
                self.retained[message.topic] = message.payload

    @precondition(lambda self: self.wire.flying)
    @rule(data=st.data())
    def answer(self, data: st.DataObject) -> None:
        message = self.wire.answer(data.draw(st.integers(0, len(self.wire.flying) - 1)))
        if message.topic == "h":
            self.delivered.add(message.payload)

    @rule()
    def hang_up(self) -> None:
        self.wire.hang_up()

    @invariant()
    def the_window_holds(self) -> None:
        flying = self.wire.flying.values()
        assert len(flying) <= WINDOW
        assert sum(not message.retain and message.topic == "h" for message in flying) <= WINDOW - SPARE

    @invariant()
    def at_most_one_unacknowledged_value_per_topic(self) -> None:
        topics = [message.topic for message in self.wire.flying.values() if message.retain]
        assert len(topics) == len(set(topics))

    def teardown(self) -> None:
        """Left in peace, everything arrives: the newest of each topic, and all history but what was counted dropped."""
        for _ in range(500):
            self.send(1.0)
            while self.wire.flying:
                message = self.wire.answer()
                if message.topic == "h":
                    self.delivered.add(message.payload)
        assert self.retained == self.newest
        assert self.wire.outbox.state_settled
        assert self.wire.outbox.queued == 0
        assert len(self.history - self.delivered) == self.wire.outbox.dropped


Model.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestModel = Model.TestCase


def payloads(messages: list[Message]) -> list[bytes]:
    return [message.payload for message in messages]


def test_state_first_then_words_then_history_in_order() -> None:
    wire = Wire()
    wire.outbox.put_history("h", b"1")
    wire.outbox.put_history("h", b"2")
    wire.outbox.put_word("w", b"answer")
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


def test_after_a_lost_connection_history_goes_on_where_it_was_not_acknowledged() -> None:
    wire = Wire(100)
    for number in range(40):
        wire.outbox.put_history("h", b"%d" % number)
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
        wire.outbox.put_history("h", b"%d" % number)
    assert (wire.outbox.dropped, wire.outbox.queued) == (5, 10)
    wire.send()
    assert payloads(wire.sent)[0] == b"5"


def test_what_is_in_flight_counts_against_the_limit_when_it_comes_back() -> None:
    wire = Wire(10)
    for number in range(10):
        wire.outbox.put_history("h", b"%d" % number)
    wire.send()
    for number in range(10, 15):
        wire.outbox.put_history("h", b"%d" % number)
    wire.hang_up()
    assert (wire.outbox.dropped, wire.outbox.queued) == (5, 10)
    wire.sent.clear()
    wire.send()
    assert payloads(wire.sent)[0] == b"5"


def test_refused_is_not_delivered_and_not_sent_again() -> None:
    wire = Wire()
    wire.outbox.put_history("h", b"1")
    wire.outbox.put_state("s", b"2")
    wire.send()
    wire.answer(0, accepted=False)
    wire.answer(0, accepted=False)
    assert (wire.outbox.dropped, wire.outbox.queued, wire.outbox.state_settled) == (2, 0, True)


def test_history_drains_at_a_bounded_rate_and_says_when_to_go_on() -> None:
    wire = Wire(5000)
    for number in range(5000):
        wire.outbox.put_history("h", b"%d" % number)
    while wire.now < 10:
        wire.send()
        while wire.flying:
            wire.answer()
        wire.now += wire.outbox.wait_s(wire.now) or 0.001
    assert abs(len(wire.sent) - (DRAIN_BURST + 10 * DRAIN_RATE)) < 10
    wire.outbox.put_state("s", b"live")
    wire.send()
    assert wire.sent[-1].payload == b"live" or wire.sent[-2].payload == b"live"


def test_a_broker_with_a_small_window_still_gets_everything() -> None:
    wire = Wire()
    wire.outbox.window = 1
    for number in range(5):
        wire.outbox.put_history("h", b"%d" % number)
    wire.outbox.put_state("s", b"on")
    for _ in range(6):
        wire.send()
        assert len(wire.flying) == 1
        wire.answer()
    assert payloads(wire.sent) == [b"on", b"0", b"1", b"2", b"3", b"4"]


def test_an_answer_from_an_older_connection_is_no_answer() -> None:
    wire = Wire()
    wire.outbox.put_history("h", b"1")
    wire.send()
    wire.hang_up()
    assert wire.outbox.answered(1, accepted=True) is None
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
