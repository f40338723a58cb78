"""The write API of InfluxDB 1, which Debian's own 1.6 and most that came after it speak. Only the standard library."""

import http.client
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from bootstrap.config.secrets import read_secret
from bootstrap.history.influx.store import GOOD, LOGIN, LONGEST, TIMEOUT_S, DatabaseAnswer, DatabaseServer

MISSING = 404


def basic(user_and_password: str) -> str:
    """The header Authorization for `user:password`."""
    return f"Basic {b64encode(user_and_password.encode()).decode()}"


def login(username: str | None, password_file: Path | None) -> str:
    """The header Authorization, or nothing where no login is wanted.

    Raises:
        OSError: the file cannot be read.
    """
    return basic(f"{username}:{read_secret(password_file)}") if password_file else ""


class Influxdb1Writer:
    """One connection, kept open. The database is created if it is not there."""

    def __init__(self, server: DatabaseServer, database: str, username: str | None, password_file: Path | None) -> None:
        self._server, self._database = server, database
        self._username, self._password_file = username, password_file
        self._connection: http.client.HTTPConnection | None = None
        self._headers: dict[str, str] = {}
        self.advice = {
            401: LOGIN,
            403: LOGIN,
            MISSING: f"no database {database!r}, or no InfluxDB 1 at {server.url}",
        }

    def post(self, lines: bytes) -> DatabaseAnswer:
        """See `Wire.post`."""
        parameters = {"db": self._database, "precision": "u"}
        answer = self._ask("write", parameters, lines)
        if answer.status != MISSING or "database not found" not in answer.said:
            return answer
        created = self._create()
        return self._ask("write", parameters, lines) if created.status in GOOD else created

    def _create(self) -> DatabaseAnswer:
        return self._ask("query", {"q": f'CREATE DATABASE "{self._database}"'}, b"")

    def _ask(self, what: str, parameters: Mapping[str, str], body: bytes) -> DatabaseAnswer:
        """Ask once; and once more if it had hung up on a connection that was left idle."""
        target = f"{self._server.target(what)}?{urlencode(parameters)}"
        idle = self._connection is not None
        try:
            return self._exchange(target, body)
        except (ConnectionError, http.client.HTTPException) as error:
            self.close()
            if not idle:
                raise OSError(f"{urlsplit(self._server.url).netloc}: {error!r}") from None
        return self._ask(what, parameters, body)

    def _exchange(self, target: str, body: bytes) -> DatabaseAnswer:
        if self._connection is None:
            self._connection = self._connect()
        self._connection.request("POST", target, body, self._headers)
        with self._connection.getresponse() as response:
            said = response.read(LONGEST).decode(errors="replace")
            if not response.isclosed():
                self.close()
            return DatabaseAnswer(response.status, said, response.getheader("Retry-After", ""))

    def _connect(self) -> http.client.HTTPConnection:
        self._headers = {"Content-Type": "text/plain; charset=utf-8"}
        if header := login(self._username, self._password_file):
            self._headers["Authorization"] = header
        return self._server.connection(TIMEOUT_S)

    def close(self) -> None:
        """Hang up."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
