"""The history in a database that accepts InfluxDB's line protocol, and what its HTTP answers mean."""

import http.client
import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol
from urllib.parse import urlsplit

from bootstrap.history.influx.line_protocol import DAY_US, NUMBER, lines
from bootstrap.history.points import READING, LeftOut, OnLeftOut, Point
from bootstrap.history.store_attempts import StoreUnavailable
from bootstrap.tls import tls

TIMEOUT_S = 4.0  # for one request, after which the batch is tried again
BATCH = 1000  # points per request: many more would double the speed, but take a slow machine too long
EXCERPT = 300  # characters of an answer that are quoted in an error
LONGEST = 65_536  # bytes read of an answer to a write, which usually has about a hundred
CONFLICT_S = 3600.0  # how long a field of the wrong type is a fault after it was last met
LONGEST_WAIT_S = 300.0  # that Retry-After may ask for
LOGIN = "see username and password_file, and what this user may do"
TOKEN = "see token_file, and what this token may do"  # noqa: S105 - not a secret

GOOD = range(200, 300)
REJECTED = (400, 413, 422)  # the server does not accept what was sent
TOO_LARGE = 413
# As InfluxDB 1 and 2 say it, and as InfluxDB 3 does, once \" is ".
CONFLICT = re.compile(
    r'input field "(.*?)" on measurement "reading" is type |column type for column \'?"?(.*?)"?\'?, ex'
)


@dataclass(frozen=True, slots=True)
class DatabaseAnswer:
    """An answer of the database: its HTTP status, the body, and the header Retry-After."""

    status: int
    body: str = ""
    retry_after: str = ""


@dataclass(frozen=True, slots=True)
class DatabaseServer:
    """The URL of a database; with `ca_file` only this CA is trusted."""

    url: str
    ca_file: Path | None = None

    def connection(self, timeout_s: float) -> http.client.HTTPConnection:
        """Return a connection that connects with its first request.

        Raises:
            OSError: the certificate cannot be read.
        """
        url = urlsplit(self.url)
        host, port = url.hostname or "", url.port
        if url.scheme == "http":
            return http.client.HTTPConnection(host, port, timeout=timeout_s)
        trust = tls(self.ca_file) if self.ca_file else None
        return http.client.HTTPSConnection(host, port, timeout=timeout_s, context=trust)

    def target(self, path: str) -> str:
        """Return the path of a request, below the path of the URL."""
        return f"{urlsplit(self.url).path.rstrip('/')}/{path}"


class LineWriter(Protocol):
    """Writes lines to the database. It connects when it is first used, and again after it was closed."""

    @property
    def advice(self) -> Mapping[int, str]:
        """What to check, by the HTTP status of an answer."""

    def post(self, lines: bytes) -> DatabaseAnswer:
        """Write these lines; writing them twice changes nothing.

        Raises:
            OSError: the server does not answer in time.
        """

    def close(self) -> None:
        """Close the connection."""


class LinesRejected(Exception):  # noqa: N818 - the store works, a line is bad
    """The database is available, but does not accept all of these lines.

    `field` is the field of `reading` that has another type, such as text, if a number for it is the reason.
    """

    def __init__(self, why: str, field: str | None = None) -> None:
        super().__init__(why)
        self.field = field


class _Entry(NamedTuple):
    """A point to write, its index in the batch, and its lines."""

    number: int
    point: Point
    lines: bytes


