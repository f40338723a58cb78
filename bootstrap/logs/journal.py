"""The journal's native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL): an entry is one datagram with searchable fields.

A supervised sensor forwards its entries to the supervisor as JSON lines on stderr, so that they stay in order with
everything else that it prints, and are held back together with it.
"""

import contextlib
import json
import logging
import os
import re
import socket
import stat
from collections.abc import Callable, Mapping
from typing import TextIO, TypeAlias

Entry: TypeAlias = dict[str, str]

# RFC 5424 severities, as sd-daemon(3) requires them at the start of a line.
PRIORITIES = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3}
SOCKET_VARIABLE, DEFAULT_SOCKET = "PENATES_JOURNAL", "/run/systemd/journal/socket"
PREFIX = "PENATES_"
FORWARDED = b"\x1e"  # precedes an entry on a line (RFC 7464)
_PRIORITY = re.compile(r"<([0-7])>")


def entry(sensor: str, message: str, priority: int, fields: Mapping[str, object]) -> Entry:
    """Return a message of `group/sensor`, or of the supervisor, as an entry with the journal's field names."""
    group, _, name = sensor.rpartition("/")
    own = {"sensor": name, **({"group": group} if group else {}), **fields}
    named = {f"{PREFIX}{key.upper()}": _text(value) for key, value in own.items()}
    return {"MESSAGE": message, "PRIORITY": str(priority), "SYSLOG_IDENTIFIER": "penates", **named}


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)


def encoded(found: Entry) -> bytes:
    """Encode an entry for the wire: the length of a value with several lines precedes it."""
    return b"".join(_field(_bytes(name), _bytes(value)) for name, value in found.items())


def _bytes(text: str) -> bytes:
    return text.encode(errors="replace")


def _field(name: bytes, value: bytes) -> bytes:
    if b"\n" in value:
        return name + b"\n" + len(value).to_bytes(8, "little") + value + b"\n"
    return name + b"=" + value + b"\n"


def send(found: Entry) -> bool:
    """Send an entry to the journal. Return False if that is absent or busy, or the entry exceeds a datagram."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as client:
        client.setblocking(False)
        try:
            client.sendto(encoded(found), os.environ.get(SOCKET_VARIABLE, DEFAULT_SOCKET))
        except OSError:
            return False
    return True


class JournalHandler(logging.StreamHandler[TextIO]):
    """Sends entries to the journal or to the supervisor; what the journal does not accept goes to the stream."""

    def __init__(self, stream: TextIO, sensor: Callable[[], str], message: logging.Formatter) -> None:
        """Format the text of entries by `message`; the handler's own formatter is for the lines on the stream.

        `sensor` returns the name of the sensor that logs.
        """
        super().__init__(stream)
        self._sensor, self._message = sensor, message
        # The journal's own stream is a socket. A pipe leads to our supervisor, which itself logs to the journal.
        self._forwards = stat.S_ISFIFO(os.fstat(stream.fileno()).st_mode)

    def emit(self, record: logging.LogRecord) -> None:
        """Send the record to the journal, forward it to the supervisor, or write it to the stream."""
        message, fields = self._message.format(record), getattr(record, "fields", {})
        found = entry(self._sensor(), message, PRIORITIES[record.levelno], fields)
        if self._forwards:
            self._forward(found)
        elif not send(found):
            super().emit(record)

    def _forward(self, found: Entry) -> None:
        with contextlib.suppress(OSError):  # the supervisor may have died
            self.stream.write(f"{FORWARDED.decode()}{json.dumps(found)}\n")
            self.flush()


def pass_on(sensor: str, line: bytes) -> bytes:
    """Send a child's line to the journal. Return what the journal does not accept, as lines for stderr."""
    found = _forwarded(line) or _printed(sensor, line)
    if send(found):
        return b""
    rows = found["MESSAGE"].split("\n")
    return b"".join(_bytes(f"<{found['PRIORITY']}>{row}\n") for row in rows)


def _forwarded(line: bytes) -> Entry | None:
    """Return the entry that a sensor has forwarded, or None if the line is not one."""
    if not line.startswith(FORWARDED):
        return None
    try:
        found: Entry = json.loads(line[1:])
    except (ValueError, RecursionError):  # it was cut, or a device printed it
        return None
    complete = isinstance(found, dict) and {"MESSAGE", "PRIORITY"} <= found.keys()
    return found if complete and all(isinstance(value, str) for value in found.values()) else None


def _printed(sensor: str, line: bytes) -> Entry:
    """Return an entry for anything else that a sensor's process prints, such as its stacks when it hangs."""
    text = line.decode(errors="replace").rstrip("\n")
    given = _PRIORITY.match(text)
    priority = int(given[1]) if given else PRIORITIES[logging.INFO]
    return entry(sensor, text[given.end() :] if given else text, priority, {})
