"""Logs go to stderr: a static message plus fields. Text on a terminal, `<N>` under systemd, JSON lines by option.

Never pass a secret as a field: nothing here could tell it from another word.
"""

import contextlib
import json
import logging
import os
import sys
import time
from collections.abc import Iterator
from typing import Literal, TextIO, TypeAlias

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
# RFC 5424 severities, as sd-daemon(3) wants them in front of a line.
PRIORITIES = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3}

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
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_formatter(sensor, style, stream))
    return handler


def _formatter(sensor: str, style: Format, stream: TextIO | None) -> logging.Formatter:
    if style == "json":
        return _Lines(sensor)
    if style == "auto" and is_journal(stream):
        return _Journal(sensor)
    return _Text(sensor)


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


class _Journal(_Text):
    """The journal keeps time itself and takes the priority from `<N>`, on every line."""

    def _head(self, record: logging.LogRecord) -> str:
        return f"<{PRIORITIES[record.levelno]}>"

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