class InfluxStore:
    """Writes lines. When `put` returns, the database has confirmed them."""

    def __init__(self, writer: LineWriter, holds_text: Callable[[], bool]) -> None:
        """Write with `writer`. `holds_text` asks the database whether it holds text, when that matters first."""
        self._writer, self._ask = writer, holds_text
        self._text: bool | None = None
        self._taken: set[tuple[str, int]] = set()
        self._conflict, self._conflict_at = "", -CONFLICT_S

    @property
    def trouble(self) -> str | None:
        """Which field has the wrong type in the database, if a number for it came within the last hour."""
        return self._conflict if time.monotonic() - self._conflict_at < CONFLICT_S else None

    def put(self, points: Sequence[Point], on_left_out: OnLeftOut = id) -> dict[int, str]:
        """Store all points except those that the database can never accept, which are returned with the reason."""
        refused: dict[int, str] = {}
        entries: list[_Entry] = []
        left_out: list[LeftOut] = []
        try:
            for number, point in enumerate(points):
                try:
                    entries.append(_Entry(number, point, self._lines(point, left_out.append)))
                except ValueError as why:
                    refused[number] = str(why)
            for start in range(0, len(entries), BATCH):
                refused |= self._write(entries[start : start + BATCH])
        except OSError:
            self.close()
            raise
        for one in left_out:
            on_left_out(one)
        return refused

    def _lines(self, point: Point, on_left_out: OnLeftOut = id) -> bytes:
        found = lines(point, self._holds_text, on_left_out, self._taken)
        if self._taken and any(one.startswith(NUMBER) for one in found):
            self._conflict_at = time.monotonic()
        return "\n".join(found).encode()

    def _holds_text(self) -> bool:
        if self._text is None:
            self._text = self._ask()
        return self._text

    def _write(self, entries: list[_Entry]) -> dict[int, str]:
        """Write points, halving a batch until the bad lines are isolated; returns their points with the reason."""
        try:
            _check(self._writer.post(b"\n".join(one.lines for one in entries)), self._writer.advice)
        except LinesRejected as why:
            if self._is_new(why, entries):
                return self._write([one._replace(lines=self._lines(one.point)) for one in entries])
            if len(entries) == 1:
                one = entries[0]
                parts = one.lines.split(b"\n")
                if len(parts) == 1:
                    return {one.number: str(why)}
                entries = [one._replace(lines=part) for part in parts]
            half = len(entries) // 2
            return self._write(entries[:half]) | self._write(entries[half:])
        return {}

    def _is_new(self, why: LinesRejected, entries: list[_Entry]) -> bool:
        """Note that a field has another type, and return whether that is new: its numbers go elsewhere from now on."""
        name = why.field
        if name is None:
            return False
        found = {
            (name, one.point.time_us // DAY_US)
            for one in entries
            if one.point.measurement == READING and isinstance(one.point.fields.get(name), float)
        }
        self._conflict = f"the field {name!a} has another type, so its numbers go to the measurement {NUMBER!r}: {why}"
        self._conflict_at = time.monotonic()
        new = not found <= self._taken
        self._taken |= found
        return new

    def close(self) -> None:
        """Close the connection; what was at its other end may be another database next time."""
        self._writer.close()
        self._text = None


def _check(answer: DatabaseAnswer, advice: Mapping[int, str]) -> None:
    """Raise an exception unless all lines are written.

    Raises:
        LinesRejected: a line is bad.
        StoreUnavailable: the lines are not the reason, and can be written later.
    """
    if answer.status in GOOD:
        return
    if answer.status in REJECTED and (answer.status == TOO_LARGE or _is_from_database(answer.body)):
        raise LinesRejected(f"{answer.status}: {_excerpt(answer.body)}", _conflicting(answer.body))
    hint = advice.get(answer.status) or ("no InfluxDB at this url" if answer.status in REJECTED else "")
    raise StoreUnavailable(error_text(answer.status, hint, answer.body), _seconds(answer.retry_after))


def error_text(status: int, hint: str, body: str) -> str:
    """Return an error answer in one line, with a hint at what to check."""
    return f"the database answers {status}" + "".join(f"; {more}" for more in (hint, _excerpt(body)) if more)


def _excerpt(body: str) -> str:
    return " ".join(body[:EXCERPT].split())


def _conflicting(body: str) -> str | None:
    """Return the field of `reading` that holds another type than the number that was written."""
    found = CONFLICT.search(body.replace('\\"', '"'))
    return found and (found[1] or found[2])


def _is_from_database(body: str) -> bool:
    """Return whether a database wrote this error: a proxy answers 400 to any `http:` request on a port for `https:`."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and not found.keys().isdisjoint({"error", "message"})


def _seconds(retry_after: str) -> float:
    """Return the seconds that Retry-After asks for, or 0 if it is not a number of seconds."""
    return min(float(retry_after), LONGEST_WAIT_S) if retry_after.isascii() and retry_after.isdigit() else 0.0
