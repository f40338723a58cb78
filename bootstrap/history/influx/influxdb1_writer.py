"""The write API of InfluxDB 1, which Debian's own 1.6 and most later databases offer, with the standard library."""

import http.client
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from bootstrap.bounded_answer import BoundedAnswer
from bootstrap.config.secrets import read_secret
from bootstrap.history.influx.store import GOOD, LOGIN, LONGEST, TIMEOUT_S, DatabaseAnswer, DatabaseServer

NOT_FOUND = 404


def basic(user_and_password: str) -> str:
    """Return the header Authorization for `user:password`."""
    return f"Basic {b64encode(user_and_password.encode()).decode()}"


def login(username: str | None, password_file: Path | None) -> str:
    """Return the header Authorization, or an empty string if no login is needed.

    Raises:
        OSError: the file cannot be read.
    """
    return basic(f"{username}:{read_secret(password_file)}") if password_file else ""


class Influxdb1Writer:
    """Keeps one connection open, and creates the database if it does not exist."""

    def __init__(self, server: DatabaseServer, database: str, username: str | None, password_file: Path | None) -> None:
        self._server, self._database = server, database
        self._username, self._password_file = username, password_file
        self._connection: http.client.HTTPConnection | None = None
        self._headers: dict[str, str] = {}
        self.advice = {
            401: LOGIN,
            403: LOGIN,
            NOT_FOUND: f"no database {database!r}, or no InfluxDB 1 at {server.url}",
        }

    def post(self, lines: bytes) -> DatabaseAnswer:
        """Write these lines; writing them twice changes nothing."""
        parameters = {"db": self._database, "precision": "u"}
        answer = self._request("write", parameters, lines)
        if answer.status != NOT_FOUND or "database not found" not in answer.body:
            return answer
        created = self._create()
        return self._request("write", parameters, lines) if created.status in GOOD else created

    def _create(self) -> DatabaseAnswer:
        return self._request("query", {"q": f'CREATE DATABASE "{self._database}"'}, b"")

    def _request(self, path: str, parameters: Mapping[str, str], body: bytes) -> DatabaseAnswer:
        """Send a request, and send it again if the server has closed the idle connection."""
        target = f"{self._server.target(path)}?{urlencode(parameters)}"
        idle = self._connection is not None
        try:
            return self._exchange(target, body)
        except (ConnectionError, http.client.HTTPException) as error:
            self.close()
            if not idle:
                raise OSError(f"{urlsplit(self._server.url).netloc}: {error!r}") from None
        return self._request(path, parameters, body)

    def _exchange(self, target: str, body: bytes) -> DatabaseAnswer:
        if self._connection is None:
            self._connection = self._connect()
        if self._connection.sock:
            self._connection.sock.settimeout(TIMEOUT_S)  # which the last answer has shortened
        self._connection.request("POST", target, body, self._headers)
        with self._connection.getresponse() as response:
            text = response.read(LONGEST).decode(errors="replace")
            if not response.isclosed():
                self.close()
            return DatabaseAnswer(response.status, text, response.getheader("Retry-After", ""))

    def _connect(self) -> http.client.HTTPConnection:
        self._headers = {"Content-Type": "text/plain; charset=utf-8"}
        if header := login(self._username, self._password_file):
            self._headers["Authorization"] = header
        connection = self._server.connection(TIMEOUT_S)
        connection.response_class = BoundedAnswer
        return connection

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
