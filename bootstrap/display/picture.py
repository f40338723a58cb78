"""Lines of text as dots, and dots as a picture."""

import struct
import zlib
from collections.abc import Sequence
from typing import TypeAlias

from bootstrap.display.glyphs import HEIGHT, NO_GLYPH, WIDTH, glyphs

Dots: TypeAlias = list[bytearray]  # rows from the top; each dot is a byte, 0 or 1

CELL = WIDTH + 1  # columns of a character on a graphic display
SIGNATURE = b"\x89PNG\r\n\x1a\n"
PALETTE, DEPTH = 3, 8  # of a PNG: each dot is the number of a colour, in a byte


def text_dots(lines: Sequence[str], width: int, height: int, scale: int = 1) -> Dots:
    """Return a graphic display of these dots with lines of text on it; each of a character's is `scale` dots wide."""
    dots = [bytearray(width) for _ in range(height)]
    for row, line in enumerate(lines):
        for column, sign in enumerate(line):
            draw(dots, sign, column * CELL * scale, row * HEIGHT * scale, scale=scale)
    return dots


def draw(dots: Dots, sign: str, left: int, top: int, *, scale: int = 1, on: int = 1) -> None:  # noqa: PLR0913
    """Draw a character in the colour `on`; dots outside are left out."""
    for y, row in enumerate(glyphs().get(sign) or glyphs()[NO_GLYPH]):
        for x in range(WIDTH):
            if row >> (WIDTH - 1 - x) & 1:
                for line in dots[top + y * scale : top + (y + 1) * scale]:
                    part = slice(left + x * scale, left + (x + 1) * scale)
                    line[part] = bytes([on]) * len(line[part])


def png(dots: Dots, colours: Sequence[tuple[int, int, int]], scale: int = 1) -> bytes:
    """Return dots as a PNG picture, each `scale` pixels wide and of the colour of its number."""
    rows = [bytes(one for dot in row for one in [dot] * scale) for row in dots for _ in range(scale)]
    head = struct.pack(">IIBBBBB", len(rows[0]), len(rows), DEPTH, PALETTE, 0, 0, 0)
    palette = b"".join(map(bytes, colours))
    data = zlib.compress(b"".join(b"\0" + row for row in rows), 9)
    return SIGNATURE + b"".join(
        _chunk(name, part) for name, part in ((b"IHDR", head), (b"PLTE", palette), (b"IDAT", data), (b"IEND", b""))
    )


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
