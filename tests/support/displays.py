"""The chips of displays, as far as what is written to them decides what can be read on the glass.

Each is written after its data sheet and knows nothing of how ours are driven: it takes the transfers of a bus in turn.
"""

import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from bootstrap.display.characters import ROMS
from bootstrap.display.glyphs import HEIGHT, glyphs

UNKNOWN = 0xFF  # what a chip's memory holds when it gets its power; here, what nobody may see
RS, RW, E, LIGHT = 1, 2, 4, 8
LINE_STARTS = (0x00, 0x40, 0x14, 0x54)


@dataclass
class Hd44780:
    """An HD44780 behind a PCF8574, whose outputs are high when it gets its power."""

    columns: int
    rows: int
    rom: str = "A00"
    lit: bool = True
    on: bool = False
    written: int = 0  # bytes on the bus
    characters: int = 0  # that were written to its memory
    _outputs: int = 0xFF
    _halves: bool = False  # whether it takes half bytes
    _half: int | None = None  # the first of two, which waits for the other
    _address: int = 0
    _in_signs: bool = False
    _ram: bytearray = field(default_factory=lambda: bytearray([UNKNOWN] * 128))
    _signs: bytearray = field(default_factory=lambda: bytearray([UNKNOWN] * 64))

    def take(self, transfers: Iterable[bytes]) -> "Hd44780":
        """Take what was written."""
        for transfer in transfers:
            self.written += len(transfer)
            for outputs in transfer:
                self._set(outputs)
        return self

    def _set(self, outputs: int) -> None:
        before, self._outputs = self._outputs, outputs
        self.lit = bool(outputs & LIGHT)
        rose, fell = outputs & E and not before & E, before & E and not outputs & E
        assert not (rose and (outputs ^ before) & RS), "RS must be set before E rises"
        if fell and not before & RW:  # with RW it would have been read, as when all outputs are still high
            assert before & ~E == outputs, "data and RS must stay while E falls"
            self._latch(before & 0xF0, register=before & RS)

    def _latch(self, upper: int, *, register: int) -> None:
        if not self._halves:
            self._take(upper, register)
        elif self._half is None:
            self._half = upper
        else:
            byte, self._half = self._half | upper >> 4, None
            self._take(byte, register)

    def _take(self, byte: int, register: int) -> None:
        if register:
            self._store(byte)
        elif byte & 0x80:
            self._in_signs, self._address = False, byte & 0x7F
        elif byte & 0x40:
            self._in_signs, self._address = True, byte & 0x3F
        elif byte & 0x20:
            self._halves = not byte & 0x10
            assert not self._halves or self._half is None
        elif byte & 0x08:
            self.on = bool(byte & 0x04)
        elif byte == 0x01:
            self._ram[:] = b" " * len(self._ram)
            self._address = 0

    def _store(self, byte: int) -> None:
        memory = self._signs if self._in_signs else self._ram
        memory[self._address] = byte
        self._address += 1
        self.characters += not self._in_signs

    def lose_a_half(self) -> None:
        """Miss half a byte, as over a glitch in the power."""
        self._half = None if self._half is not None else 0

    @property
    def lines(self) -> list[str]:
        """What can be read, without blanks at the ends."""
        assert self.on
        return [
            "".join(map(self._sign, self._ram[start : start + self.columns])).rstrip()
            for start in LINE_STARTS[: self.rows]
        ]

    def _sign(self, code: int) -> str:
        if code < 2 * HEIGHT:
            at = code % HEIGHT * HEIGHT
            dots = bytes(self._signs[at : at + HEIGHT])
            return next((sign for sign, drawn in glyphs().items() if drawn == dots), "\ufffd")
        return next((sign for sign, held in ROMS[self.rom].items() if held == code), "\ufffd")


TAKES = {0x20: 1, 0x81: 1, 0x8D: 1, 0xA8: 1, 0xAD: 1, 0xD3: 1, 0xD5: 1, 0xD9: 1, 0xDA: 1, 0xDB: 1}  # further bytes
TAKES |= {0x21: 2, 0x22: 2}


@dataclass
class Oled:
    """An SSD1306, or with 132 columns an SH1106, that is written by pages or, as an SSD1306 can be, in a window."""

    width: int = 128
    height: int = 64
    columns: int = 128  # of its memory
    on: bool = False
    written: int = 0
    settings: dict[int, tuple[int, ...]] = field(default_factory=dict)
    _page: int = 0
    _column: int = 0
    _window: list[int] = field(default_factory=list)
    _memory: list[bytearray] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._memory = [bytearray([0x5A] * self.columns) for _ in range(8)]

    def take(self, transfers: Iterable[bytes]) -> "Oled":
        """Take what was written."""
        for transfer in transfers:
            self.written += len(transfer)
            assert transfer[0] in (0x00, 0x40)
            if transfer[0] == 0x40:
                for byte in transfer[1:]:
                    self._store(byte)
            else:
                self._command(iter(transfer[1:]))
        return self

    def _command(self, commands: Iterator[int]) -> None:
        for one in commands:
            more = tuple(next(commands) for _ in range(TAKES.get(one, 0)))
            self.settings[one] = more
            if one >= 0xB0 and one < 0xC0:
                self._page = one & 0x07
            elif one < 0x10:
                self._column = self._column & 0xF0 | one
            elif one < 0x20:
                self._column = self._column & 0x0F | (one & 0x0F) << 4
            elif one in (0xAE, 0xAF):
                self.on = one == 0xAF
            elif one in (0x21, 0x22):
                self._window = [*(self._window if one == 0x22 else []), *more]
                if one == 0x22:
                    self._page, self._column = self._window[2], self._window[0]

    def _store(self, byte: int) -> None:
        self._memory[self._page][self._column] = byte
        self._column += 1
        if self._column >= self.columns or (self._window and self._column > self._window[1]):
            self._column = self._window[0] if self._window else 0
            self._page = (self._page + bool(self._window)) % 8

    @property
    def dots(self) -> list[bytearray]:
        """What can be seen, as rows of dots; an SH1106's glass shows the middle of its columns."""
        first = (self.columns - self.width) // 2
        return [
            bytearray(column >> row % 8 & 1 for column in self._memory[row // 8][first : first + self.width])
            for row in range(self.height)
        ]

    @property
    def charged(self) -> bool:
        """Whether its own supply of the dots is on: else the glass stays dark."""
        return self.settings.get(0x8D) == (0x14,) or self.settings.get(0xAD) == (0x8B,)


def pixels(picture: bytes) -> tuple[Sequence[bytes], bytes]:
    """The rows and the colours of a PNG: how it is compressed differs from one zlib to the other."""
    parts, at = dict[bytes, bytes](), 8
    while at < len(picture):
        (size,) = struct.unpack_from(">I", picture, at)
        name, data = picture[at + 4 : at + 8], picture[at + 8 : at + 8 + size]
        assert zlib.crc32(name + data) == struct.unpack_from(">I", picture, at + 8 + size)[0]
        parts[name] = data
        at += 12 + size
    width, height, depth, kind = struct.unpack_from(">IIBB", parts[b"IHDR"])
    assert (depth, kind) == (8, 3)
    raw = zlib.decompress(parts[b"IDAT"])
    rows = [raw[row * (width + 1) : (row + 1) * (width + 1)] for row in range(height)]
    assert len(raw) == height * (width + 1)
    assert all(row[0] == 0 for row in rows)
    return [row[1:] for row in rows], parts[b"PLTE"]
