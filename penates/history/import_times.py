"""Times in imported files: numbers, ISO 8601, and local times of the days on which the clocks are changed."""

import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from itertools import pairwise
from typing import TypeAlias

from bootstrap.contract.payload import NUMBER
from bootstrap.contract.timestamps import parse
from bootstrap.history.points import EPOCH, MICROSECOND
from bootstrap.history.reader import DAY_S, MICRO
from penates.history.import_line import FileRow, Moment
from penates.history.times import printed

NANOS = {"ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9}
LATEST_US = 253_402_300_800 * MICRO  # the year 10 000
EARLY_US = 946_684_800 * MICRO  # the year 2000: numbers below it are rather dates, or of another precision
AHEAD_US = 366 * DAY_S * MICRO
COMPACT = re.compile(r"(19|20)\d{2}(0[1-9]|1[0-2])([0-2]\d|3[01])(\d{2}){0,3}", re.ASCII)
FORWARD, BACKWARD = 1, -1  # the order of a file's lines


@dataclass(frozen=True)
class TimeRules:
    """How the times of a file are read.

    Attributes:
        zone: the time zone of times without one.
        precision: the unit of times that are numbers.
        any_time: whether a time long ago or far ahead is accepted.
    """

    zone: tzinfo | None
    precision: str
    any_time: bool = False

    def moment(self, text: str) -> Moment:
        """Return when this was, or the local time if the clocks of the zone show it twice.

        Raises:
            ValueError: it is not a time, was never shown by the clocks of the zone, or is implausible.
        """
        if NUMBER.fullmatch(text):
            return self.number(text)
        moment = datetime.fromisoformat(text) if self.zone else parse(text)
        if moment.tzinfo:
            return self._checked((moment - EPOCH) // MICROSECOND, text, 0)
        early, late = self.either(moment)
        if early > late:  # the first offset is the one before the change, so that this time was left out
            raise ValueError(f"the clocks of {self.zone} were put forward past {text}, which never was")
        self._checked(late, text, 0)
        return early if early == late else moment

    def number(self, text: str) -> int:
        """Return when this number was.

        Raises:
            ValueError: it is implausible.
        """
        return self._checked(_microseconds(text, NANOS[self.precision]), text, EARLY_US)

    def either(self, moment: datetime) -> tuple[int, int]:
        """Return both times that a local time may mean, in microseconds since 1970."""
        first, second = (moment.replace(tzinfo=self.zone, fold=fold).astimezone(UTC) for fold in (0, 1))
        return (first - EPOCH) // MICROSECOND, (second - EPOCH) // MICROSECOND

    def _checked(self, time_us: int, text: str, earliest_us: int) -> int:
        if not 0 <= time_us < LATEST_US:
            raise ValueError(f"the time {text[:40]} is not between 1970 and 9999; is --precision right?")
        if not (self.any_time or earliest_us <= time_us <= time.time() * MICRO + AHEAD_US):
            date = "; a date is written like 2026-01-31T12:30" if COMPACT.fullmatch(text) else ""
            number = "; is --precision right?" if NUMBER.fullmatch(text) else ";"
            what = f"the time {text[:40]} would be on {printed(time_us).partition('T')[0]}"
            raise ValueError(f"{what}{number} --any-time accepts it{date}")
        return time_us

    def settled(self, rows: Iterable[FileRow]) -> Iterator[FileRow]:
        """Yield the rows, with the times that the clocks show twice told apart by the order of the rows."""
        held: list[FileRow] = []
        before: int | None = None
        for row in rows:
            if isinstance(row.moment, datetime):
                if held and _day(held[-1]) != row.moment.date():
                    yield from self._told_apart(held, before, None)
                    held = []
                held.append(row)
                continue
            if isinstance(row.moment, int):
                yield from self._told_apart(held, before, row.moment)
                held, before = [], row.moment
            yield row
        yield from self._told_apart(held, before, None)

    def _told_apart(self, held: list[FileRow], before: int | None, after: int | None) -> list[FileRow]:
        """Set the times of rows that are all in an hour which the clocks show twice."""
        times = [self.either(row.moment) for row in held if isinstance(row.moment, datetime)]
        rows = [_Twice(row, *both) for row, both in zip(held, times, strict=True)]
        if rows:
            order = _order(rows, before, after)
            if not _split(rows, order, together=True):
                series: dict[tuple[str, str], list[_Twice]] = {}
                for one in rows:
                    series.setdefault(one.series, []).append(one)
                for part in series.values():
                    _split(part, order, together=False)
        return [self._finished(row) for row in held]

    def _finished(self, row: FileRow) -> FileRow:
        if isinstance(row.moment, datetime):
            first = row.moment.replace(tzinfo=self.zone).isoformat(timespec="minutes")
            what = f"the clocks of {self.zone} show {row.text} twice, and the order of lines does not tell which it is"
            row.faults = [f"{what}; add its offset: {first} is the first"]
            row.moment, row.fields = None, {}
        return row


@dataclass
class _Twice:
    """A row whose time the clocks show twice."""

    row: FileRow
    early: int
    late: int

    @property
    def series(self) -> tuple[str, str]:
        return self.row.sensor, self.row.measure


Rows: TypeAlias = "list[_Twice]"


def _order(rows: Rows, before: int | None, after: int | None) -> int | None:
    """Return whether the file's times grow or shrink, as far as the rows around these tell."""
    signs = set()
    if before is not None:
        signs.add(FORWARD if before < rows[0].early else BACKWARD)
    if after is not None:
        signs.add(FORWARD if after > rows[-1].early else BACKWARD)
    return signs.pop() if len(signs) == 1 else None


def _split(rows: Rows, order: int | None, *, together: bool) -> bool:
    """Set the times of rows that step back once, where the hour begins again; returns whether they do.

    Rows of several series are only taken `together` if one of these goes on after the step: otherwise the file may be
    sorted by series.
    """
    found = [(one, steps[0]) for one in (FORWARD, BACKWARD) if len(steps := _steps(rows, one, strict=together)) == 1]
    found = [(one, step) for one, step in found if order in (None, one)]
    if len(found) != 1:
        return False
    ((direction, step),) = found
    if together and not {one.series for one in rows[:step]} & {one.series for one in rows[step:]}:
        return False
    for number, one in enumerate(rows):
        one.row.moment = one.early if (number < step) == (direction == FORWARD) else one.late
    return True


def _steps(rows: Rows, direction: int, *, strict: bool) -> list[int]:
    """Return the indexes of rows whose time is not beyond that of the row before."""
    apart = [(later.early - one.early) * direction for one, later in pairwise(rows)]
    return [number for number, beyond in enumerate(apart, 1) if beyond < 0 or (beyond == 0 and not strict)]


def _day(row: FileRow) -> object:
    return row.moment.date() if isinstance(row.moment, datetime) else None


def _microseconds(text: str, nanos: int) -> int:
    """Return a number of units of `nanos` nanoseconds in microseconds, exactly if it is a whole number."""
    if text.lstrip("+-").isdecimal():
        return int(text) * nanos // 1000
    return round(float(text) * nanos / 1000)
