"""Logs: a static message plus fields. Text on a terminal, entries in systemd's journal, JSON lines by option.

A message that is repeated too often is left out, and only counted, unless the level is `debug`.

Never pass a secret as a field: nothing here could tell it from other text.
"""

import contextlib
import json
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Literal, ParamSpec, TextIO, TypeAlias, TypeVar

from bootstrap.logs import journal

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
LINES, MINUTE_S = 5, 60.0  # of one message per minute; those beyond are only counted
LEFT_OUT = "left out repeated messages"
SUBJECTS = ("sensor", "measure")
INDENT = "  "  # of a traceback's rows; no line of the log begins with a space otherwise

Level: TypeAlias = Literal["debug", "info", "warning", "error"]
Format: TypeAlias = Literal["auto", "text", "json"]

P = ParamSpec("P")
T = TypeVar("T")
_speaker: ContextVar[str] = ContextVar("speaker", default="")  # the sensor that logs, if it is one of many

_logger = logging.getLogger("penates")
_logger.propagate = False


def debug(message: str, **fields: object) -> None:
    """Log what matters only to someone who is debugging."""
    _logger.debug(message, extra={"fields": fields})


def info(message: str, **fields: object) -> None:
    """Log what happened."""
    _logger.info(message, extra={"fields": fields})


def warning(message: str, **fields: object) -> None:
    """Log a problem that resolves itself, or that waits for someone."""
    _logger.warning(message, extra={"fields": fields})


def error(message: str, *, traceback: bool = False, **fields: object) -> None:
    """Log a problem that does not resolve itself."""
    _logger.error(message, extra={"fields": fields}, exc_info=traceback)


def set_level(level: str) -> None:
    """Log messages of this level and above.

    Raises:
        ValueError: there is no such level.
    """
    if level not in LEVELS:
        raise ValueError(f"no log level {level[:40]!r}; choose from {', '.join(LEVELS)}")
    _logger.setLevel(LEVELS[level])


def start(sensor: str, level: str, style: Format) -> None:
    """Log to stderr as `sensor` from now on."""
    # A terminal that was closed must not fill the log with reports of that.
    logging.raiseExceptions = False
    _logger.handlers[:] = [_handler(sensor, style, sys.stderr)]
    set_level(level)


def settle(*, all_of_it: bool = False) -> None:
    """Log what was left out in minutes that are over, or in all of them. To be called from time to time."""
    for handler in _logger.handlers:
        for limit in handler.filters:
            if isinstance(limit, _Limit):
                limit.settle(all_of_it=all_of_it)


def pass_on(sensor: str, line: bytes) -> bytes:
    """Log a child's line as our own. Return what remains to be written to stderr."""
    into_journal = any(isinstance(handler, journal.JournalHandler) for handler in _logger.handlers)
    return journal.pass_on(sensor, line) if into_journal else line


