"""Querying a database over HTTP, and reading the answer line by line as it arrives."""

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
from bootstrap.history.influx.store import GOOD, LOGIN, LONGEST, TOKEN, DatabaseServer, error_text

PATIENCE_S = 60.0  # for the next part of an answer: a Pi needs a while to summarise a year
AHEAD_S = 2 * 86_400  # how far in the future VictoriaMetrics accepts readings, of a clock that is fast
UNAUTHORIZED = (401, 403)  # HTTP status
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def end_s() -> int:
    """Return a time after the newest possible reading, in seconds since 1970."""
    return int(time.time()) + AHEAD_S


class Declined(OSError):  # noqa: N818 - may only mean that it is another kind of database
    """The server has answered, but not with the result of a query."""


@dataclass(frozen=True, slots=True)
class Queries:
    """A database to query, and the login for it.

    Attributes:
        login: the header Authorization, or an empty string.
        advice: what to check if the login is refused.
        patience_s: how long to wait for the next part of an answer, instead of a minute.
    """

    server: DatabaseServer
    login: str
    advice: str
    patience_s: float | None = None

    @classmethod
    def by_password(cls, server: DatabaseServer, username: str | None, password_file: Path | None) -> Self:
        """Log in as InfluxDB 1 requires it.

        Raises:
            OSError: the file cannot be read.
        """
        return cls(server, login(username, password_file), LOGIN)

    @classmethod
    def by_token(cls, server: DatabaseServer, token_file: Path | None) -> Self:
        """Log in as InfluxDB 2 and 3 require it; a token for 1.8 is `user:password`.

        Raises:
            OSError: the file cannot be read.
        """
        token = read_secret(token_file) if token_file else ""
        header = basic(token) if ":" in token else f"Token {token}"
        return cls(server, header if token else "", TOKEN)

    def lines(self, path: str, **parameters: str) -> Iterator[dict[str, Any]]:
        """Yield the lines of an answer, each a JSON object. The caller may stop early.

        Raises:
            Declined: the server does not answer the query.
            OSError: the server cannot be reached, or the answer is incomplete.
        """
        with closing(self.server.connection(self.patience_s or PATIENCE_S)) as connection:
            try:
                for line in _complete(self._request(connection, path, parameters)):
                    yield self._object(line)
            except Declined:
                raise
            except (OSError, http.client.HTTPException) as error:
                raise OSError(f"{self.server.url}: {error or repr(error)}") from None

    def _request(
        self, connection: http.client.HTTPConnection, path: str, parameters: dict[str, str]
    ) -> http.client.HTTPResponse:
        headers = FORM | ({"Authorization": self.login} if self.login else {})
        connection.request("POST", self.server.target(path), urlencode(parameters), headers)
        response = connection.getresponse()
        if response.status not in GOOD:
            text = response.read(LONGEST).decode(errors="replace")
            hint = self.advice if response.status in UNAUTHORIZED else ""
            raise Declined(f"{self.server.url}: {error_text(response.status, hint, text)}")
        return response

    def _object(self, line: bytes) -> dict[str, Any]:
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise Declined(f"{self.server.url}: this is not an answer of a database: {line[:60]!a}")
        return found


def _complete(response: http.client.HTTPResponse) -> Iterator[bytes]:
    """Yield the lines of a response; raises an OSError if it ends too soon."""
    while line := response.readline():
        yield line
    if response.length:
        raise OSError("the connection ended in the middle of the answer")
