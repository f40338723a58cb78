"""Times on the wire: UTC, six decimals and `Z`, never the same twice for one sensor; and how far to trust the clock.

A Pi has no clock chip: it starts with a time in the past, and jumps when it receives the time from the network.
"""

import json
import os
import secrets
import time
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bootstrap.errors import Refused
from bootstrap.logs import log

HOLD_S = 600.0  # longest wait for the clock to be set
CHECK_S = 1.0
MAX_LEAD_US = 1_000_000  # a timestamp that is further ahead of the clock is marked as unsure
LONGEST_LEAD_US = 300_000_000  # a lead over the clock that half its pace makes good in ten minutes
SAME_MOMENT_US = 1000  # arrivals that are closer are told apart; order is worth no wrong time to them
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
TIME_ERROR = 5  # adjtimex(2): the clock is not synchronised
TIMEX_BYTES = 256  # more than struct timex has
MARK = b'"boot":['
ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"
RUN_LENGTH = 8


def new_run() -> str:
    """Return a random name for readings that follow each other in time."""
    return "".join(secrets.choice(ALPHABET) for _ in range(RUN_LENGTH))


def utc(microseconds: int) -> str:
    """Format microseconds since 1970 as `2026-11-20T20:31:07.123456Z`."""
    seconds, rest = divmod(microseconds, 1_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:06d}Z"


def now() -> str:
    """Return the current time in the format of the wire."""
    return utc(_wall_us())


def for_people(text: str) -> str:
    """Return a time from the wire in the time zone of this machine, to the second: `2026-11-20 21:31:07`."""
    return f"{datetime.fromisoformat(text).astimezone():%Y-%m-%d %H:%M:%S}"


def parse(text: str) -> datetime:
    """Parse a time from the wire.

    Raises:
        Refused: it is not an ISO 8601 time with an offset, such as a trailing `Z`.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Refused(f"{text[:40]!r} is not a time such as 2026-11-20T20:31:07Z") from None
    if moment.tzinfo is None:
        raise Refused(f"{text!r} has no time zone; end it with Z for UTC")
    return moment


def _wall_us() -> int:
    return time.time_ns() // 1000


def _boot_us() -> int:
    """Return the microseconds since the machine booted, sleep included; nothing sets this clock."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000


class Stamps:
    """Timestamps of which each is later than the one before, whatever the clock does."""

    def __init__(self) -> None:
        self._last = self._last_boot = 0

    def lead_us(self, now_us: int) -> int:
        """Return by how many microseconds the newest timestamp is ahead of the clock, which is at `now_us`."""
        return max(0, self._last - now_us)

    def next(self, at_us: int) -> int:
        """Return the timestamp for `at_us`, both in microseconds since 1970.

        After the clock was set back, timestamps advance at half its pace until it has caught up.
        """
        boot = _boot_us()
        if at_us <= self._last:
            at_us = self._last + max(1, (boot - self._last_boot) // 2)
        self._last, self._last_boot = at_us, boot
        return at_us


def newest(paths: Iterable[Path]) -> float:
    """Return when the newest of these files, and of those in these folders, was changed, in seconds since 1970."""
    latest = 0.0
    for path in paths:
        if not os.access(path, os.F_OK):
            continue
        with suppress(OSError):
            latest = max(latest, path.stat().st_mtime)
            if path.is_dir():
                latest = max([latest, *(entry.stat().st_mtime for entry in os.scandir(path))])
    return latest


def synchronised() -> bool:
    """Return whether the kernel reports a synchronised clock. False means little: many containers never report one."""
    import ctypes  # noqa: PLC0415 - half a megabyte, needed only by a machine that started in the past

    try:
        return ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(TIMEX_BYTES)) not in {TIME_ERROR, -1}
    except (AttributeError, OSError):
        return False


