"""The journal's own protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL): an entry is one datagram, with fields to ask for.

A sensor under a supervisor hands its entries to that one, as lines of JSON in its stderr: so they come in order with
all else that it prints, and are held back together.
"""

import contextlib
import json
import logging
import os
import re
import socket
import stat
from collections.abc import Mapping
from typing import TextIO, TypeAlias

Entry: TypeAlias = dict[str, str]

# RFC 5424 severities, as sd-daemon(3) wants them in front of a line.
PRIORITIES = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3}
PLACE, USUAL_PLACE = "PENATES_JOURNAL", "/run/systemd/journal/socket"
PREFIX = "PENATES_"
HANDED = b"\x1e"  # before an entry on a line (RFC 7464)
_PRIORITY = re.compile(r"<([0-7])>")


def entry(sensor: str, message: str, priority: int, fields: Mapping[str, object]) -> Entry:
    """What is known of a message of `group/sensor`, or of the supervisor's, by the names of the journal's fields."""
    group, _, name = sensor.rpartition("/")
    own = {"sensor": name, **({"group": group} if group else {}), **fields}
    named = {f"{PREFIX}{key.upper()}": _text(value) for key, value in own.items()}
    return {"MESSAGE": message, "PRIORITY": str(priority), "SYSLOG_IDENTIFIER": "penates", **named}


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)


def encoded(found: Entry) -> bytes:
    """As it goes on the wire: a value of several lines has its length before it."""
    return b"".join(_field(_bytes(name), _bytes(value)) for name, value in found.items())


def _bytes(text: str) -> bytes:
    return text.encode(errors="replace")


def _field(name: bytes, value: bytes) -> bytes:
    if b"\n" in value:
        return name + b"\n" + len(value).to_bytes(8, "little") + value + b"\n"
    return name + b"=" + value + b"\n"


def send(found: Entry) -> bool:
    """Put it into the journal. False: it is not there, is busy, or the entry is too large for a datagram."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as messenger:
        messenger.setblocking(False)
        try:
            messenger.sendto(encoded(found), os.environ.get(PLACE, USUAL_PLACE))
        except OSError:
            return False
    return True


class JournalHandler(logging.StreamHandler[TextIO]):
    """Entries into the journal or to the supervisor; what the journal does not take, as lines for the stream."""

    def __init__(self, stream: TextIO, sensor: str, message: logging.Formatter) -> None:
        """`message` makes what people read; the formatter set is for the lines."""
        super().__init__(stream)
        self._sensor, self._message = sensor, message
        # The journal's own stream is a socket. A pipe is our supervisor's, which says that it logs there.
        self._handed = stat.S_ISFIFO(os.fstat(stream.fileno()).st_mode)

    def emit(self, record: logging.LogRecord) -> None:
        """Send it, hand it on, or write it down."""
        message, fields = self._message.format(record), getattr(record, "fields", {})
        found = entry(self._sensor, message, PRIORITIES[record.levelno], fields)
        if self._handed:
            self._hand_on(found)
        elif not send(found):
            super().emit(record)

    def _hand_on(self, found: Entry) -> None:
        with contextlib.suppress(OSError):  # a supervisor that died is not our fault
            self.stream.write(f"{HANDED.decode()}{json.dumps(found)}\n")
            self.flush()


def pass_on(sensor: str, line: bytes) -> bytes:
    """Put a line of a child's into the journal; what the journal does not take is returned, as lines for stderr."""
    found = _handed(line) or _printed(sensor, line)
    if send(found):
        return b""
    rows = found["MESSAGE"].split("\n")
    return b"".join(_bytes(f"<{found['PRIORITY']}>{row}\n") for row in rows)


def _handed(line: bytes) -> Entry | None:
    """An entry that a sensor has handed on, if the line is one."""
    if not line.startswith(HANDED):
        return None
    try:
        found: Entry = json.loads(line[1:])
    except (ValueError, RecursionError):  # it was cut, or a device prints what it likes
        return None
    whole = isinstance(found, dict) and {"MESSAGE", "PRIORITY"} <= found.keys()
    return found if whole and all(isinstance(value, str) for value in found.values()) else None


def _printed(sensor: str, line: bytes) -> Entry:
    """Whatever else a sensor's process prints, such as the stacks of one that hangs."""
    text = line.decode(errors="replace").rstrip("\n")
    given = _PRIORITY.match(text)
    priority = int(given[1]) if given else PRIORITIES[logging.INFO]
    return entry(sensor, text[given.end() :] if given else text, priority, {})
