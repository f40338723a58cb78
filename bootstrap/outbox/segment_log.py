"""Readings on disk: a log in segments, to which is only ever appended, one line a record.

A line is a mark, a CRC-32 of what follows it, the record's number, its topic and its payload. The mark `+` is
overwritten with `-` when the record need not be kept any more; a segment in which none waits is removed. What is
damaged is left out, line by line. No database: it would write each page twice, and refuse a damaged file as a whole.
"""

import os
import re
import zlib
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bootstrap.logs import log

SEGMENT = 500  # records; as many are in memory at once
NAME = re.compile(r"(\d{10})\.spill")
LINE = re.compile(rb"([+-])([0-9a-f]{8}) ((\d{1,18}) ([\w/-]+) (.*))", re.ASCII | re.DOTALL)
WAITING, DONE = b"+", b"-"


@dataclass(slots=True, frozen=True)
class Offset:
    """Where a line is: its segment, and its first byte there."""

    segment: int
    offset: int


@dataclass(slots=True, frozen=True)
class StoredRecord:
    """A record that waits on disk."""

    place: Offset
    number: int
    topic: str
    payload: bytes


@dataclass(slots=True)
class _Part:
    """Lines of a segment, one after the other, that are nowhere but on disk; `count` is a guess until they are read."""

    segment: int
    start: int
    end: int
    count: int


