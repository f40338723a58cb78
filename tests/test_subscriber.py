"""What a subscriber makes of what a broker sends, however it is cut, and what it answers."""

import socket
from collections.abc import Iterator

import paho.mqtt.client as mqtt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bootstrap.connection import Hello
from bootstrap.subscriber import Subscriber, Told

CONNACK = {"5": b"\x20\x03\x00\x00\x00", "3.1.1": b"\x20\x02\x00\x00"}
DISCONNECT = b"\xe0\x00"


def length(number: int) -> bytes:
    """Seven bits a byte."""
    return bytes([number]) if number < 128 else bytes([number % 128 | 128]) + length(number // 128)


def publish(told: Told, protocol: str, properties: bytes = b"") -> bytes:
    """As a broker says it."""
    topic = told.topic.encode()
    number = told.number.to_bytes(2, "big") if told.number else b""
    extra = length(len(properties)) + properties if protocol == "5" else b""
    body = len(topic).to_bytes(2, "big") + topic + number + extra + told.payload
    head = mqtt.PUBLISH | told.again << 3 | bool(told.number) << 1 | told.retained
    return bytes([head]) + length(len(body)) + body


class Line:
    """A subscriber on one end of a line, and a broker's words on the other."""

    def __init__(self, protocol: str) -> None:
        self.told: list[Told] = []
        self.ends: list[object] = []
        ours, self.broker = socket.socketpair()
        ours.setblocking(False)
        hello = Hello(
            client_id="cm/r/history", protocol=protocol, keepalive_s=60, will=None, username=None, password=None
        )
        self.client = Subscriber(ours, hello, self.told.append)
        self.client.on_disconnect = lambda *facts: self.ends.append(facts[3])
        self.client.connect("given", **({"clean_start": False} if protocol == "5" else {}))
        self.broker.recv(1000)

    def say(self, words: bytes) -> None:
        self.broker.sendall(words)
        self.client.loop_read()

    def close(self) -> None:
        self.client.disconnect()
        self.broker.close()


@pytest.fixture(params=["5", "3.1.1"])
def line(request: pytest.FixtureRequest) -> Iterator[Line]:
    line = Line(request.param)
    yield line
    line.close()


messages = st.builds(
    Told,
    number=st.integers(0, 65_535),
    topic=st.sampled_from(["a", "cm/attic/data/reading", "ä/" + "x" * 200]),
    payload=st.binary(max_size=50) | st.sampled_from([b"x" * 127, b"x" * 20_000]),
    retained=st.booleans(),
    again=st.booleans(),
)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(["5", "3.1.1"]), st.lists(messages, min_size=1, max_size=5), st.integers(1, 4000), st.booleans())
def test_every_message_is_told_however_it_is_cut(
    protocol: str,
    sent: list[Told],
    piece: int,
    more_said: bool,
) -> None:
    properties = b"\x02\x00\x00\x00\x3c" * 30 if more_said else b""
    words = CONNACK[protocol] + b"".join(publish(told, protocol, properties) for told in sent)
    line = Line(protocol)
    try:
        for start in range(0, len(words), piece):
            line.say(words[start : start + piece])
        assert line.told == sent
    finally:
        line.close()


def test_a_batch_is_acknowledged_in_one_write(line: Line) -> None:
    line.client.acknowledge([1, 0, 258])
    assert line.broker.recv(1000) == b"\x40\x02\x00\x01\x40\x02\x01\x02"
    line.client.acknowledge([0])
    line.client.acknowledge([])
    assert not line.client.want_write()


def test_what_else_a_broker_says_is_still_pahos(line: Line) -> None:
    connected = []
    line.client.on_connect = lambda *facts: connected.append(facts[3])
    line.say(CONNACK["5" if line.client.protocol == mqtt.MQTTv5 else "3.1.1"])
    assert [str(reason) for reason in connected] == ["Success"]


@pytest.mark.parametrize(
    "words", [b"\x32\xff\xff\xff\xff\x01", b"\x20\x00", b"\xf0\x02\x00\x00", b"\x32\x01\x00", b"\x32\x00"]
)
def test_what_is_no_mqtt_ends_the_connection(line: Line, words: bytes) -> None:
    line.say(words)
    assert line.ends
    assert line.told == []


def test_the_brokers_end_ends_the_connection(line: Line) -> None:
    line.broker.close()
    line.client.loop_read()
    assert line.ends


def test_nothing_to_read_is_no_end(line: Line) -> None:
    line.client.loop_read()
    assert not line.ends
