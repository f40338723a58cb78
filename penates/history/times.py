"""Times of a history, of which any may be stored: for people, for files, and as options."""

import argparse
import re
import time
from datetime import UTC, datetime

from bootstrap.contract import timestamps
from bootstrap.history.reader import DAY_S, MICRO
from penates.console.output import HOUR, MINUTE

SPAN = re.compile(r"(\d{1,9}(?:\.\d{1,9})?) ?(s|min|m|h|d|w)", re.ASCII)
SECONDS = {"s": 1, "m": MINUTE, "min": MINUTE, "h": HOUR, "d": DAY_S, "w": 7 * DAY_S}
CYCLE_YEARS, CYCLE_S = 400, 146_097 * DAY_S  # after which the calendar repeats itself
FIRST_S, LAST_S = -62_135_596_800, 253_402_300_799  # the years 1 to 9999, which Python's times can have
EDGE_S = 2 * DAY_S  # by which a time of a zone may be beyond these


def printed(time_us: int) -> str:
    """Return microseconds since 1970 in UTC, in years of more than four digits as ISO 8601 expands them."""
    seconds = time_us // MICRO
    if FIRST_S <= seconds <= LAST_S:
        return timestamps.utc(time_us)
    cycles, rest = divmod(seconds, CYCLE_S)
    moment = datetime.fromtimestamp(rest, UTC)
    return f"{moment.year + CYCLE_YEARS * cycles:+07d}{moment:-%m-%dT%H:%M:%S}.{time_us % MICRO:06d}Z"


def for_people(time_us: int) -> str:
    """Return microseconds since 1970 in this machine's time zone, to the second; in UTC beyond the year 9999."""
    seconds = time_us // MICRO
    if not FIRST_S + EDGE_S <= seconds <= LAST_S - EDGE_S:
        return printed(time_us)
    return f"{local(seconds):%Y-%m-%d %H:%M:%S}"


def local(moment: float) -> datetime:
    """Return a moment in this machine's time zone, or the first or last moment that a calendar has."""
    return datetime.fromtimestamp(min(max(moment, FIRST_S + EDGE_S), LAST_S - EDGE_S)).astimezone()


def since_us(text: str) -> int:
    """Return when a span such as `7d`, or from a given time, begins, in microseconds since 1970."""
    if span := SPAN.fullmatch(text):
        return max(0, round((time.time() - float(span[1]) * SECONDS[span[2]]) * MICRO))
    try:
        return round(datetime.fromisoformat(text).astimezone().timestamp() * MICRO)
    except (ValueError, OverflowError, OSError):
        what = "a span such as 90min, 24h, 7d or 2w, or a time such as 2026-11-01 or 2026-11-01T12:00"
        raise argparse.ArgumentTypeError(f"{text!r} must be {what}") from None
