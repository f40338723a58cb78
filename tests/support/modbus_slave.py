"""A Modbus slave of ours, written after the standard: it answers on a pseudo-terminal, and can be wrong on purpose.

The checksum is computed by another way than the product's, by a table.
"""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import reduce

QUESTION = 8  # bytes of those that we know
Spoil = Callable[[bytes], bytes]
TABLE = [reduce(lambda crc, _: crc >> 1 ^ (0xA001 if crc & 1 else 0), range(8), one) for one in range(256)]


def summed(frame: bytes) -> bytes:
    """A frame with its checksum, low byte first."""
    crc = 0xFFFF
    for one in frame:
        crc = crc >> 8 ^ TABLE[(crc ^ one) & 0xFF]
    return frame + struct.pack("<H", crc)


@dataclass
class Slave:
    """It has these registers, by function and number, and refuses all others."""

    registers: Mapping[int, Mapping[int, int]]
    address: int = 1
    written: list[tuple[int, int]] = field(default_factory=list)
    spoil: Spoil | None = None  # what becomes of its answers

    def answer(self, question: bytes) -> bytes:
        """Answer a question of RTU, if it is for this address; of several that have come at once, the last one."""
        question = question[-QUESTION:]
        assert summed(question[:-2]) == question, f"the question has a wrong checksum: {question.hex(' ')}"
        if question[0] not in (self.address, 0xFE):
            return b""
        answer = summed(question[:1] + self.said(question[1:-2]))
        return self.spoil(answer) if self.spoil else answer

    def said(self, request: bytes) -> bytes:
        """Function and data of the answer."""
        function, first, count = (int(one) for one in struct.unpack(">BHH", request))
        if function == 6:
            self.written.append((first, count))
            return bytes(request)
        table = self.registers.get(function)
        if table is None:
            return bytes([function | 0x80, 1])
        wanted = range(first, first + count)
        if not table.keys() >= {*wanted}:
            return bytes((function | 0x80, 2))
        if function <= 2:
            bits = sum(table[at] << at - first for at in wanted)
            data = bits.to_bytes((count + 7) // 8, "little")
        else:
            data = b"".join(struct.pack(">H", table[at]) for at in wanted)
        return bytes((function, len(data))) + data
