"""A display of characters: an HD44780 behind a PCF8574, which holds its lines and its light.

Of its eight outputs, four are the HD44780's data lines D4 to D7, the others RS, RW, E and the light. It takes half a
byte when E falls. At 100 kHz, a byte on the bus takes longer than the HD44780 needs for an instruction; each half is
followed by one more that changes nothing, so that this is so at 400 kHz, too.
"""

import time
from collections.abc import Iterator, Mapping, Sequence

from bootstrap.display.bus_port import I2CPort, in_messages
from bootstrap.display.characters import ROMS, cut, readable
from bootstrap.display.glyphs import HEIGHT, glyphs

RS, E, LIGHT = 0x01, 0x04, 0x08  # outputs of the PCF8574
FUNCTION, ON, GROWING, HOME = 0x28, 0x0C, 0x06, 0x02  # two lines of 5x8 dots; no cursor; to the right; unshifted
CGRAM, DDRAM = 0x40, 0x80
LINES = (0x00, 0x40, 0x14, 0x54)  # addresses where they begin
OWN_SIGNS = 8  # characters whose dots can be set
BLANK = 0x20
FIRST_S, NEXT_S, HOME_S = 0.0045, 0.0002, 0.002  # data sheet, figure 24 and table 6
SAME = 1  # unchanged characters between two changed ones that are sent rather than a new address


class CharacterPanel:
    """A display of 16x2 or 20x4 characters."""

    def __init__(self, address: int, columns: int, rows: int, rom: str) -> None:
        self.columns, self.rows = columns, rows
        self._address, self._rom = address, ROMS[rom]
        self._cells: list[bytes] | None = None  # what it shows, by line; None if that is not known
        self._slots: dict[str, int] = {}  # which of its own signs it has at which place
        self._lit = False

    def fitted(self, lines: Sequence[str]) -> list[str]:
        """Implement `Panel.fitted`. At most eight different characters that its ROM lacks are drawn."""
        drawn = dict[str, None]()

        def has(sign: str) -> bool:
            if sign not in self._rom and sign in glyphs() and len(drawn) < OWN_SIGNS:
                drawn[sign] = None
            return sign in self._rom or sign in drawn

        return cut([readable(line, has) for line in cut(lines, 2 * self.columns, self.rows)], self.columns, self.rows)

    def show(self, port: I2CPort, lines: Sequence[str], *, lit: bool, anew: bool) -> None:
        """Implement `Panel.show`."""
        known = None if anew else self._cells
        self._cells = None
        if lit != self._lit or known is None:
            self._lit = lit
            self._send(port, [self._light])
        if known is None:
            self._set_up(port)
        changed = self._signs(lines)
        cells = [self._codes(line) for line in lines]
        sent = [one for number, slot in changed.items() for one in _sign(number, slot)]
        sent += [one for row, line in enumerate(cells) for one in _changes(row, known[row] if known else b"", line)]
        if sent:
            self._send(port, _bytes(sent, self._light))
        self._cells = cells

    @property
    def _light(self) -> int:
        return LIGHT if self._lit else 0

    def _send(self, port: I2CPort, data: Sequence[int]) -> None:
        port.write(self._address, *in_messages(bytes(data)))

    def _set_up(self, port: I2CPort) -> None:
        """Bring it from whatever it is in, also from between two halves, to halves of bytes; nothing is cleared."""
        for half, pause_s in ((0x30, FIRST_S), (0x30, NEXT_S), (0x30, NEXT_S), (0x20, NEXT_S)):
            self._send(port, _half(half | self._light))
            time.sleep(pause_s)
        for instruction, pause_s in ((FUNCTION, 0), (ON, 0), (GROWING, 0), (HOME, HOME_S)):
            self._send(port, _bytes([(0, instruction)], self._light))
            time.sleep(pause_s)
        self._slots.clear()

    def _signs(self, lines: Sequence[str]) -> Mapping[str, int]:
        """Find a place for each character that the ROM lacks. Returns those that are new there."""
        wanted = [sign for sign in dict.fromkeys("".join(lines)) if sign not in self._rom]
        kept = {sign: slot for sign, slot in self._slots.items() if sign in wanted}
        free = iter(slot for slot in range(OWN_SIGNS) if slot not in kept.values())
        new = {sign: next(free) for sign in wanted if sign not in kept}
        self._slots = {**kept, **new}
        return new

    def _codes(self, line: str) -> bytes:
        """Return the code of each character of a line."""
        codes = bytes(self._rom[sign] if sign in self._rom else self._slots[sign] for sign in line)
        return codes.ljust(self.columns, bytes([BLANK]))


def _sign(sign: str, slot: int) -> Iterator[tuple[int, int]]:
    """Yield what sets the dots of a character."""
    yield 0, CGRAM | slot * HEIGHT
    yield from ((RS, row) for row in glyphs()[sign])


def _changes(row: int, before: bytes, after: bytes) -> Iterator[tuple[int, int]]:
    """Yield what changes a line, each a register and a byte."""
    for at, codes in changed_runs(before, after, SAME):
        yield 0, DDRAM | LINES[row] + at
        yield from ((RS, code) for code in codes)


def changed_runs(before: bytes, after: bytes, gap: int) -> Iterator[tuple[int, bytes]]:
    """Yield each run of bytes that has changed, with where it begins. At most `gap` unchanged ones are part of it.

    Without `before` everything has changed.
    """
    changed = [at for at, one in enumerate(after) if not before or before[at] != one]
    while changed:
        begin = end = changed.pop(0)
        while changed and changed[0] - end <= gap + 1:
            end = changed.pop(0)
        yield begin, after[begin : end + 1]


def _bytes(sent: Sequence[tuple[int, int]], light: int) -> list[int]:
    """Return the outputs that send these bytes, each to a register; RS is set before E rises."""
    found, register = list[int](), -1
    for to, byte in sent:
        if to != register:
            found.append(to | light)
            register = to
        for half in (byte & 0xF0, byte << 4 & 0xF0):
            found += _half(half | to | light)
    return found


def _half(outputs: int) -> list[int]:
    """Return the outputs that send half a byte."""
    return [outputs | E, outputs, outputs]
