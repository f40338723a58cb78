"""What a session makes of what a broker sends, however it is cut, and what it answers."""

import socket
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bootstrap.contract.payload import MAX_BYTES
from bootstrap.mqtt import packets
from bootstrap.mqtt.address import ConnectOptions
from bootstrap.mqtt.packets import Publish
from bootstrap.mqtt.session import CHUNK, Closed, Connack, Durable, Event, Session

CONNACK = {"5": b"\x20\x03\x00\x00\x00", "3.1.1": b"\x20\x02\x00\x00"}
LARGEST = 100_000
DURABLE = Durable(expiry_s=60, receive_maximum=100, largest=LARGEST)


def length(number: int) -> bytes:
    """Seven bits a byte."""
    return bytes([number]) if number < 128 else bytes([number % 128 | 128]) + length(number // 128)


def publish(message: Publish, protocol: str, properties: bytes = b"") -> bytes:
    """As a broker says it."""
    topic = message.topic.encode()
    packet_id = message.packet_id.to_bytes(2, "big") if message.packet_id else b""
    extra = length(len(properties)) + properties if protocol == "5" else b""
    body = len(topic).to_bytes(2, "big") + topic + packet_id + extra + message.payload
    head = packets.PUBLISH | message.duplicate << 3 | bool(message.packet_id) << 1 | message.retained
    return bytes([head]) + length(len(body)) + body


class Line:
    """A session on one end of a line, and a broker's words on the other."""

    def __init__(self, protocol: str, durable: Durable | None = DURABLE) -> None:
        self.protocol = protocol
        self.events: list[Event] = []
        ours, self.broker = socket.socketpair()
        ours.setblocking(False)
        options = ConnectOptions(client_id="cm/r/history", protocol=protocol, keepalive_s=60)
        self.session = Session(ours, options, self.events.append, durable)
        self.session.begin()
        self.broker.recv(1000)

    def say(self, words: bytes) -> None:
        self.broker.sendall(words)
        self.session.loop_read()

    @property
    def messages(self) -> list[Event]:
        return [event for event in self.events if isinstance(event, Publish)]

    @property
    def closed(self) -> bool:
        return any(isinstance(event, Closed) for event in self.events)

    def close(self) -> None:
        self.session.disconnect()
        self.broker.close()


@pytest.fixture(params=["5", "3.1.1"])
def line(request: pytest.FixtureRequest) -> Iterator[Line]:
    line = Line(request.param)
    yield line
    line.close()


messages = st.builds(
    Publish,
    topic=st.sampled_from(["a", "cm/attic/data/reading", "ä/" + "x" * 200]),
    payload=st.binary(max_size=50) | st.sampled_from([b"x" * 127, b"x" * 20_000]),
    retained=st.booleans(),
    packet_id=st.integers(0, 65_535),
    duplicate=st.booleans(),
    subscriptions=st.lists(st.integers(1, 268_435_455), max_size=3).map(tuple),
)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(["5", "3.1.1"]), st.lists(messages, min_size=1, max_size=5), st.integers(1, 4000), st.booleans())
def test_every_message_arrives_however_it_is_cut(
    protocol: str, sent: list[Publish], piece: int, more_said: bool
) -> None:
    if protocol == "3.1.1":
        sent = [one._replace(subscriptions=()) for one in sent]
    others = b"\x02\0\0\0\x3c\x01\x01\x23\0\x07" + b"\x03\0\x01a\x08\0\x01b\x09\0\x01\xff\x26\0\x01k\0\x01v" * 9

    def said(message: Publish) -> bytes:
        identifiers = b"".join(b"\x0b" + length(one) for one in message.subscriptions)
        return publish(message, protocol, others + identifiers + others if more_said else identifiers)

    words = CONNACK[protocol] + b"".join(map(said, sent))
    line = Line(protocol)
    try:
        for start in range(0, len(words), piece):
            line.say(words[start : start + piece])
        assert line.messages == sent
    finally:
        line.close()


@given(st.binary(max_size=40))
def test_odd_properties_cost_nothing_but_themselves(properties: bytes) -> None:
    line = Line("5")
    try:
        line.say(CONNACK["5"] + publish(Publish("a", b"1", False, 7, False), "5", properties))
        assert line.closed or [one.payload for one in line.messages if isinstance(one, Publish)] == [b"1"]
    finally:
        line.close()


@pytest.mark.parametrize("more", [1, 40_000, 5_000_000])
def test_of_a_message_that_is_too_large_only_the_beginning_is_kept(line: Line, more: int) -> None:
    """MQTT 3.1.1 cannot ask for less; the messages around it arrive."""
    small = [Publish("a", b"1", False, number, False) for number in (1, 3)]
    large = publish(Publish("b/c", b"x" * (LARGEST + more), False, 2, False), line.protocol)
    words = publish(small[0], line.protocol) + large + publish(small[1], line.protocol)
    longest = 0
    for start in range(0, len(words), CHUNK):
        line.say(words[start : start + CHUNK])
        longest = max(longest, len(line.session._buffer))  # noqa: SLF001 - what it holds
    first, cut, last = line.messages
    assert [first, last] == small
    assert isinstance(cut, Publish)
    assert (cut.topic, cut.packet_id) == ("b/c", 2)
    assert MAX_BYTES < len(cut.payload) <= LARGEST + CHUNK
    assert longest <= LARGEST + CHUNK


def test_a_batch_is_acknowledged_in_one_write(line: Line) -> None:
    line.session.acknowledge([1, 0, 258])
    assert line.broker.recv(1000) == b"\x40\x02\x00\x01\x40\x02\x01\x02"
    line.session.acknowledge([0])
    line.session.acknowledge([])
    assert not line.session.want_write()


@pytest.mark.parametrize(("durable", "answer"), [(None, b"\x40\x02\x00\x07"), (DURABLE, b"")])
def test_only_a_durable_session_is_told_what_to_acknowledge(durable: Durable | None, answer: bytes) -> None:
    line = Line("5", durable)
    line.broker.setblocking(False)
    line.say(CONNACK["5"] + publish(Publish("a", b"1", False, 7, False), "5"))
    try:
        assert line.broker.recv(1000) == answer
    except BlockingIOError:
        assert answer == b""
    line.close()


def test_the_broker_has_accepted_us(line: Line) -> None:
    line.say(CONNACK[line.protocol])
    (connack,) = line.events
    assert isinstance(connack, Connack)
    assert (connack.reason.code, connack.reason.failed, connack.receive_maximum) == (0, False, 65_535)


@pytest.mark.parametrize(
    "words", [b"\x32\xff\xff\xff\xff\x01", b"\x20\x00", b"\xf0\x02\x00\x00", b"\x32\x01\x00", b"\x32\x00"]
)
def test_what_is_no_mqtt_ends_the_connection(line: Line, words: bytes) -> None:
    line.say(words)
    assert line.closed
    assert line.messages == []


def test_the_brokers_end_ends_the_connection(line: Line) -> None:
    line.broker.close()
    line.session.loop_read()
    assert line.closed


def test_nothing_to_read_is_no_end(line: Line) -> None:
    line.session.loop_read()
    assert line.events == []
