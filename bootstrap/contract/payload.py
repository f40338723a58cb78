"""Payloads: JSON, or raw text where that is simpler. Every byte string has one defined meaning."""

import json
import math
import re
from typing import NoReturn, TypeAlias

from bootstrap.errors import Refused

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

MAX_BYTES = 65_536
MAX_DIGITS = 18  # more than any id or counter needs, and exact in 64 bits
STRUCTURE = ("{", "[")  # how an object and a list begin
NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?", re.ASCII)
NO_NUMBER = re.compile(r"[-+]?(?:nan|inf|infinity)", re.ASCII | re.IGNORECASE)  # as programs write what they lack
TRUTH = {"true": 1.0, "false": 0.0}


def parse_number(text: str) -> float | None:
    """Return the number that text means, or None if it is a word. White space around it does not count.

    This is the one rule for all that is recorded or imported: `21.5`, `+19.5`, `.5` and `1e3` are numbers, and so are
    `true` (1) and `false` (0), in capitals or not.

    Raises:
        Refused: it means a number, but not one that can be stored: `nan`, `inf`, one that is too large or too long.
    """
    text = text.strip()
    if NUMBER.fullmatch(text):
        if text.lstrip("+-").isdecimal() and len(text.lstrip("+-")) > MAX_DIGITS:
            raise Refused(f"{text[:MAX_DIGITS]}… has more than {MAX_DIGITS} digits")
        if not math.isfinite(float(text)):
            raise Refused(f"{text[:MAX_DIGITS]} is too large")
        return float(text)
    if NO_NUMBER.fullmatch(text):
        raise Refused(f"{text!r} is not a number that can be stored")
    return TRUTH.get(text.lower())


def encode(value: object) -> bytes:
    """Encode a scalar as JSON, text as it is, a mapping as a JSON object, all in UTF-8.

    Text that would decode to something else (`"42"`, `" a"`, `""`) is quoted, so that `decode` returns it.

    Raises:
        ValueError: NaN, an infinity, or text that UTF-8 cannot hold.
        TypeError: a value that JSON cannot represent.
    """
    if isinstance(value, str) and _decodes_to_itself(value):
        return value.encode()
    return json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":")).encode()


def as_text(value: object) -> str:
    """Return a value as people read it: true and false as in JSON, text without quotes."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _decodes_to_itself(text: str) -> bool:
    try:
        return decode(text.encode()) == text
    except Refused:
        return False


def decode(payload: bytes) -> Json:
    """Decode a payload: JSON if it is JSON, else its text without surrounding white space.

    Raises:
        Refused: it is empty, longer than 64 KiB, not Unicode, nested too deeply, has a number that is not finite or too
            long, or begins like an object or a list and is none.
    """
    text = text_of(payload)
    try:
        return _loads(text)
    except json.JSONDecodeError as error:
        return word(text, error)
    except RecursionError:
        raise Refused("the payload is nested too deeply") from None


def word(text: str, error: json.JSONDecodeError) -> str:
    """Return a text that is not JSON, as `error` says.

    Raises:
        Refused: it begins like an object or a list, so that somebody meant it to be one.
    """
    if text.startswith(STRUCTURE):
        what = "an object" if text.startswith("{") else "a list"
        raise Refused(f"the payload begins like {what}, but is not JSON: {error}") from None
    return text


def text_of(payload: bytes, most: int = MAX_BYTES, errors: str = "strict") -> str:
    """Return a payload of at most `most` bytes as text, without surrounding white space.

    `errors` is that of `bytes.decode`: with "surrogateescape", what is not UTF-8 becomes halves of surrogate pairs.

    Raises:
        Refused: it is empty, longer, or not UTF-8.
    """
    if len(payload) > most:
        raise Refused(f"the payload has {len(payload)} bytes; at most {most} are read")
    try:
        text = payload.decode(errors=errors).strip()
    except UnicodeDecodeError:
        raise Refused("the payload is not UTF-8 text") from None
    if not text:
        raise Refused("the payload is empty")
    return text


def _loads(text: str) -> Json:
    value: Json = json.loads(text, parse_constant=_not_a_number, parse_float=finite, parse_int=integer)
    if "\\u" in text:
        _check_escapes(value)
    return value


def _check_escapes(value: Json) -> None:
    """Refuse half a surrogate pair: JSON can escape it, but UTF-8 cannot encode it."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise Refused("the payload escapes half a surrogate pair") from None


def _not_a_number(text: str) -> NoReturn:
    raise Refused(f"{text} is not a finite number")


def finite(text: str) -> float:
    """Return a number.

    Raises:
        Refused: it is too large to be finite.
    """
    value = float(text)
    if not math.isfinite(value):
        raise Refused("a number in the payload is too large")
    return value


def integer(text: str) -> int:
    """Return a whole number.

    Raises:
        Refused: it has more than 18 digits.
    """
    if len(text.lstrip("+-")) > MAX_DIGITS:
        raise Refused(f"a whole number in the payload has more than {MAX_DIGITS} digits")
    return int(text)
