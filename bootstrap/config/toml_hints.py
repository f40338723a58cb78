"""What the author of a line that is not TOML probably meant: many write it as in YAML, in Python or in a letter."""

import re
from collections.abc import Callable, Iterator

TRUE, FALSE = frozenset({"true", "yes", "on"}), frozenset({"false", "no", "off"})
NONE = frozenset({"none", "null", "nil", "~"})
CURLY = re.compile("[\u2018-\u201f\u00ab\u00bb]")
# Spaces that TOML does not know, and characters that take no room at all.
ODD = re.compile("[\u00a0\u1680\u2000-\u200f\u2028-\u202f\u205f-\u2064\u3000\ufeff]")
_SETTING = re.compile(r"""\s*(?:"[^"]*"|'[^']*'|[\w.-]+)\s*=\s*(?P<value>.*?)\s*""", re.ASCII | re.DOTALL)
_COLON = re.compile(r"""\s*["']?[\w-]+["']?\s*:(\s.*)?""", re.ASCII | re.DOTALL)
_COMMENT = re.compile(r"\s*#[^\"']*$")
_OTHER_COMMENT = re.compile(r"""(^\s*|[\w"']\s+)(//|;|--)\s""")
_COMMA = re.compile(r"[+-]?\d+,\d+")
_LEADING_ZERO = re.compile(r"([+-]?)0+(\d+)")
_HALF = re.compile(r"([+-]?)(\d*)\.(\d*)")
_SPACED = re.compile(r"[+-]?\d{1,3}( \d{3})+")
_WITH_UNIT = re.compile(r"([+-]?\d+(?:\.\d+)?) ?([A-Za-z°%]{1,3})")
_BARE = re.compile(r"""[^\s"'\[\]{}=#,;][^"'\[\]{}=#,;]*""")


def hint(row: str, problem: str) -> str:
    """Return what to write instead of a row in which tomllib has found a problem; empty if nothing is known."""
    row = row.rstrip("\r")
    return next((found for rule in _RULES if (found := rule(row, problem))), "")


def _odd_character(row: str, _problem: str) -> str:
    if found := ODD.search(row):
        import unicodedata  # noqa: PLC0415 - a megabyte, for few files

        code = ord(found[0])
        name = unicodedata.name(found[0], "an invisible character").lower()
        return f"character {found.start() + 1} is U+{code:04X} ({name}): replace it by an ordinary space"
    return ""


def _curly_quotes(row: str, _problem: str) -> str:
    found = CURLY.search(row)
    return f"""use straight quotes, "…", instead of {found[0]}""" if found else ""


def _colon(row: str, _problem: str) -> str:
    return "use = instead of :" if _COLON.fullmatch(row) and "=" not in row.partition("#")[0] else ""


def _slashes(row: str, _problem: str) -> str:
    return "a comment begins with #" if _OTHER_COMMENT.search(row) else ""


def _value(row: str, problem: str) -> str:
    """Return a hint for the value of a setting."""
    found = _SETTING.fullmatch(_COMMENT.sub("", row))
    return next(_of_value(found["value"], problem), "") if found else ""


def _of_value(value: str, problem: str) -> Iterator[str]:
    word = value.lower()
    if not value:
        yield "there is no value after ="
    if value.endswith((",", ";")):
        yield f"remove the {value[-1]} at its end"
    if word in TRUE | FALSE:
        yield f'write {"true" if word in TRUE else "false"}, or "{value}" for text'
    if word in NONE:
        yield "remove the line to use the default"
    yield from _of_number(value)
    if value[0] in "\"'" and value.count(value[0]) == 1:
        yield f"the closing {value[0]} is missing"
    if "Unescaped" in problem or "hex value" in problem:
        yield r"in text between double quotes write \\ for \, or use single quotes"
    if value.startswith("["):
        yield "is a ] missing, or are quotes?"
    if _BARE.fullmatch(value):
        yield f'text needs quotes: "{value}"'


def _of_number(value: str) -> Iterator[str]:
    if _COMMA.fullmatch(value):
        yield f"use a decimal point: {value.replace(',', '.')}"
    elif found := _LEADING_ZERO.fullmatch(value):
        yield f'write the number without leading zeros: {found[1]}{found[2]}, or "{value}" for text'
    elif (found := _HALF.fullmatch(value)) and (found[2] or found[3]):
        yield f"write digits on both sides of the point: {found[1]}{found[2] or 0}.{found[3] or 0}"
    elif _SPACED.fullmatch(value):
        yield f"write the number without spaces: {value.replace(' ', '')}"
    elif found := _WITH_UNIT.fullmatch(value):
        yield f'write the number without its unit: {found[1]}, or "{value}" for text'


def _again(_row: str, problem: str) -> str:
    return "it is set twice" if problem.startswith("Cannot overwrite") else ""


_RULES: tuple[Callable[[str, str], str], ...] = (_again, _odd_character, _curly_quotes, _slashes, _colon, _value)
