"""MQTT packets as bytes: where each ends, and what a PUBLISH carries (MQTT 5, 2.1 and 3.3; MQTT 3.1.1 alike)."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

CONNECT, PUBLISH, PUBACK, SUBSCRIBE, PINGREQ = 0x10, 0x30, 0x40, 0x80, 0xC0
TYPE, DUPLICATE, QOS, RETAIN = 0xF0, 0x08, 0x06, 0x01  # in the first byte of a packet
CONTINUED = 0x80  # in a byte of a length: another byte follows
LONGEST_LENGTH = 4  # bytes
SUBSCRIPTION = 0x0B  # property: the identifier of a subscription that a message matches
WIDTHS = {0x01: 1, 0x02: 4, 0x23: 2}  # bytes of the other properties of a PUBLISH
TEXTS = {0x03: 1, 0x08: 1, 0x09: 1, 0x26: 2}  # how many texts or byte strings there are in those that have no width
PUBACK_HEAD = bytes((PUBACK, 2))  # a PUBACK with success and without properties: its packet id follows


class MalformedError(Exception):
    """What arrived is not MQTT."""


class Packet(NamedTuple):
    """A whole packet in a buffer: its first byte, and where its body begins and ends."""

    head: int
    start: int
    end: int


class Publish(NamedTuple):
    """A PUBLISH. `packet_id` is 0 at QoS 0; `duplicate` says that it may have been sent before.

    `subscriptions` are the identifiers of the subscriptions that it matches, if they have any.
    """

    topic: str
    payload: bytes
    retained: bool
    packet_id: int
    duplicate: bool
    subscriptions: tuple[int, ...] = ()


def split(buffer: bytes | bytearray) -> Iterator[Packet]:
    """Yield each whole packet in `buffer`; an incomplete one at the end is left out.

    Raises:
        MalformedError: a length has more than four bytes.
    """
    start = 0
    while len(buffer) > start + 1:
        length, begin = variable_length(buffer, start + 1)
        end = begin + length
        if not begin or end > len(buffer):
            return
        yield Packet(buffer[start], begin, end)
        start = end


def variable_length(buffer: bytes | bytearray, start: int) -> tuple[int, int]:
    """Return the length encoded at `start`, and the index after it, or 0 if it is incomplete (MQTT 5, 1.5.5).

    Raises:
        MalformedError: it has more than four bytes.
    """
    length = 0
    for index, byte in enumerate(buffer[start : start + LONGEST_LENGTH]):
        length |= (byte & ~CONTINUED) << 7 * index
        if not byte & CONTINUED:
            return length, start + index + 1
    if len(buffer) >= start + LONGEST_LENGTH:
        raise MalformedError
    return 0, 0


def publish(head: int, body: bytes | bytearray, *, version_5: bool) -> Publish:
    """Return what a PUBLISH carries; of its properties only the subscriptions matter here.

    Raises:
        MalformedError: it ends too soon.
    """
    start = 2 + int.from_bytes(body[:2], "big")
    topic, packet_id = body[2:start].decode(errors="replace"), 0
    subscriptions: tuple[int, ...] = ()
    if head & QOS:
        packet_id = int.from_bytes(body[start : start + 2], "big")
        start += 2
    if version_5:
        length, begin = variable_length(body, start)
        start = begin + length if begin else len(body) + 1
        subscriptions = _subscriptions(body[begin:start]) if length else ()
    if start > len(body):
        raise MalformedError
    return Publish(topic, bytes(body[start:]), bool(head & RETAIN), packet_id, bool(head & DUPLICATE), subscriptions)


def _subscriptions(properties: bytes | bytearray) -> tuple[int, ...]:
    """Return the identifiers of subscriptions; what follows an unknown property is not looked at."""
    found, start = [], 0
    while start < len(properties):
        kind, start = properties[start], start + 1
        if kind == SUBSCRIPTION:
            identifier, start = variable_length(properties, start)
            found.append(identifier)
        elif kind in WIDTHS:
            start += WIDTHS[kind]
        else:
            for _ in range(TEXTS.get(kind, 0)):
                start += 2 + int.from_bytes(properties[start : start + 2], "big")
        if not start or kind not in (SUBSCRIPTION, *WIDTHS, *TEXTS):
            break
    return tuple(found)


def pubacks(packet_ids: Iterable[int]) -> bytes:
    """Return a PUBACK for each of these; 0 stands for a message that needs none."""
    return b"".join([PUBACK_HEAD + packet_id.to_bytes(2, "big") for packet_id in packet_ids if packet_id])
