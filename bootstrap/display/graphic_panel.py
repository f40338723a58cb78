"""A graphic display: an SSD1306 or an SH1106, written page by page; a page is eight rows of dots."""

from collections.abc import Iterator, Sequence

from bootstrap.display.bus_port import I2CPort, in_messages
from bootstrap.display.character_panel import changed_runs
from bootstrap.display.characters import cut, readable
from bootstrap.display.glyphs import HEIGHT, glyphs
from bootstrap.display.picture import CELL, Dots, text_dots

COMMANDS, DATA = b"\x00", b"\x40"  # what the bytes of a transfer are
ON, OFF = 0xAF, 0xAE
PAGE, LOW_COLUMN, HIGH_COLUMN = 0xB0, 0x00, 0x10
FULL_HEIGHT = 64
SAME = 8  # unchanged columns between two changed ones that are sent rather than a new address
FIRST_COLUMN = {"ssd1306": 0, "sh1106": 2}  # the SH1106 has 132 columns, of which the glass shows those in the middle


def set_up(chip: str, height: int) -> bytes:
    """Return the commands that prepare a chip for a glass of this height, after the data sheets (Solomon, Sino Wealth).

    They change nothing of what it shows, so that they may be repeated.
    """
    lines = height - 1
    wired = 0x12 if height == FULL_HEIGHT or chip == "sh1106" else 0x02
    own = (0x8D, 0x14, 0x20, 0x02) if chip == "ssd1306" else (0xAD, 0x8B)  # its charge pump; writing by pages
    usual = (0xD5, 0x80, 0xA8, lines, 0xD3, 0x00, 0x40, 0xA1, 0xC8, 0xDA, wired, 0x81, 0x7F, 0xD9, 0xF1, 0xDB, 0x40)
    return bytes((*usual, *own, 0xA4, 0xA6))


class GraphicPanel:
    """A display of dots on which text is drawn."""

    def __init__(self, chip: str, address: int, width: int, height: int, scale: int) -> None:
        """`scale` is how many dots wide each dot of a character is."""
        self.columns, self.rows = width // (CELL * scale), height // (HEIGHT * scale)
        self._chip, self._address, self._scale = chip, address, scale
        self._width, self._height = width, height
        self._pages: list[bytes] | None = None  # what it shows; None if that is not known
        self._lit = False

    def fitted(self, lines: Sequence[str]) -> list[str]:
        """Implement `Panel.fitted`."""
        drawn = [readable(line, glyphs().__contains__) for line in cut(lines, self.columns, self.rows)]
        return cut(drawn, self.columns, self.rows)

    def show(self, port: I2CPort, lines: Sequence[str], *, lit: bool, anew: bool) -> None:
        """Implement `Panel.show`. It is lit once it shows what it should, not what its memory held before."""
        known = None if anew else self._pages
        self._pages = None
        if known is None:
            port.write(self._address, COMMANDS + set_up(self._chip, self._height))
        pages = pages_of(text_dots(lines, self._width, self._height, self._scale))
        for number, page in enumerate(pages):
            for message in self._changes(number, known[number] if known else b"", page):
                port.write(self._address, *message)
        if lit != self._lit or known is None:
            port.write(self._address, COMMANDS + bytes([ON if lit else OFF]))
        self._lit, self._pages = lit, pages

    def _changes(self, number: int, before: bytes, page: bytes) -> Iterator[list[bytes]]:
        """Yield where each changed part of a page begins, and its bytes."""
        for at, part in changed_runs(before, page, SAME):
            column = at + FIRST_COLUMN[self._chip]
            where = (PAGE | number, LOW_COLUMN | column & 0x0F, HIGH_COLUMN | column >> 4)
            yield [COMMANDS + bytes(where), *in_messages(part, DATA)]


def pages_of(dots: Dots) -> list[bytes]:
    """Return dots as the pages of such a chip: each byte is a column of eight, the lowest bit at the top."""
    return [
        bytes(sum(dots[top + bit][x] << bit for bit in range(HEIGHT)) for x in range(len(dots[0])))
        for top in range(0, len(dots), HEIGHT)
    ]