class SegmentLog:
    """What waits on disk, oldest first. Its folder is made at the first record.

    Whatever the disk refuses is an OSError of `append`, and nothing else of it matters to whoever appends.
    """

    def __init__(self, folder: Path) -> None:
        """Find what an earlier run has left."""
        self._folder = folder
        self._left: dict[int, int] = {}  # records that wait, by segment
        self._unread: deque[_Part] = deque()
        self._open: dict[int, int] = {}  # descriptors, by segment
        self._newest = 0  # segment there ever was
        self._room = 0  # for more records in it
        self._end = 0  # its length in bytes
        self._unsynced: set[int] = set()  # segments of which a power cut would take something
        self._waiting = 0
        self.last_number = 0
        self.damaged = 0  # lines
        for segment in self._found():
            self._adopt(segment)

    def __len__(self) -> int:
        return self._waiting

    @property
    def unread(self) -> int:
        """How many of them must be loaded before they can be sent."""
        return sum(part.count for part in self._unread)

    # What an earlier run has left.

    def _file(self, segment: int) -> Path:
        return self._folder / f"{segment:010d}.spill"

    def _found(self) -> list[int]:
        if not os.access(self._folder, os.F_OK):
            return []
        try:
            names = [file.name for file in self._folder.iterdir()]
        except OSError as error:
            log.error("cannot look for stored readings", error=str(error))
            return []
        return sorted(int(found[1]) for name in names if (found := NAME.fullmatch(name)))

    def _adopt(self, segment: int) -> None:
        """Guess how many wait there; a line is read, and checked, when its turn comes."""
        self._newest = segment
        try:
            text = self._file(segment).read_bytes()
        except OSError as error:
            log.error("cannot read stored readings; they are left where they are", error=str(error))
            return
        numbers = [int(found[4]) for found in map(_sound, text.split(b"\n")) if found]
        self.last_number = max([self.last_number, *numbers])
        guess = text.count(b"\n" + WAITING) + text.startswith(WAITING)
        self._left[segment] = guess
        self._waiting += guess
        self._unread.append(_Part(segment, 0, len(text), guess))

    # What this run adds.

    def append(self, number: int, topic: str, payload: bytes, *, read: bool) -> Offset:
        """Add a record; unless it is `read`, it will be loaded again before it is sent.

        Raises:
            OSError: the disk is full, read-only or broken; nothing was added.
        """
        if not self._room or not os.fstat(self._descriptor(self._newest)).st_nlink:
            self._begin()  # somebody may have removed the file: what is added to it would be nowhere
        rest = b"%d %s %s" % (number, topic.encode(), payload)
        line = b"%s%08x %s\n" % (WAITING, zlib.crc32(rest), rest)
        self._write(line)
        place = Offset(self._newest, self._end)
        self._end += len(line)
        self._room -= 1
        self._left[place.segment] += 1
        self._waiting += 1
        if not read:
            self._extend(place, self._end)
        return place

    def _begin(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._close(self._newest)  # until its turn comes: a long outage has hundreds
        self._newest += 1  # even if it cannot be made: a file of this name may be there, and unseen
        segment = self._newest
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        self._open[segment] = os.open(self._file(segment), flags, 0o640)
        self._room, self._end = SEGMENT, 0
        self._left[segment] = 0

    def _write(self, line: bytes) -> None:
        descriptor = self._descriptor(self._newest)
        try:
            written = 0
            while written < len(line):
                written += os.pwrite(descriptor, line[written:], self._end + written)
        except OSError:
            with suppress(OSError):
                os.ftruncate(descriptor, self._end)
            raise
        self._unsynced.add(self._newest)

    def _extend(self, place: Offset, end: int) -> None:
        last = self._unread[-1] if self._unread else None
        if last and (last.segment, last.end) == (place.segment, place.offset):
            last.end, last.count = end, last.count + 1
        else:
            self._unread.append(_Part(place.segment, place.offset, end, 1))

    @property
    def unsynced(self) -> bool:
        """Whether a power cut would take something that is on disk."""
        return bool(self._unsynced)

    def to_sync(self) -> Callable[[], None] | None:
        """What to call, in whichever thread, so that all of it outlasts a power cut; None: it does already."""
        if not self._unsynced:
            return None
        files = [self._file(segment) for segment in sorted(self._unsynced)]
        self._unsynced.clear()
        return partial(_sync, files, self._folder)

    # What is sent, and done with.

    def load(self) -> list[StoredRecord]:
        """The next that wait, at most a segment of them; none if there are none, or only damaged ones."""
        if not self._unread:
            return []
        part = self._unread[0]
        try:
            text = os.pread(self._descriptor(part.segment), part.end - part.start, part.start)
        except OSError as error:
            self._give_up(part.segment, error)
            return []
        self._unread.popleft()
        lines, damaged = _parse(part, text)
        damaged = max(damaged, part.count - len(lines))  # of a file that was cut nothing is left to be seen
        if damaged:
            log.error("stored readings are damaged", file=str(self._file(part.segment)), lines=damaged)
        self.damaged += damaged
        self._drop(part.segment, part.count - len(lines))
        return lines

    def _give_up(self, segment: int, error: OSError) -> None:
        """What cannot be read now is left to a later run."""
        log.error("cannot read stored readings; they are left where they are", error=str(error))
        self.damaged += sum(part.count for part in self._unread if part.segment == segment)
        self._unread = deque(part for part in self._unread if part.segment != segment)
        self._waiting -= self._left.pop(segment)
        if segment == self._newest:
            self._room = 0

    def _descriptor(self, segment: int) -> int:
        if segment not in self._open:
            self._open[segment] = _opened(self._file(segment))
        return self._open[segment]

    def done(self, place: Offset) -> None:
        """This record need not be kept any more. If the disk refuses that, it is sent again by the next run."""
        with suppress(OSError):
            os.pwrite(self._descriptor(place.segment), DONE, place.offset)
        self._drop(place.segment, 1)

    def _drop(self, segment: int, count: int) -> None:
        """So many fewer wait in a segment. The one that is written to is removed with the last of all."""
        if segment not in self._left:
            return
        self._left[segment] -= count
        self._waiting -= count
        if self._left[segment] <= 0 and segment != self._newest:
            self._remove(segment)
        if not self._waiting and not self._unread:
            for empty in [*self._left]:
                self._remove(empty)

    def _remove(self, segment: int) -> None:
        if segment == self._newest:
            self._room = 0
        self._unsynced.discard(segment)
        del self._left[segment]
        self._close(segment)
        with suppress(OSError):
            self._file(segment).unlink()

    def _close(self, segment: int) -> None:
        if segment in self._open:
            os.close(self._open.pop(segment))

    def close(self) -> None:
        """Let go of the files; nothing is appended or loaded any more."""
        for segment in [*self._open]:
            self._close(segment)


def _opened(file: Path) -> int:
    """To be marked, or, on a disk that has become read-only, to be read at least."""
    with suppress(OSError):
        return os.open(file, os.O_RDWR | os.O_CLOEXEC)
    return os.open(file, os.O_RDONLY | os.O_CLOEXEC)


def _sync(files: list[Path], folder: Path) -> None:
    for file in files:
        with suppress(FileNotFoundError):  # all of it was delivered meanwhile
            _sync_one(file)
    _sync_one(folder)


def _sync_one(place: Path) -> None:
    descriptor = os.open(place, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sound(row: bytes) -> re.Match[bytes] | None:
    """A line taken apart; None: it is damaged."""
    found = LINE.fullmatch(row)
    return found if found and int(found[2], 16) == zlib.crc32(found[3]) else None


def _parse(part: _Part, text: bytes) -> tuple[list[StoredRecord], int]:
    """The records of a part that wait, and how many lines are damaged."""
    lines, damaged, offset = [], 0, part.start
    for row in text.split(b"\n"):
        if found := _sound(row):
            if found[1] == WAITING:
                lines.append(StoredRecord(Offset(part.segment, offset), int(found[4]), found[5].decode(), found[6]))
        elif row:
            damaged += 1
        offset += len(row) + 1
    return lines, damaged
