"""The answer of a web server: one GET, in time, of bounded size, and no word of a secret in what is said of it."""

import http.client
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, TypeAlias
from urllib.parse import quote, urlsplit

from bootstrap.bounded_answer import BoundedAnswer
from bootstrap.bounded_connection import connected_within
from bootstrap.config.secrets import a_secret, read_secret
from bootstrap.errors import reason
from bootstrap.hosts import SECRET
from bootstrap.tls import shared_tls

SecretFile: TypeAlias = Annotated[Path, a_secret]

MOST = 262_144  # bytes of an answer
GOOD, MOVED = range(200, 300), range(300, 400)
ADVICE = {401: "; see token_file", 403: "; see token_file", 404: "; see url"}
SHORTEST_S = 0.001  # a timeout of 0 would mean none at all
LONGEST_TARGET = 200  # characters of where a server sends us instead


@dataclass(frozen=True)
class WebRequest:
    """A GET request.

    Attributes:
        url: the address, in which `{secret}` stands for the secret.
        limit_s: the time in seconds in which all of the answer must be there.
        ca_file: the only CA that is trusted; None for those that the system trusts.
        secret_file: a file with a secret in its first line.
        header: the header that carries the secret unless the address does.
    """

    url: str
    limit_s: float
    ca_file: Path | None = None
    secret_file: Path | None = field(default=None, repr=False)
    header: str = "Authorization"

    def timed_answer(self) -> tuple[str, float]:
        """Return the text of the answer, and the seconds until it was there.

        Raises:
            OSError: the server cannot be reached, is not the one of its certificate, or answers with an error.
            ValueError: the answer is too large, or no text.
        """
        secret = read_secret(self.secret_file) if self.secret_file else ""
        if not (secret.isascii() and secret.isprintable()) and secret:
            raise OSError(f"{self.secret_file} holds more than printable ASCII characters in its first line")
        trust, began = self._trust(), time.monotonic()
        connection = self._connection(trust)
        try:
            self._connect(connection, trust)
            connection.request("GET", self._target(secret), headers=self._headers(secret))
            connection.sock.settimeout(max(SHORTEST_S, began + self.limit_s - time.monotonic()))
            with connection.getresponse() as answer:
                body = answer.read(MOST + 1)
                cut = bool(answer.length) and len(body) <= MOST
        except ssl.SSLCertVerificationError as error:
            perhaps = "is signed by another CA than ca_file" if self.ca_file else "needs ca_file"
            raise OSError(f"{self._origin} is not trusted: {error.verify_message}; perhaps it {perhaps}") from None
        except TimeoutError:
            raise TimeoutError(f"{self._origin} has not answered completely after {self.limit_s:g} s") from None
        except http.client.HTTPException as error:
            raise OSError(f"{self._origin} does not answer as a web server does: {type(error).__name__}") from None
        except OSError as error:
            raise OSError(f"{self._origin}: {error.strerror or reason(error)}") from None
        finally:
            connection.close()
        if cut:
            raise OSError(f"the answer of {self._origin} was cut off")
        return _text(answer, body, self._origin), round(time.monotonic() - began, 3)

    @property
    def _origin(self) -> str:
        """The server, for people, without the path, in which a secret may be."""
        url = urlsplit(self.url)
        return f"{url.scheme}://{url.netloc}"

    def _trust(self) -> ssl.SSLContext | None:
        if urlsplit(self.url).scheme == "http":
            return None
        return shared_tls(self.ca_file) if self.ca_file else ssl.create_default_context()

    def _connection(self, trust: ssl.SSLContext | None) -> http.client.HTTPConnection:
        url = urlsplit(self.url)
        host, port = url.hostname or "", url.port
        if trust:
            found: http.client.HTTPConnection = http.client.HTTPSConnection(host, port, context=trust)
        else:
            found = http.client.HTTPConnection(host, port)
        found.response_class = BoundedAnswer
        return found

    def _connect(self, connection: http.client.HTTPConnection, trust: ssl.SSLContext | None) -> None:
        """Connect, where the library would give as long again to each address, and then to the TLS handshake."""
        began = time.monotonic()
        connection.sock = connected_within(connection.host, connection.port, self.limit_s)
        if trust:
            connection.sock = trust.wrap_socket(connection.sock, server_hostname=connection.host)
            connection.sock.settimeout(max(SHORTEST_S, began + self.limit_s - time.monotonic()))

    def _target(self, secret: str) -> str:
        url = urlsplit(self.url)
        query = f"?{url.query}" if url.query else ""
        return f"{url.path or '/'}{query}".replace(SECRET, quote(secret, safe=""))

    def _headers(self, secret: str) -> Mapping[str, str]:
        headers = {"Accept": "application/json", "Accept-Encoding": "identity", "Connection": "close"}
        if not secret or SECRET in self.url:
            return headers
        return {**headers, self.header: f"Bearer {secret}" if self.header == "Authorization" else secret}


def _server(location: str) -> str:
    """Return the server that we are sent to, without path and query: it may repeat there what it was asked for."""
    try:
        url = urlsplit(location)
        port = f":{url.port}" if url.port else ""
    except ValueError:
        return "an address that is none"
    if not url.hostname:
        return "another path"
    return ascii(f"{url.scheme}://{url.hostname}{port}")[1:-1][:LONGEST_TARGET]


def _text(answer: http.client.HTTPResponse, body: bytes, origin: str) -> str:
    status = answer.status
    if status in MOVED:
        target = _server(answer.getheader("Location", ""))
        raise OSError(f"{origin} answered {status}: what it had is now at {target}; set 'url' to its new address")
    if status not in GOOD:
        said = http.client.responses.get(status, "")
        raise OSError(f"{origin} answered {status} {said}".rstrip() + ADVICE.get(status, ""))
    if len(body) > MOST:
        raise ValueError(f"the answer of {origin} has more than {MOST} bytes")
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"the answer of {origin} is not UTF-8 text: {error.reason}") from None
