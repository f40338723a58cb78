"""The values in what others publish: each is judged by itself, so that a bad one costs none of its neighbours."""

import json
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeAlias

from bootstrap.contract.payload import STRUCTURE, Json, decode, encode, finite, integer, parse_number, text_of, word
from bootstrap.errors import Refused

# A text, or whatever else stands between brackets, commas and colons. A text without its end reaches to the last one.
TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"?+|[^\s,:{}\[\]"]+', re.DOTALL)
LITERAL = re.compile(r"true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?", re.ASCII)
HALVES = "surrogateescape"  # so that one text in Latin-1 costs no other value
SHOWN = 40  # characters of a bad value in a message


@dataclass(frozen=True, slots=True)
class Invalid:
    """What stands in place of a value that is none."""

    why: str


Found: TypeAlias = "bool | int | float | str | Invalid | list[Found] | dict[str, Found] | None"


def parse(payload: bytes) -> Found:
    """Parse a payload: JSON, in which a bad value is `Invalid`; else a number by the one rule; else a word.

    What is not UTF-8 becomes halves of surrogate pairs in the texts and names where it stands.

    Raises:
        Refused: it is empty or too long, begins like an object or a list and is none, or is nested too deeply.
    """
    text = text_of(payload, errors=HALVES)
    try:
        return parse_json(text)
    except json.JSONDecodeError as error:
        bare = word(text, error)
    found = parse_number(bare)
    return bare if found is None else found


def members(payload: bytes) -> dict[str, Json]:
    """Return the good members of an object, of which a bad one may be beside them; none if it is no object."""
    with suppress(Refused):
        found = decode(payload)
        return found if isinstance(found, dict) else {}
    with suppress(Refused):
        parsed = parse(payload)
        if isinstance(parsed, dict):
            return {name: value for name, value in parsed.items() if _is_good(name, value)}  # type: ignore[misc]
    return {}


def _is_good(name: str, value: Found) -> bool:
    """Return whether there is nothing in a member that cannot be sent."""
    try:
        encode({name: value})
    except (TypeError, ValueError):
        return False
    return True


def parse_json(text: str) -> Found:
    """Parse JSON, also with values in it that JSON has no form for, such as `nan` and `+19.5`.

    Raises:
        JSONDecodeError: it is not JSON otherwise, either.
        Refused: it is nested too deeply.
    """
    try:
        return _decoded(text) if not text.startswith(STRUCTURE) else _structure(text)
    except RecursionError:
        raise Refused("the payload is nested too deeply") from None


def _structure(text: str) -> Found:
    """Parse an object or a list. If it is not JSON, what is no value in it is replaced, and remembered in order."""
    try:
        return _decoded(text)
    except json.JSONDecodeError:
        odd: list[str] = []
        mended = TOKEN.sub(lambda token: _mended(token[0], odd), text)
    return _decoded(mended, odd)


def _mended(text: str, odd: list[str]) -> str:
    """Return a token as JSON has it; what is neither a text nor a number is added to `odd`."""
    if text[0] == '"' or LITERAL.fullmatch(text):
        return text
    try:
        found = parse_number(text)
    except Refused:
        found = None
    if found is None:
        odd.append(text)
    return "NaN" if found is None else repr(found)


def _decoded(text: str, odd: Sequence[str] = ()) -> Found:
    """Parse JSON; `odd` are the texts that `NaN` stands for."""
    names = iter(odd)

    def constant(name: str) -> Invalid:
        return Invalid(f"{ascii(next(names, name))[1:-1][:SHOWN]} is not a value")

    found: Found = json.loads(text, strict=False, parse_constant=constant, parse_float=_float, parse_int=_int)
    return found


def _float(text: str) -> float | Invalid:
    try:
        return finite(text)
    except Refused as why:
        return Invalid(str(why))


def _int(text: str) -> int | Invalid:
    try:
        return integer(text)
    except Refused as why:
        return Invalid(str(why))
