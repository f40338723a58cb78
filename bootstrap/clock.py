"""Times on the wire: UTC, six decimals and `Z`, never twice the same for one sensor."""

import time
from datetime import UTC, datetime

from bootstrap.errors import Refused


def utc(microseconds: int) -> str:
    """Microseconds since 1970 as `2026-11-20T20:31:07.123456Z`."""
    seconds, rest = divmod(microseconds, 1_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:06d}Z"


def now() -> str:
    """The time now, as it goes on the wire."""
    return utc(time.time_ns() // 1000)


def parse(text: str) -> datetime:
    """Read a time from the wire.

    Raises:
        Refused: it is no ISO 8601 time with an offset, such as a trailing `Z`.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Refused(f"{text[:40]!r} is not a time such as 2026-11-20T20:31:07Z") from None
    if moment.tzinfo is None:
        raise Refused(f"{text!r} does not say its time zone; end it with Z for UTC")
    return moment


class Stamps:
    """The times of one sensor's readings: each later than the one before, whatever the clock does."""

    def __init__(self) -> None:
        self._last = 0

    def next(self, at_us: int | None = None) -> str:
        """The time now, or `at_us` in microseconds since 1970, or a microsecond after the last one given."""
        wanted = time.time_ns() // 1000 if at_us is None else at_us
        self._last = max(wanted, self._last + 1)
        return utc(self._last)
