"""The history in a database that accepts InfluxDB's line protocol, and what its HTTP answers mean."""

import http.client
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from bootstrap.errors import Refused
from bootstrap.history.influx.line_protocol import line
from bootstrap.history.points import Point
from bootstrap.history.subscription import StoreUnavailable
from bootstrap.tls import tls

TIMEOUT_S = 4.0  # for one request, after which the batch is tried again
BATCH = 1000  # lines per request: many more would double the speed, but take a slow machine too long
EXCERPT = 300  # characters of an answer that are quoted in an error
LONGEST = 65_536  # bytes read of an answer to a write, which usually has about a hundred
LONGEST_WAIT_S = 300.0  # that Retry-After may ask for
LOGIN = "see username and password_file, and what this user may do"
TOKEN = "see token_file, and what this token may do"  # noqa: S105 - not a secret

GOOD = range(200, 300)
REJECTED = (400, 413, 422)  # the server does not accept what was sent
TOO_LARGE = 413


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
    """The database is available, but does not accept all of these lines."""


class InfluxStore:
    """Writes lines. When `put` returns, the database has confirmed them."""

    def __init__(self, writer: LineWriter) -> None:
        self._writer = writer

    def put(self, points: Sequence[Point]) -> dict[int, str]:
        """Store all points except those that the database can never accept, which are returned with the reason."""
        refused, lines = {}, []
        for number, point in enumerate(points):
            try:
                lines.append((number, line(point)))
            except Refused as why:
                refused[number] = str(why)
        try:
            for start in range(0, len(lines), BATCH):
                refused |= self._write(lines[start : start + BATCH])
        except OSError:
            self._writer.close()
            raise
        return refused

    def _write(self, lines: list[tuple[int, str]]) -> dict[int, str]:
        """Write lines, halving a batch until the bad ones are isolated; returns these with the reason."""
        try:
            _check(self._writer.post("\n".join(text for _, text in lines).encode()), self._writer.advice)
        except LinesRejected as why:
            if len(lines) == 1:
                return {lines[0][0]: str(why)}
            half = len(lines) // 2
            return self._write(lines[:half]) | self._write(lines[half:])
        return {}

    def close(self) -> None:
        """Close the connection."""
        self._writer.close()


def _check(answer: DatabaseAnswer, advice: Mapping[int, str]) -> None:
    """Raise an exception unless all lines are written.

    Raises:
        LinesRejected: a line is bad.
        StoreUnavailable: the lines are not the reason, and can be written later.
    """
    if answer.status in GOOD:
        return
    if answer.status in REJECTED and (answer.status == TOO_LARGE or _is_from_database(answer.body)):
        raise LinesRejected(f"{answer.status}: {_excerpt(answer.body)}")
    hint = advice.get(answer.status) or ("no InfluxDB at this url" if answer.status in REJECTED else "")
    raise StoreUnavailable(error_text(answer.status, hint, answer.body), _seconds(answer.retry_after))


def error_text(status: int, hint: str, body: str) -> str:
    """Return an error answer in one line, with a hint at what to check."""
    return f"the database answers {status}" + "".join(f"; {more}" for more in (hint, _excerpt(body)) if more)


def _excerpt(body: str) -> str:
    return " ".join(body[:EXCERPT].split())


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
