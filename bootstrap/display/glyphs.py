"""The dots of each character on a display, as `glyphs.txt` beside this file draws them."""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TypeAlias

Glyph: TypeAlias = bytes  # its rows from the top; the lowest bit of each is the dot at the right

WIDTH, HEIGHT = 5, 8
DRAWN_ROWS, STEP = 7, 7  # rows and columns of a drawn character; the gap between two is part of the columns
FILE = Path(__file__).with_name("glyphs.txt")
NO_GLYPH = "_"  # shown for a character that nothing can stand for


@cache
def glyphs() -> Mapping[str, Glyph]:
    """Return the dots of all characters that can be drawn."""
    rows = [row for row in FILE.read_text(encoding="utf-8").splitlines() if not row.startswith("# ")]
    return dict(_drawn(rows))


def _drawn(rows: list[str]) -> Iterator[tuple[str, Glyph]]:
    """Yield each character with its dots; above each block of drawings stand its characters."""
    for at in range(0, len(rows), DRAWN_ROWS + 1):
        names, drawings = rows[at], rows[at + 1 : at + 1 + DRAWN_ROWS]
        for column in range(0, len(names), STEP):
            lines = [line[column : column + WIDTH] for line in drawings]
            yield names[column], bytes(int(line.replace("#", "1").replace(".", "0"), 2) for line in lines) + b"\0"
