"""Logs: a static message plus fields. Text on a terminal, entries in systemd's journal, JSON lines by option.

A message that comes too often is left out, and how often, said; with the level `debug` nothing is.

Never pass a secret as a field: nothing here could tell it from another word.
"""

import contextlib
import json
import logging
import os
import sys
import threading
import time
from collections.abc import Iterator
from typing import Literal, TextIO, TypeAlias

from bootstrap.logs import journal

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
LINES, MINUTE_S = 5, 60.0  # of one message in a minute; what is beyond that is counted
LEFT_OUT = "left out what came too often"
SUBJECTS = ("sensor", "measure")

Level: TypeAlias = Literal["debug", "info", "warning", "error"]
Format: TypeAlias = Literal["auto", "text", "json"]

_logger = logging.getLogger("penates")
_logger.propagate = False


def debug(message: str, **fields: object) -> None:
    """Say what only someone who looks for it wants to know."""
    _logger.debug(message, extra={"fields": fields})


def info(message: str, **fields: object) -> None:
    """Say what happened."""
    _logger.info(message, extra={"fields": fields})


def warning(message: str, **fields: object) -> None:
    """Say what went wrong and mends itself, or waits for someone."""
    _logger.warning(message, extra={"fields": fields})


def error(message: str, *, traceback: bool = False, **fields: object) -> None:
    """Say what went wrong for good."""
    _logger.error(message, extra={"fields": fields}, exc_info=traceback)


def set_level(level: str) -> None:
    """Log from this level up.

    Raises:
        ValueError: there is no such level.
    """
    if level not in LEVELS:
        raise ValueError(f"no log level {level[:40]!r}; there are {', '.join(LEVELS)}")
    _logger.setLevel(LEVELS[level])


def start(sensor: str, level: str, style: Format) -> None:
    """Log to stderr as `sensor` from now on."""
    # A terminal that went away must not fill the log with reports of that.
    logging.raiseExceptions = False
    _logger.handlers[:] = [_handler(sensor, style, sys.stderr)]
    set_level(level)


def settle(*, all_of_it: bool = False) -> None:
    """Say what was left out, of minutes that are over or of all of them; to be called now and then."""
    for handler in _logger.handlers:
        for limit in handler.filters:
            if isinstance(limit, _Limit):
                limit.settle(all_of_it=all_of_it)


def pass_on(sensor: str, line: bytes) -> bytes:
    """Log a line that a child has logged, as we do; returns what is left to be written to stderr."""
    into_journal = any(isinstance(handler, journal.JournalHandler) for handler in _logger.handlers)
    return journal.pass_on(sensor, line) if into_journal else line


@contextlib.contextmanager
def elsewhere(stream: TextIO) -> Iterator[None]:
    """Log to this stream meanwhile, as usual."""
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
        handler = journal.JournalHandler(stream, sensor, _Message(sensor))
        handler.setFormatter(_Marked(sensor))
    else:
        handler.setFormatter(_Lines(sensor) if style == "json" else _Text(sensor))
    handler.addFilter(_Limit())
    return handler


class _Limit(logging.Filter):
    """Lets so many lines of a message pass in a minute; those of another sensor or measure are another message's."""

    def __init__(self) -> None:
        super().__init__()
        self._tallies: dict[tuple[object, ...], _Tally] = {}
        self._lock = threading.RLock()  # a recorder hears, and logs, in a thread of its own

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether it is said. Debugging, nothing is left out."""
        if _logger.level <= logging.DEBUG or record.msg == LEFT_OUT:
            return True
        about = {key: value for key, value in _fields(record).items() if key in SUBJECTS}
        with self._lock:
            self.settle()
            tally = self._tallies.setdefault((record.msg, *about.values()), _Tally(record, about))
            tally.count += 1
            return tally.count <= LINES

    def settle(self, *, all_of_it: bool = False) -> None:
        """Say what was left out in a minute that is over."""
        with self._lock:
            now = time.monotonic()
            keys = [key for key, tally in self._tallies.items() if all_of_it or tally.since < now - MINUTE_S]
            over = [self._tallies.pop(key) for key in keys]
        for tally in over:
            if tally.count > LINES:
                fields = {"message": tally.message, **tally.about, "lines": tally.count - LINES}
                _logger.log(tally.level, LEFT_OUT, extra={"fields": fields})


class _Tally:
    """How often a message came in a minute."""

    def __init__(self, record: logging.LogRecord, about: dict[str, object]) -> None:
        self.message, self.level, self.about = record.msg, record.levelno, about
        self.since, self.count = time.monotonic(), 0


def is_journal(stream: TextIO | None) -> bool:
    """Whether this stream is the one systemd says it connected to the journal (systemd.exec(5), JOURNAL_STREAM)."""
    if stream is None:
        return False
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"


class _Text(logging.Formatter):
    """`2026-11-20T20:31:07Z info cm/cellar: read failed (error="…")`."""

    def __init__(self, sensor: str) -> None:
        super().__init__(datefmt="%Y-%m-%dT%H:%M:%SZ")
        self.converter = time.gmtime
        self._sensor = sensor

    def format(self, record: logging.LogRecord) -> str:
        """One line, and the traceback below it where there is one."""
        parts = [f"{name}={_shown(value)}" for name, value in _fields(record).items()]
        line = f"{self._head(record)}{self._sensor}: {record.getMessage()}"
        line += f" ({', '.join(parts)})" if parts else ""
        if record.exc_info:
            line += "".join(f"\n{self._margin(record)}{row}" for row in self._rows(record))
        return line

    def _rows(self, record: logging.LogRecord) -> list[str]:
        return self.formatException(record.exc_info).splitlines() if record.exc_info else []

    def _head(self, record: logging.LogRecord) -> str:
        return f"{self.formatTime(record, self.datefmt)} {record.levelname.lower()} "

    def _margin(self, _record: logging.LogRecord) -> str:
        return ""


class _Message(_Text):
    """The journal keeps time and level itself."""

    def _head(self, _record: logging.LogRecord) -> str:
        return ""


class _Marked(_Text):
    """On the stream to the journal it takes the level from `<N>`, on every line."""

    def _head(self, record: logging.LogRecord) -> str:
        return f"<{journal.PRIORITIES[record.levelno]}>"

    def _margin(self, record: logging.LogRecord) -> str:
        return self._head(record)


class _Lines(_Text):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """All there is, fields beside the message."""
        rows = self._rows(record)
        whole = {
            "time": self.formatTime(record, self.datefmt),
            "level": record.levelname.lower(),
            "sensor": self._sensor,
            "message": record.getMessage(),
            **_fields(record),
            **({"traceback": rows} if rows else {}),
        }
        return json.dumps(whole, default=str, ensure_ascii=False)


def _fields(record: logging.LogRecord) -> dict[str, object]:
    fields: dict[str, object] = getattr(record, "fields", {})
    return fields


def _shown(value: object) -> str:
    """Words as they are; all else quoted, so that no value from outside can forge a line."""
    if isinstance(value, str) and value.isidentifier():
        return value
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if text.isprintable() else json.dumps(value, default=str)
