"""SML, the language of German smart meters on their optical port (BSI TR-03109-1, annex IV).

A library that is kept up has the GPL, so this is a reader of our own, of the few types that a meter's list has.
"""

from collections.abc import Iterator
from typing import TypeAlias

from bootstrap.device import Reading
from bootstrap.serial_frames.crc import kermit, x25
from bootstrap.serial_frames.meter_measures import BY_OBIS, POWERS, net_powers

ESCAPE = b"\x1b\x1b\x1b\x1b"
START = ESCAPE + b"\x01\x01\x01\x01"
# A Holley DTZ541 has the checksum of Kermit, with its high byte first; others have that of X.25, low byte first.
LAST = 0x1A  # after an escape: the end, with the number of bytes that fill the last word, and the checksum
WORD = 4
DEEPEST = 12  # nested lists
SIGNED, LIST = 5, 7  # types
MORE = 0x80  # in a type's byte: the length goes on in the next one
WATT_HOUR = 30  # a unit
ELECTRICITY = b"\x01\x00"  # the medium of an OBIS code, and the channel of the meter itself
NOW = 0xFF  # the last group of an OBIS code; others are of earlier billing periods

Node: TypeAlias = "bytes | int | list[Node] | None"


def messages(buffer: bytearray) -> Iterator[bytes | ValueError]:
    """Split what is sent into files, as SML calls them, without start, end and escapes."""
    while (begin := buffer.find(START)) >= 0:
        del buffer[:begin]
        end = _end(buffer)
        again = buffer.find(START, len(START))
        if end is None and again < 0:
            return
        if end is None or 0 <= again < end:
            del buffer[:again]
            yield ValueError("what was sent was cut off")
            continue
        whole = bytes(buffer[:end])
        del buffer[:end]
        if whole[-2:] in (x25(whole[:-2]).to_bytes(2, "little"), kermit(whole[:-2]).to_bytes(2)):
            content = whole[len(START) : -2 * WORD - whole[-3]]
            yield content.replace(ESCAPE * 2, ESCAPE)
        else:
            yield ValueError("what was sent has a wrong checksum")


def _end(buffer: bytearray) -> int | None:
    """Return where a file that begins the buffer ends; None if it does not yet."""
    at = len(START)
    while at + 2 * WORD <= len(buffer):
        if buffer[at : at + WORD] != ESCAPE:
            at += WORD
        elif buffer[at + WORD] == LAST:
            return at + 2 * WORD
        else:
            at += 2 * WORD
    return None


def reading_of(content: bytes) -> Reading:
    """Return what a file says.

    Raises:
        ValueError: it is damaged, or says nothing that is known.
    """
    try:
        values = dict(_entries(content))
    except IndexError:
        raise ValueError("what was sent ends too early") from None
    found = {name: values[code] for code, name in BY_OBIS.items() if code in values}
    found |= net_powers({code: values[code] for codes in POWERS.values() for code in codes if code in values})
    if not found:
        raise ValueError("what was sent has no value that is known; is the meter's PIN entered?")
    return found


def _entries(content: bytes) -> Iterator[tuple[str, float]]:
    """Yield each number of a list by its OBIS code, energies in kWh."""
    at = 0
    while at < len(content):
        node, at = _node(content, at, DEEPEST)
        yield from _in_lists(node)


def _in_lists(node: Node) -> Iterator[tuple[str, float]]:
    match node:
        case [bytes(name), _status, _time, unit, scaler, int(value), _signature] if len(name) == 6:  # noqa: PLR2004
            if name[:2] == ELECTRICITY and name[-1] == NOW:
                exponent = (scaler if isinstance(scaler, int) else 0) - (3 if unit == WATT_HOUR else 0)
                yield ".".join(str(part) for part in name[2:5]), float(f"{value}e{exponent}")
        case [*nodes]:
            for one in nodes:
                yield from _in_lists(one)


def _node(data: bytes, at: int, deepest: int) -> tuple[Node, int]:
    """Return what begins here, and where the next one begins.

    Raises:
        IndexError: the data end before it.
        ValueError: it is of no type that is known.
    """
    kind, length, start = data[at] >> 4 & 7, data[at] & 15, at + 1
    while data[start - 1] & MORE:
        length, start = length << 4 | data[start] & 15, start + 1
    if kind == LIST:
        return _list(data, start, length, deepest)
    end = max(start, at + length)  # a single zero ends a message
    if end > len(data):
        raise IndexError
    raw = data[start:end]
    match kind:
        case 0:
            return raw or None, end
        case 4 | 5 | 6:
            return int.from_bytes(raw, signed=kind == SIGNED), end
    raise ValueError(f"what was sent has the unknown type {kind}")


def _list(data: bytes, at: int, length: int, deepest: int) -> tuple[Node, int]:
    if not deepest:
        raise ValueError("what was sent is nested too deeply")
    nodes: list[Node] = []
    for _ in range(length):
        node, at = _node(data, at, deepest - 1)
        nodes.append(node)
    return nodes, at
