"""A wire that knows each MQTT packet that passes."""

import socket
import threading
import time
from dataclasses import dataclass
from enum import IntEnum

from support.faults.wire import Wire


class Kind(IntEnum):
    """The type of a packet, as its first four bits say it."""

    CONNECT = 1
    CONNACK = 2
    PUBLISH = 3
    PUBACK = 4
    SUBSCRIBE = 8
    SUBACK = 9
    UNSUBSCRIBE = 10
    UNSUBACK = 11
    PINGREQ = 12
    PINGRESP = 13
    DISCONNECT = 14


@dataclass(frozen=True)
class Packet:
    """One that has passed, in bytes and monotonic seconds; the topic is empty unless it is a PUBLISH."""

    kind: Kind
    topic: str
    size: int
    at: float


class Packets:
    """The packets in what one end of a connection sends, piece by piece."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[Packet]:
        """Return those that are complete with this piece."""
        self._rest += data
        found = []
        while whole := _size(self._rest):
            packet, self._rest = self._rest[:whole], self._rest[whole:]
            found.append(_packet(packet))
        return found


def _size(data: bytes) -> int:
    """Bytes of the packet with which this begins; 0 if it is not complete."""
    length = 0
    for place, byte in enumerate(data[1:5]):
        length |= (byte & 127) << 7 * place
        if byte < 128:
            whole = 2 + place + length
            return whole if len(data) >= whole else 0
    return 0


def _packet(data: bytes) -> Packet:
    kind, topic = Kind(data[0] >> 4), ""
    if kind is Kind.PUBLISH:
        start = next(place for place in range(1, 5) if data[place] < 128) + 1
        topic = data[start + 2 : start + 2 + int.from_bytes(data[start : start + 2], "big")].decode()
    return Packet(kind, topic, len(data), time.monotonic())


class CountingWire(Wire):
    """Notes what passes, in either direction."""

    def __init__(self, to: int, port: int = 0) -> None:
        self.seen: list[Packet] = []
        self._directions = threading.local()  # a thread carries one direction of one connection
        super().__init__(to, port)

    def _carry(self, source: socket.socket, to: socket.socket, passes: threading.Event) -> None:
        self._directions.packets = Packets()
        super()._carry(source, to, passes)

    def _passing(self, data: bytes) -> bytes:
        packets: Packets = self._directions.packets
        self.seen += packets.feed(data)
        return data
