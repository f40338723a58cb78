"""A picture of a display, drawn from what its sensor says that it shows."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bootstrap.contract.payload import decode
from bootstrap.display.glyphs import HEIGHT, WIDTH
from bootstrap.display.picture import Dots, draw, png, text_dots
from bootstrap.errors import Refused

MARGIN, GAP, SCALE = 3, 1, 4  # dots around the characters and between them; pixels of a dot
MOST_DOTS, MOST_SCALE = 128, 4
LONGEST = 10_000  # characters: no display shows more
SIZE = re.compile(r"[1-9]\d{0,2}", re.ASCII)
BOARD, CELL, DOT = 0, 1, 2  # the numbers of colours
GREEN = ((150, 190, 20), (141, 181, 16), (32, 44, 8))
DARK_GREEN = ((96, 108, 62), (91, 103, 58), (36, 42, 24))
WHITE, BLACK = ((0, 0, 0), (235, 245, 255)), ((0, 0, 0), (0, 0, 0))


@dataclass(frozen=True)
class ShownDisplay:
    """A display, as its sensor describes it, and what it shows.

    Attributes:
        graphic: whether it has dots all over, not characters.
        width: characters in a line, or dots.
        height: lines, or rows of dots.
        scale: how many dots of a graphic display are one dot of a character.
        lines: what it shows.
        lit: whether its light is on.
    """

    graphic: bool
    width: int
    height: int
    scale: int
    lines: Sequence[str]
    lit: bool

    @classmethod
    def of(cls, about: Mapping[str, Any], shown: object, *, lit: bool) -> "ShownDisplay":
        """Return the display that `status/about` describes.

        Raises:
            ValueError: it describes none, or nothing is shown on it.
        """
        facts = about.get("display")
        if not isinstance(facts, Mapping) or not isinstance(shown, str):
            raise ValueError("it is no display, or has shown nothing yet")  # noqa: TRY004 - as for all that is wrong
        width, height = _size(facts.get("size"))
        scale = facts.get("scale")
        fits = isinstance(scale, int) and 0 < scale <= MOST_SCALE
        graphic = facts.get("driver") != "hd44780"
        lines = [line[:width] for line in shown[:LONGEST].split("\n")[:height]]
        return cls(graphic, width, height, scale if fits else 1, lines, lit)  # type: ignore[arg-type]

    @classmethod
    def published(cls, about: Mapping[str, Any], shown: bytes, light: bytes | None) -> "ShownDisplay":
        """Return the display that `status/about` describes, by what it has published as `data/shown` and `data/light`.

        Raises:
            ValueError: it describes none, or nothing is shown on it.
        """
        try:
            text = decode(shown)
        except Refused:
            text = None
        return cls.of(about, text, lit=light != b"false")

    def png(self) -> bytes:
        """Return its picture."""
        if self.graphic:
            return png(text_dots(self.lines, self.width, self.height, self.scale), WHITE if self.lit else BLACK, SCALE)
        return png(self._characters(), GREEN if self.lit else DARK_GREEN, SCALE)

    def _characters(self) -> Dots:
        """Return its cells, each with its character."""
        columns = 2 * MARGIN + self.width * (WIDTH + GAP) - GAP
        dots = [bytearray(columns) for _ in range(2 * MARGIN + self.height * (HEIGHT + GAP) - GAP)]
        for row in range(self.height):
            line = (self.lines[row] if row < len(self.lines) else "").ljust(self.width)
            for column, sign in enumerate(line[: self.width]):
                left, top = MARGIN + column * (WIDTH + GAP), MARGIN + row * (HEIGHT + GAP)
                for cells in dots[top : top + HEIGHT]:
                    cells[left : left + WIDTH] = bytes([CELL]) * WIDTH
                draw(dots, sign, left, top, on=DOT)
        return dots


def _size(found: object) -> tuple[int, int]:
    """Return width and height of a size such as `16x2`. ValueError: no display has it."""
    match str(found).split("x"):
        case [width, height] if all(SIZE.fullmatch(one) and int(one) <= MOST_DOTS for one in (width, height)):
            return int(width), int(height)
    raise ValueError("it says no size that a display has")