def call_as(sensor: str, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call something that logs as one of the sensors of this process."""
    before = _speaker.set(sensor)
    try:
        return call(*args, **kwargs)
    finally:
        _speaker.reset(before)


@contextlib.contextmanager
def redirect(stream: TextIO) -> Iterator[None]:
    """Log to this stream, as text, within the block."""
    before, level = _logger.handlers[:], _logger.level
    _logger.handlers[:] = [_handler("", "text", stream)]
    _logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        _logger.handlers[:] = before
        _logger.setLevel(level)


def _handler(sensor: str, style: Format, stream: TextIO | None) -> logging.Handler:
    handler: logging.Handler = logging.StreamHandler(stream)
    if style == "auto" and stream is not None and is_journal(stream):
        handler = journal.JournalHandler(stream, lambda: _speaker.get() or sensor, _Message(sensor))
        handler.setFormatter(_Marked(sensor))
    else:
        to_people = stream is not None and stream.isatty()
        handler.setFormatter(_JsonLines(sensor) if style == "json" else _Text(sensor, to_people=to_people))
    handler.addFilter(_Limit())
    return handler


class _Limit(logging.Filter):
    """Passes a limited number of lines of each message per minute, counted separately for each sensor and measure."""

    def __init__(self) -> None:
        super().__init__()
        self._tallies: dict[tuple[object, ...], _Tally] = {}
        self._lock = threading.RLock()  # a recorder receives, and logs, in a thread of its own

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether to log the record. At level `debug`, nothing is left out."""
        if _logger.level <= logging.DEBUG or record.msg == LEFT_OUT:
            return True
        speaker = {"sensor": _speaker.get()} if _speaker.get() else {}
        about = speaker | {key: value for key, value in _fields(record).items() if key in SUBJECTS}
        with self._lock:
            self.settle()
            tally = self._tallies.setdefault((record.msg, *about.values()), _Tally(record, about))
            tally.count += 1
            return tally.count <= LINES

    def settle(self, *, all_of_it: bool = False) -> None:
        """Log what was left out in a minute that is over."""
        with self._lock:
            now = time.monotonic()
            keys = [key for key, tally in self._tallies.items() if all_of_it or tally.since < now - MINUTE_S]
            ended = [self._tallies.pop(key) for key in keys]
        for tally in ended:
            if tally.count > LINES:
                fields = {"message": tally.message, **tally.about, "lines": tally.count - LINES}
                _logger.log(tally.level, LEFT_OUT, extra={"fields": fields})


class _Tally:
    """How often a message was logged in a minute."""

    def __init__(self, record: logging.LogRecord, about: dict[str, object]) -> None:
        self.message, self.level, self.about = record.msg, record.levelno, about
        self.since, self.count = time.monotonic(), 0


def is_journal(stream: TextIO | None) -> bool:
    """Return whether systemd connected this stream to the journal (systemd.exec(5), JOURNAL_STREAM)."""
    if stream is None:
        return False
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"


class _Text(logging.Formatter):
    """`2026-11-20T20:31:07Z info home/cellar: read failed (error="…")`; on a terminal with the time of this machine."""

    def __init__(self, sensor: str, *, to_people: bool = False) -> None:
        super().__init__(datefmt="%Y-%m-%d %H:%M:%S" if to_people else "%Y-%m-%dT%H:%M:%SZ")
        self.converter = time.localtime if to_people else time.gmtime
        self._sensor = sensor

    def format(self, record: logging.LogRecord) -> str:
        """Return one line, with any traceback indented below it: no line of that can be taken for another message."""
        parts = [f"{name}={_shown(value)}" for name, value in _fields(record).items()]
        line = f"{self._head(record)}{_speaker.get() or self._sensor}: {record.getMessage()}"
        line += f" ({', '.join(parts)})" if parts else ""
        if record.exc_info:
            line += "".join(f"\n{self._margin(record)}{INDENT}{_plain(row)}" for row in self._rows(record))
        return line

    def _rows(self, record: logging.LogRecord) -> list[str]:
        return self.formatException(record.exc_info).split("\n") if record.exc_info else []

    def _head(self, record: logging.LogRecord) -> str:
        return f"{self.formatTime(record, self.datefmt)} {record.levelname.lower()} "

    def _margin(self, _record: logging.LogRecord) -> str:
        return ""


class _Message(_Text):
    """Text without time and level, which the journal stores itself."""

    def _head(self, _record: logging.LogRecord) -> str:
        return ""


class _Marked(_Text):
    """Text for the stream to the journal, which takes the level from `<N>` on every line."""

    def _head(self, record: logging.LogRecord) -> str:
        return f"<{journal.PRIORITIES[record.levelno]}>"

    def _margin(self, record: logging.LogRecord) -> str:
        return self._head(record)


class _JsonLines(_Text):
    """One JSON object per line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return everything as one object, with the fields beside the message."""
        rows = self._rows(record)
        line = {
            "time": self.formatTime(record, self.datefmt),
            "level": record.levelname.lower(),
            "sensor": _speaker.get() or self._sensor,
            "message": record.getMessage(),
            **_fields(record),
            **({"traceback": rows} if rows else {}),
        }
        return _encoded(line)


def _fields(record: logging.LogRecord) -> dict[str, object]:
    fields: dict[str, object] = getattr(record, "fields", {})
    return fields


def _shown(value: object) -> str:
    """Return a word as it is, and quote everything else, so that no value from outside can forge a line."""
    if isinstance(value, str) and value.isidentifier():
        return value
    return _encoded(value)


def _encoded(value: object) -> str:
    """Return a value as JSON without any character that controls a terminal."""
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if text.isprintable() else json.dumps(value, default=str)


def _plain(row: str) -> str:
    """Return a row of a traceback, which may repeat text from outside, with what is not printable escaped."""
    return row if row.isprintable() else "".join(char if char.isprintable() else ascii(char)[1:-1] for char in row)