class MachineClock:
    """The machine's clock, and how far to trust it.

    It is *unsure* while it is not synchronised and is earlier than a time known to have passed. What happens then is
    dated by the time since boot, so that its timestamp can be corrected once the clock is set.
    """

    def __init__(self, known: float = 0.0) -> None:
        """Start with `known`, a time that has passed, in seconds since 1970."""
        self.known = known
        self._held_since: float | None = None
        self._started_us: int | None = None

    @property
    def unsure(self) -> bool:
        """Whether the clock cannot be right."""
        return time.time() < self.known and not synchronised()

    def hold_s(self) -> float:
        """Return in how many seconds to check again whether the history's times are known; 0 if it need not wait."""
        if not self.unsure:
            self._held_since = None
            return 0.0
        moment = time.monotonic()
        self._held_since = self._held_since or moment
        return CHECK_S if moment - self._held_since < HOLD_S else 0.0

    @property
    def started_us(self) -> int:
        """When the machine booted; the same each time, so that order is kept, unless the clock was set."""
        started = _wall_us() - _boot_us()
        if self._started_us is None or abs(started - self._started_us) > MAX_LEAD_US:
            self._started_us = started
        return self._started_us


class Clock(MachineClock):
    """The clock of one sensor's readings, each of which is later than the one before it in the same run.

    Attributes:
        run: the name of the readings from the start on; a new one begins when the clock is set back by more than can be
            caught up with in minutes, because the first reading with the true time is then an earlier one.
    """

    def __init__(self, known: float = 0.0) -> None:
        """Start with `known`, a time that has passed, in seconds since 1970."""
        super().__init__(known)
        self._stamps, self._boot_stamps = Stamps(), Stamps()
        self.run = new_run()

    def stamp(self, at_us: int | None = None) -> dict[str, Any]:
        """Return the time now, or `at_us` in microseconds since 1970, as the fields of a reading of `run`."""
        wall = _wall_us()
        if (lead_us := self._stamps.lead_us(wall)) > LONGEST_LEAD_US:
            self._begin_run(lead_us)
        given = wall if at_us is None else min(at_us, wall)
        stamped = self._stamps.next(given)
        fields: dict[str, Any] = {"time": utc(stamped)}
        if self.unsure:
            return {**fields, "boot": [_boot_id(), self._boot_stamps.next(_boot_us() - (wall - given))]}
        return {**fields, "clock": "unsure"} if stamped - given > MAX_LEAD_US else fields

    def _begin_run(self, lead_us: int) -> None:
        self._stamps, self.run = Stamps(), new_run()
        log.warning("the clock was set back; readings have its time at once, as a new run", by_s=lead_us // 1_000_000)

    def settle(self, payload: bytes) -> bytes:
        """Return a reading to publish, its time corrected if possible, else marked unsure; anything else unchanged."""
        if MARK not in payload:
            return payload
        with suppress(AttributeError, KeyError, OSError, OverflowError, RecursionError, TypeError, ValueError):
            return self._settled(json.loads(payload))
        return payload

    def _settled(self, reading: dict[str, Any]) -> bytes:
        boot, age_us = reading.pop("boot")
        if boot == _boot_id() and not self.unsure:
            reading["time"] = utc(self.started_us + age_us)
        else:
            reading["clock"] = "unsure"
        return json.dumps(reading, ensure_ascii=False, separators=(",", ":")).encode()


class ArrivalClock(MachineClock):
    """When messages without a time of their own arrived. No two have the same time; a correction counts at once."""

    def __init__(self, known: float = 0.0) -> None:
        """Start with `known`, a time that has passed, in seconds since 1970."""
        super().__init__(known)
        self._stamps = Stamps()

    def stamp(self) -> tuple[int, int | None]:
        """Return the time now in microseconds since 1970, and None; while it is unsure 0, and that since boot."""
        unsure = self.unsure
        now_us = _boot_us() if unsure else _wall_us()
        if self._stamps.lead_us(now_us) > SAME_MOMENT_US:
            self._stamps = Stamps()
        stamped = self._stamps.next(now_us)
        return (0, stamped) if unsure else (stamped, None)

    def settle(self, boot_us: int) -> tuple[int, bool]:
        """Return the time of an arrival `boot_us` after boot, as well as it is known now, and whether it is unsure."""
        return self.started_us + boot_us, self.unsure


def _boot_id() -> str:
    return BOOT_ID.read_text(encoding="ascii").strip()
