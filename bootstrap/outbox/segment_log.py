"""Readings on disk: an append-only log in segments, with one line per record.

A line consists of a mark, a CRC-32 of what follows, the record's number, its topic and its payload. The mark `+` is
overwritten with `-` when the record need not be kept any more; a segment without waiting records is removed. Damaged
lines are skipped one by one. A database would write each page twice, and refuse a damaged file as a whole.
"""

import os
import re
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bootstrap.logs import log
from bootstrap.outbox.lazy_deque import LazyDeque
from bootstrap.paths import open_own, read_own, sync

SEGMENT = 500  # records per segment, and the most that are loaded into memory at once
NAME = re.compile(r"(\d{10})\.spill")
LINE = re.compile(rb"([+-])([0-9a-f]{8}) ((\d{1,18}) ([\w/-]+) (.*))", re.ASCII | re.DOTALL)
WAITING, DONE = b"+", b"-"


@dataclass(slots=True, frozen=True)
class Offset:
    """Where a line is: its segment, and its first byte there."""

    segment: int
    start: int


@dataclass(slots=True, frozen=True)
class StoredRecord:
    """A record that waits on disk."""

    offset: Offset
    number: int
    topic: str
    payload: bytes


@dataclass(slots=True)
class _Range:
    """Consecutive lines of a segment that are only on disk; `count` is an estimate until they are read."""

    segment: int
    start: int
    end: int
    count: int


