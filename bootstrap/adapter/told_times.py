"""Times in other people's payloads."""

from functools import cache

from bootstrap.answers.answer_value import AnswerValue
from bootstrap.contract import timestamps
from bootstrap.contract.payload import Json
from bootstrap.errors import Refused

AHEAD_S = 60.0  # by which a clock may be ahead of ours; beyond that, it is wrong
MILLISECONDS = 1e11  # from this number on: in seconds it would be the year 5138
SANE = 946_684_800.0  # 2000: a clock that was never set says less


@cache
def text_at(path: str) -> AnswerValue:
    """Return where a time, or anything else that is no measure, is in a payload."""
    return AnswerValue(f"seen = {path} text")


def told_time(path: str, payload: Json, now: float) -> float | None:
    """Return the time at a path, in seconds since 1970; None if there is none that can be true.

    A number is in seconds, or in milliseconds if it is that large; text is ISO 8601 with its offset from UTC.
    """
    if not path:
        return None
    try:
        found = text_at(path).found(payload)
        time = _seconds(found)
    except (ValueError, OverflowError):
        return None
    return time if time is not None and SANE <= time <= now + AHEAD_S else None


def _seconds(found: Json) -> float | None:
    if isinstance(found, str):
        try:
            return timestamps.parse(found).timestamp()
        except Refused:
            return float(found)
    if isinstance(found, bool) or not isinstance(found, int | float):
        return None
    return found / 1000 if found >= MILLISECONDS else float(found)
