"""Asking a database for what is in it, over HTTP: one question, and its answer line by line, as it comes."""

import http.client
import json
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlencode

from bootstrap.config.secrets import read_secret
from bootstrap.history.influx.influxdb1_writer import basic, login
from bootstrap.history.influx.store import GOOD, LOGIN, LONGEST, TOKEN, DatabaseServer, complaint

PATIENCE_S = 60.0  # for the next piece of an answer: a Pi that adds up a year takes its time
AHEAD_S = 2 * 86_400  # of readings by a clock that is ahead, as far as VictoriaMetrics takes them
UNKNOWN = (401, 403)  # who asks, or whether he may
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def end_s() -> int:
    """After the newest reading that there may be, in seconds since 1970."""
    return int(time.time()) + AHEAD_S


class Declined(OSError):  # noqa: N818 - a database that is another one is no error
    """Somebody is there, and does not answer that."""


@dataclass(frozen=True, slots=True)
class Queries:
    """A database, and by which right we ask it.

    Attributes:
        login: the header Authorization, or nothing.
        advice: what to look at when it is refused.
    """

    server: DatabaseServer
    login: str
    advice: str

    @classmethod
    def by_password(cls, server: DatabaseServer, username: str | None, password_file: Path | None) -> Self:
        """As InfluxDB 1 has it.

        Raises:
            OSError: the file cannot be read.
        """
        return cls(server, login(username, password_file), LOGIN)

    @classmethod
    def by_token(cls, server: DatabaseServer, token_file: Path | None) -> Self:
        """As InfluxDB 2 and 3 have it; the token of 1.8 is `user:password`.

        Raises:
            OSError: the file cannot be read.
        """
        token = read_secret(token_file) if token_file else ""
        header = basic(token) if ":" in token else f"Token {token}"
        return cls(server, header if token else "", TOKEN)

    def lines(self, path: str, **parameters: str) -> Iterator[dict[str, Any]]:
        """The lines of an answer, each an object of JSON. Whoever has enough of it may leave.

        Raises:
            Declined: it is no such answer.
            OSError: nobody answers.
        """
        with closing(self.server.connection(PATIENCE_S)) as connection:
            try:
                for line in _whole(self._asked(connection, path, parameters)):
                    yield self._object(line)
            except Declined:
                raise
            except (OSError, http.client.HTTPException) as error:
                raise OSError(f"{self.server.url}: {error or repr(error)}") from None

    def _asked(
        self, connection: http.client.HTTPConnection, path: str, parameters: dict[str, str]
    ) -> http.client.HTTPResponse:
        headers = FORM | ({"Authorization": self.login} if self.login else {})
        connection.request("POST", self.server.target(path), urlencode(parameters), headers)
        response = connection.getresponse()
        if response.status not in GOOD:
            said = response.read(LONGEST).decode(errors="replace")
            hint = self.advice if response.status in UNKNOWN else ""
            raise Declined(f"{self.server.url}: {complaint(response.status, hint, said)}")
        return response

    def _object(self, line: bytes) -> dict[str, Any]:
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise Declined(f"{self.server.url}: that is no answer of a database: {line[:60]!a}")
        return found


def _whole(response: http.client.HTTPResponse) -> Iterator[bytes]:
    """Its lines, if it has them all."""
    while line := response.readline():
        yield line
    if response.length:
        raise OSError("it has hung up in the middle of its answer")
