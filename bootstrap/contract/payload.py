"""Payloads: JSON, or raw text where that is simpler. Every byte string has one defined meaning."""

import json
import math
from typing import NoReturn, TypeAlias

from bootstrap.errors import Refused

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

MAX_BYTES = 65_536
MAX_DIGITS = 18  # more than any id or counter needs, and exact in 64 bits


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


def _decodes_to_itself(text: str) -> bool:
    try:
        return decode(text.encode()) == text
    except Refused:
        return False


def decode(payload: bytes) -> Json:
    """Decode a payload: JSON if it is JSON, else its text without surrounding white space.

    Raises:
        Refused: it is empty, longer than 64 KiB, not Unicode, nested too deeply, or has a number that is not finite or
            too long.
    """
    text = _text(payload)
    try:
        return _loads(text)
    except json.JSONDecodeError:
        return text
    except RecursionError:
        raise Refused("the payload is nested too deeply") from None


def _text(payload: bytes) -> str:
    if len(payload) > MAX_BYTES:
        raise Refused(f"the payload has {len(payload)} bytes; at most {MAX_BYTES} are read")
    try:
        text = payload.decode().strip()
    except UnicodeDecodeError:
        raise Refused("the payload is not UTF-8 text") from None
    if not text:
        raise Refused("the payload is empty")
    return text


def _loads(text: str) -> Json:
    value: Json = json.loads(text, parse_constant=_not_a_number, parse_float=_finite, parse_int=_short)
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


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise Refused("a number in the payload is too large")
    return value


def _short(text: str) -> int:
    if len(text.lstrip("-")) > MAX_DIGITS:
        raise Refused(f"a whole number in the payload has more than {MAX_DIGITS} digits")
    return int(text)