class SegmentLog:
    """The records that wait on disk, oldest first. The folder is created with the first record.

    Of its methods, only `append` raises an OSError when the disk fails.
    """

    def __init__(self, folder: Path) -> None:
        """Find the records that an earlier run has left in `folder`."""
        self._folder = folder
        self._left: dict[int, int] = {}  # number of waiting records, by segment
        self._unread = LazyDeque[_Range]()
        self._descriptors: dict[int, int] = {}  # file descriptors, by segment
        self._newest = 0  # number of the newest segment
        self._room = 0  # how many more records fit into the newest segment
        self._end = 0  # length of the newest segment in bytes
        self._unsynced: set[int] = set()  # segments that could lose records in a power cut
        self._waiting = 0
        self.last_number = 0
        self.damaged = 0  # number of lines
        for segment in self._found():
            self._adopt(segment)

    def __len__(self) -> int:
        return self._waiting

    @property
    def unread(self) -> int:
        """The number of records that must be loaded before they can be sent."""
        return sum(span.count for span in self._unread)

    # Records of an earlier run.

    def _file(self, segment: int) -> Path:
        return self._folder / f"{segment:010d}.spill"

    def _found(self) -> list[int]:
        if not os.access(self._folder, os.F_OK):
            return []
        try:
            names = [file.name for file in self._folder.iterdir()]
        except OSError as error:
            log.error("cannot list stored readings", error=str(error))
            return []
        return sorted(int(found[1]) for name in names if (found := NAME.fullmatch(name)))

    def _adopt(self, segment: int) -> None:
        """Take over a segment of an earlier run, estimating its number of records; `load` checks each line later."""
        self._newest = segment
        try:
            text = read_own(self._file(segment))
        except OSError as error:
            log.error("cannot read stored readings; they are left where they are", error=str(error))
            return
        numbers = [int(found[4]) for found in map(_match, text.split(b"\n")) if found]
        self.last_number = max([self.last_number, *numbers])
        estimate = text.count(b"\n" + WAITING) + text.startswith(WAITING)
        self._left[segment] = estimate
        self._waiting += estimate
        self._unread.append(_Range(segment, 0, len(text), estimate))

    # Records of this run.

    def append(self, number: int, topic: str, payload: bytes, *, read: bool) -> Offset:
        """Append a record. Unless `read` is set, it is loaded again before it is sent.

        Raises:
            OSError: the disk is full, read-only or broken; nothing was appended.
        """
        if not self._room or not os.fstat(self._descriptor(self._newest)).st_nlink:
            self._begin()  # if somebody has removed the file, what is appended to it would be lost
        rest = b"%d %s %s" % (number, topic.encode(), payload)
        line = b"%s%08x %s\n" % (WAITING, zlib.crc32(rest), rest)
        self._write(line)
        offset = Offset(self._newest, self._end)
        self._end += len(line)
        self._room -= 1
        self._left[offset.segment] += 1
        self._waiting += 1
        if not read:
            self._extend(offset, self._end)
        return offset

    def _begin(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._close(self._newest)  # it is opened again when it is read; a long outage has hundreds of segments
        self._newest += 1  # even if creating it fails: a file of this name may exist that we could not list
        segment = self._newest
        self._descriptors[segment] = open_own(self._file(segment), os.O_RDWR | os.O_CREAT | os.O_EXCL)
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

    def _extend(self, offset: Offset, end: int) -> None:
        last = self._unread[-1] if self._unread else None
        if last and (last.segment, last.end) == (offset.segment, offset.start):
            last.end, last.count = end, last.count + 1
        else:
            self._unread.append(_Range(offset.segment, offset.start, end, 1))

    @property
    def unsynced(self) -> bool:
        """Whether a power cut could lose records that are written to disk."""
        return bool(self._unsynced)

    def to_sync(self) -> Callable[[], None] | None:
        """Return what to call, in any thread, so that all records survive a power cut; None if they already do."""
        if not self._unsynced:
            return None
        files = [self._file(segment) for segment in sorted(self._unsynced)]
        self._unsynced.clear()
        return partial(_sync, files, self._folder)

    # Loading and releasing records.

    def load(self) -> list[StoredRecord]:
        """Return the next waiting records, at most a segment of them; none if there are none, or only damaged ones."""
        if not self._unread:
            return []
        span = self._unread[0]
        try:
            text = os.pread(self._descriptor(span.segment), span.end - span.start, span.start)
        except OSError as error:
            self._give_up(span.segment, error)
            return []
        self._unread.popleft()
        records, damaged = _parse(span, text)
        damaged = max(damaged, span.count - len(records))  # lines cut off from a file count as damaged
        if damaged:
            log.error("stored readings are damaged", file=str(self._file(span.segment)), lines=damaged)
        self.damaged += damaged
        self._drop(span.segment, span.count - len(records))
        return records

    def _give_up(self, segment: int, error: OSError) -> None:
        """Leave a segment that cannot be read now to a later run."""
        log.error("cannot read stored readings; they are left where they are", error=str(error))
        self.damaged += sum(span.count for span in self._unread if span.segment == segment)
        self._unread = LazyDeque(span for span in self._unread if span.segment != segment)
        self._waiting -= self._left.pop(segment)
        if segment == self._newest:
            self._room = 0

    def _descriptor(self, segment: int) -> int:
        if segment not in self._descriptors:
            self._descriptors[segment] = _open(self._file(segment))
        return self._descriptors[segment]

    def release(self, offset: Offset) -> None:
        """Mark a record as no longer needed. If that cannot be written, the next run sends the record again."""
        with suppress(OSError):
            os.pwrite(self._descriptor(offset.segment), DONE, offset.start)
        self._drop(offset.segment, 1)

    def _drop(self, segment: int, count: int) -> None:
        """Reduce the count of a segment, and remove it at 0; the newest is removed only when all segments are empty."""
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
        if segment in self._descriptors:
            os.close(self._descriptors.pop(segment))

    def close(self) -> None:
        """Close the files; nothing may be appended or loaded after that."""
        for segment in [*self._descriptors]:
            self._close(segment)


def _open(file: Path) -> int:
    """Open a file for reading and marking, or only for reading if the disk has become read-only."""
    with suppress(OSError):
        return open_own(file, os.O_RDWR)
    return open_own(file, os.O_RDONLY)


def _sync(files: list[Path], folder: Path) -> None:
    for file in files:
        with suppress(FileNotFoundError):  # all its records have been delivered meanwhile
            sync(file)
    sync(folder)


def _match(row: bytes) -> re.Match[bytes] | None:
    """Return the parts of a line, or None if it is damaged."""
    found = LINE.fullmatch(row)
    return found if found and int(found[2], 16) == zlib.crc32(found[3]) else None


def _parse(span: _Range, text: bytes) -> tuple[list[StoredRecord], int]:
    """Return the waiting records of a range, and how many lines are damaged."""
    records, damaged, start = [], 0, span.start
    for row in text.split(b"\n"):
        if found := _match(row):
            if found[1] == WAITING:
                offset = Offset(span.segment, start)
                records.append(StoredRecord(offset, int(found[4]), found[5].decode(), found[6]))
        elif row:
            damaged += 1
        start += len(row) + 1
    return records, damaged
