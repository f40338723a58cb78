"""Which characters a display has, and what stands for those that it lacks."""

# ruff: noqa: RUF001 - characters that look alike are what this is about

from collections.abc import Callable, Mapping, Sequence

from bootstrap.display.glyphs import NO_GLYPH

# HD44780U data sheet, table 4: ROM code A00, as most displays have it, and A02. What both have is ASCII.
ASCII = {chr(code): code for code in range(0x20, 0x7F)}
A00 = {sign: code for sign, code in ASCII.items() if sign not in "\\~"} | {
    "→": 0x7E,
    "←": 0x7F,
    "·": 0xA5,
    "°": 0xDF,
    "ä": 0xE1,
    "ß": 0xE2,
    "µ": 0xE4,
    "ñ": 0xEE,
    "ö": 0xEF,
    "Ω": 0xF4,
    "ü": 0xF5,
    "÷": 0xFD,
}
A02 = (
    ASCII
    | {"↑": 0x18, "↓": 0x19, "→": 0x1A, "←": 0x1B, "Ω": 0x9A, "°": 0xB0, "µ": 0xB5}
    | {sign: ord(sign) for sign in "£§±²³·×÷ÄÅÉÖÜßàáâãäåæçèéêëìíîïñòóôõöøùúûü"}
)
ROMS: Mapping[str, Mapping[str, int]] = {"A00": A00, "A02": A02}

# What most people would write instead.
PAIRS = (
    "‐ -|‑ -|– -|— -|− -|… ...|• ·|‘ '|’ '|‚ '|“ \"|” \"|„ \"|« <|» >|º °|€ EUR|£ GBP|ß ss|ä ae|ö oe|ü ue|Ä Ae|"
    "Ö Oe|Ü Ue|Å Aa|å aa|æ ae|ø oe|Æ Ae|Ø Oe|œ oe|ł l|Ł L|đ d|þ th|° o|µ u|² 2|³ 3|± +-|× x|÷ /|· .|§ S|Ω Ohm|→ >|"
    "← <|↑ ^|↓ v|\\ /|~ -|≤ <=|≥ >=|₂ 2|₃ 3"
)
INSTEAD = {"\u00a0": " ", "\t": " ", "\u202f": " ", "\u2126": "Ω", "\u03bc": "µ"} | dict(
    pair.split(" ") for pair in PAIRS.split("|")
)


def readable(text: str, has: Callable[[str], bool]) -> str:
    """Return text in the characters that a display has: others are replaced by what people write instead of them."""
    return "".join(sign if has(sign) else _instead(sign, has) for sign in text)


def _instead(sign: str, has: Callable[[str], bool]) -> str:
    """Return what stands for a character; `NO_GLYPH` if nothing does."""
    found = INSTEAD.get(sign, "")
    if found:
        return found if all(map(has, found)) else readable(found, has)
    from unicodedata import normalize  # noqa: PLC0415 - a megabyte, for few texts

    bare = [part for part in normalize("NFKD", sign) if has(part)]
    return "".join(bare) or NO_GLYPH


def cut(lines: Sequence[str], columns: int, rows: int) -> list[str]:
    """Return as many lines as there are, none longer than it may be, without blanks at their ends."""
    found = [line[:columns].rstrip() for line in lines[:rows]]
    return [*found, *[""] * (rows - len(found))]
