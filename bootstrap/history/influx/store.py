"""The history in a database that takes InfluxDB's line protocol: what its answers mean, over whichever wire."""

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
from bootstrap.history.subscription import StoreAway
from bootstrap.tls import tls

TIMEOUT_S = 4.0  # of one request; the batch is then tried again
BATCH = 1000  # lines in one request: half the speed of many more, and a slow machine has done it in time
SAID = 300  # characters of an answer that are repeated
LONGEST = 65_536  # bytes of an answer to a write; of ours it has a hundred
LONGEST_WAIT_S = 300.0
LOGIN = "see username and password_file, and what this user may do"
TOKEN = "see token_file, and what this token may do"  # noqa: S105 - none

GOOD = range(200, 300)
UNFIT = (400, 413, 422)  # something is wrong with what was sent
TOO_LARGE = 413


@dataclass(frozen=True, slots=True)
class DatabaseAnswer:
    """What the database said: its HTTP status, the body, and the header Retry-After."""

    status: int
    said: str = ""
    retry_after: str = ""


@dataclass(frozen=True, slots=True)
class DatabaseServer:
    """Where it is; with `ca_file` only this CA is trusted."""

    url: str
    ca_file: Path | None = None

    def connection(self, timeout_s: float) -> http.client.HTTPConnection:
        """One that connects when it is first asked.

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
        """What is asked for, below the url."""
        return f"{urlsplit(self.url).path.rstrip('/')}/{path}"


class LineWriter(Protocol):
    """Carries lines to the database. It connects when it is first used, and again after it was closed."""

    @property
    def advice(self) -> Mapping[int, str]:
        """What to do, by the status of an answer."""

    def post(self, lines: bytes) -> DatabaseAnswer:
        """Write these; the same twice changes nothing. OSError: nobody answers in time."""

    def close(self) -> None:
        """Hang up."""


class Unfit(Exception):  # noqa: N818 - the store is well, a line is not
    """The database takes other lines, but not all of these."""


class InfluxStore:
    """Writes lines. When `put` returns, the database has said that it has them."""

    def __init__(self, writer: LineWriter) -> None:
        self._writer = writer

    def put(self, points: Sequence[Point]) -> dict[int, str]:
        """See `Store.put`."""
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
        """Write what can be written, halving until the bad lines stand alone."""
        try:
            _judge(self._writer.post("\n".join(text for _, text in lines).encode()), self._writer.advice)
        except Unfit as why:
            if len(lines) == 1:
                return {lines[0][0]: str(why)}
            half = len(lines) // 2
            return self._write(lines[:half]) | self._write(lines[half:])
        return {}

    def close(self) -> None:
        """Hang up."""
        self._writer.close()


def _judge(answer: DatabaseAnswer, advice: Mapping[int, str]) -> None:
    """Return if all is written.

    Raises:
        Unfit: a line is bad.
        OSError: it is no line's fault; to be tried again.
    """
    if answer.status in GOOD:
        return
    if answer.status in UNFIT and (answer.status == TOO_LARGE or _by_a_database(answer.said)):
        raise Unfit(f"{answer.status}: {_short(answer.said)}")
    hint = advice.get(answer.status) or ("url is no InfluxDB's" if answer.status in UNFIT else "")
    raise StoreAway(complaint(answer.status, hint, answer.said), _seconds(answer.retry_after))


def complaint(status: int, hint: str, said: str) -> str:
    """An answer that is none, in one line, and what to do about it."""
    return f"the database answers {status}" + "".join(f"; {more}" for more in (hint, _short(said)) if more)


def _short(said: str) -> str:
    return " ".join(said[:SAID].split())


def _by_a_database(said: str) -> bool:
    """Whether a 400 is about the lines. A proxy's is not: `http:` to a port of `https:` has it of every line."""
    try:
        told = json.loads(said)
    except (ValueError, RecursionError):
        return False
    return isinstance(told, dict) and not told.keys().isdisjoint({"error", "message"})


def _seconds(retry_after: str) -> float:
    """What Retry-After asks for, if it is a number of seconds."""
    return min(float(retry_after), LONGEST_WAIT_S) if retry_after.isascii() and retry_after.isdigit() else 0.0
