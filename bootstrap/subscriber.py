"""A paho client that only hears, and much: it reads all that has come at once, and acknowledges a batch in one write.

paho reads a message in four steps, makes a dozen objects of it, and acknowledges each in a write of its own: two thirds
of what a reading costs on its way to the store. All but the messages themselves is still paho's.
"""

import socket
import time
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import paho.mqtt.client as mqtt
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.exception import MalformedPacket

from bootstrap.connection import Client, Hello

CHUNK = 32_768  # bytes read at once
TYPE, DUP, QOS, RETAIN = 0xF0, 0x08, 0x06, 0x01  # in a packet's first byte
MORE = 0x80  # in a byte of a length: another one follows
LONGEST_LENGTH = 4  # bytes
PUBACK = bytes((mqtt.PUBACK, 2))  # and the message's id: it has been taken; both protocols say it like this


class Told(NamedTuple):
    """A message as the broker told it; `number` is to be acknowledged, and is 0 if it need not be."""

    number: int
    topic: str
    payload: bytes
    retained: bool
    again: bool  # it may have been told before


class Broken(Exception):  # noqa: N818 - the packet is
    """What came is no MQTT."""


class Subscriber(Client):
    """Calls `told` with each message; to be connected with a session that outlives it."""

    def __init__(self, ready: socket.socket, hello: Hello, told: Callable[[Told], None]) -> None:
        super().__init__(ready, hello, durable=True)
        self._told = told
        self._rest = bytearray()

    def _packet_read(self) -> MQTTErrorCode:
        """Read what has come, and deal with each whole packet; instead of paho's own."""
        try:
            said = self._sock_recv(CHUNK)
        except BlockingIOError:
            return MQTTErrorCode.MQTT_ERR_AGAIN
        except OSError:
            return MQTTErrorCode.MQTT_ERR_CONN_LOST
        if not said:
            return MQTTErrorCode.MQTT_ERR_CONN_LOST
        self._rest += said
        self._last_bytes_received = time.monotonic()
        try:
            return self._deal()
        except (Broken, MalformedPacket):
            return MQTTErrorCode.MQTT_ERR_PROTOCOL

    def _deal(self) -> MQTTErrorCode:
        rest, done = self._rest, 0
        for head, start, done in _packets(rest):
            if head & TYPE == mqtt.PUBLISH:
                self._told(_message(head, rest[start:done], five=self.protocol == mqtt.MQTTv5))
            else:
                self._in_packet |= {"command": head, "packet": rest[start:done], "remaining_length": done - start}
                if error := self._packet_handle():
                    return error
        del rest[:done]
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    def acknowledge(self, numbers: Iterable[int]) -> None:
        """These are stored."""
        packets = b"".join([PUBACK + number.to_bytes(2, "big") for number in numbers if number])
        if packets:
            self._packet_queue(mqtt.PUBACK, packets, 0, 1)


def _packets(said: bytearray) -> Iterator[tuple[int, int, int]]:
    """The first byte of each whole packet, and where what follows its length begins and ends."""
    start = 0
    while len(said) > start + 1:
        length, begin = _length(said, start + 1)
        end = begin + length
        if not begin or end > len(said):
            return
        yield said[start], begin, end
        start = end


def _length(said: bytearray, start: int) -> tuple[int, int]:
    """A length in seven bits a byte, and where it ends; 0 if it does not end yet.

    Raises:
        Broken: it is too long.
    """
    length = 0
    for place, byte in enumerate(said[start : start + LONGEST_LENGTH]):
        length |= (byte & ~MORE) << 7 * place
        if not byte & MORE:
            return length, start + place + 1
    if len(said) >= start + LONGEST_LENGTH:
        raise Broken
    return 0, 0


def _message(head: int, body: bytearray, *, five: bool) -> Told:
    """A PUBLISH. Its properties say nothing that matters here.

    Raises:
        Broken: it ends too soon.
    """
    start = 2 + int.from_bytes(body[:2], "big")
    topic, number = body[2:start].decode(errors="replace"), 0
    if head & QOS:
        number = int.from_bytes(body[start : start + 2], "big")
        start += 2
    if five:
        length, begin = _length(body, start)
        start = begin + length if begin else len(body) + 1
    if start > len(body):
        raise Broken
    return Told(number, topic, bytes(body[start:]), bool(head & RETAIN), bool(head & DUP))
