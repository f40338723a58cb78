"""A web server that answers well, badly, slowly, or is not the one that it should be."""

import http.server
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest

from bootstrap.answers.answer_value import AnswerValue
from bootstrap.answers.web_answer import MOST, WebRequest
from bootstrap.config.loader import check
from daemons.http import Http
from penates.testing import Bench
from support.secrets_and_certificates import write_certificates
from support.world import free_port

SECRET = "a/very secret&token"
NONE: Mapping[str, str] = {}
Answer = Callable[[http.server.BaseHTTPRequestHandler], None]


class Server(http.server.ThreadingHTTPServer):
    """A real one, with what it was asked."""

    def __init__(self, answer: Answer, trust: ssl.SSLContext | None = None) -> None:
        self.answer, self.asked = answer, list[tuple[str, dict[str, str]]]()
        super().__init__(("127.0.0.1", 0), _Handler)
        if trust:
            self.socket = trust.wrap_socket(self.socket, server_side=True)
        self.thread = threading.Thread(target=self.serve_forever, args=(0.01,))
        self.thread.start()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a client that goes away: some tests make it."""

    def end(self) -> None:
        self.shutdown()
        self.thread.join()
        self.server_close()


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.asked.append((self.path, dict(self.headers)))
        self.server.answer(self)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def says(body: bytes, status: int = 200, headers: Mapping[str, str] = NONE) -> Answer:
    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in ({"Content-Length": str(len(body)), **headers}).items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def endless(handler: http.server.BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    while not handler.server.ended.wait(0.02):  # type: ignore[attr-defined]
        handler.wfile.write(b" ")


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []

    def start(answer: Answer, trust: ssl.SSLContext | None = None) -> Server:
        servers.append(Server(answer, trust))
        servers[-1].ended = threading.Event()  # type: ignore[attr-defined]
        return servers[-1]

    yield start
    for one in servers:
        one.ended.set()  # type: ignore[attr-defined]
        one.end()


def asked(port: int, path: str = "/", limit_s: float = 30.0, **more: object) -> str:
    return WebRequest(f"http://127.0.0.1:{port}{path}", limit_s, **more).timed_answer()[0]  # type: ignore[arg-type]


def test_values_of_a_page(serve: Callable[..., Server], tmp_path: Path) -> None:
    server = serve(says(b'{"main":{"temp":21.5},"list":[1,2],"on":true}'))
    values = ["temperature = main.temp °C", "second = list.1 m", "on = on true|false", "co2 = air.co2 ppm"]
    (tmp_path / "house.toml").write_text('group = "cm"\n')
    (tmp_path / "devices").mkdir()
    (tmp_path / "devices" / "it.toml").write_text(
        f'kind = "http"\nurl = "http://127.0.0.1:{server.port}/x?y=1"\nvalues = {values}\nlimit_s = 10\n'
    )
    (settings,) = check(tmp_path)
    reading = dict(settings.device.read())
    assert (reading["temperature"], reading["second"], reading["on"]) == (21.5, 2, True)
    assert str(reading["co2"]) == "the answer has no 'air'; it has main, list, on"
    assert [*settings.device.check(reading)] == ["co2"]
    assert server.asked[0][0] == "/x?y=1"


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (says(b"", 404), "answered 404 Not Found; see url"),
        (says(b"", 401), "answered 401 Unauthorized; see token_file"),
        (says(b"", 500), "answered 500 Internal Server Error"),
        (
            says(b"", 302, {"Location": "https://b.example/x?token=y"}),
            "is now at https://b.example; set",
        ),
        (says(b"", 301, {"Location": "/other"}), "is now at another path; set"),
        (says(b"", 301, {"Location": "//[b"}), "is now at an address that is none; set"),
        (says(b"", 499), "answered 499"),
        (says(b"{}", 200, {"Content-Length": "10"}), "was cut off"),
        (says(b" " * (MOST + 1)), f"has more than {MOST} bytes"),
        (says(b"\xff\xfe\x00"), "is not UTF-8 text"),
        (lambda handler: handler.wfile.write(b"SSH-2.0-OpenSSH\r\n"), "does not answer as a web server does"),
        (lambda handler: handler.connection.shutdown(socket.SHUT_RDWR), "127.0.0.1"),
    ],
)
def test_what_is_wrong_is_said(serve: Callable[..., Server], answer: Answer, why: str) -> None:
    server = serve(answer)
    with pytest.raises((OSError, ValueError)) as error:
        asked(server.port)
    assert why in str(error.value)


def test_an_answer_must_be_complete_in_time(serve: Callable[..., Server]) -> None:
    with pytest.raises(OSError, match=r"http://127.0.0.1:\d+ has not answered completely after 0.3 s"):
        asked(serve(endless).port, limit_s=0.3)


@pytest.fixture
def deaf() -> Iterator[int]:
    """A port whose queue is full: it answers no SYN, as a host that is switched off."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield int(listener.getsockname()[1])


def has_addresses(monkeypatch: pytest.MonkeyPatch, *ports: int) -> None:
    """Have every host several addresses."""
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)) for port in ports]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_all_addresses_together_have_the_time(monkeypatch: pytest.MonkeyPatch, deaf: int, scheme: str) -> None:
    has_addresses(monkeypatch, *[deaf] * 40)
    began = time.monotonic()
    with pytest.raises(TimeoutError, match=rf"{scheme}://h.example has not answered completely after 0.4 s"):
        WebRequest(f"{scheme}://h.example", 0.4).timed_answer()
    assert time.monotonic() - began < 10, "40 addresses of 0.4 s each are 16 s"


def test_a_dead_address_leaves_time_for_the_next_one(
    serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch, deaf: int
) -> None:
    has_addresses(monkeypatch, deaf, serve(says(b"7")).port)
    assert WebRequest("http://h.example/x", 3.0).timed_answer()[0] == "7"


def test_a_server_that_does_not_shake_hands_has_no_more_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://localhost:{silent.getsockname()[1]}"
        with pytest.raises(TimeoutError, match=r"has not answered completely after 0.3 s"):
            WebRequest(url, 0.3).timed_answer()


def test_nobody_listens() -> None:
    with pytest.raises(OSError, match=r"http://127.0.0.1:\d+: Connection refused"):
        asked(free_port())


def test_a_secret_goes_where_it_should_and_into_no_word(serve: Callable[..., Server], tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(f"{SECRET}\n")
    server = serve(says(b"", 403))
    for path, header in (("/", "Authorization"), ("/", "X-Key"), ("/?key={secret}", "Authorization")):
        with pytest.raises(OSError, match="403") as error:
            asked(server.port, path, secret_file=file, header=header)
        assert "secret" not in str(error.value)
    (_, first), (_, second), (path, third) = server.asked
    assert (first["Authorization"], second["X-Key"]) == (f"Bearer {SECRET}", SECRET)
    assert (path, "Authorization" in third) == ("/?key=a%2Fvery%20secret%26token", False)
    file.write_text("töken\n")
    with pytest.raises(OSError, match="holds more than printable ASCII") as error:
        asked(server.port, secret_file=file)
    assert "ken" not in str(error.value).replace(str(file), "")


def test_what_a_server_repeats_of_the_address_is_not_told(serve: Callable[..., Server], tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("hush")

    def moved(handler: http.server.BaseHTTPRequestHandler) -> None:
        where = f"https://hush:hush@b.example:8443{handler.path}"
        says(b"", 301, {"Location": where})(handler)

    def lost(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.wfile.write(f"HTTP/1.0 404 no {handler.path}\r\n\r\n".encode())

    for answer, why in ((moved, "is now at https://b.example:8443; set"), (lost, "answered 404 Not Found; see url")):
        with pytest.raises(OSError, match=why) as error:
            asked(serve(answer).port, "/{secret}/status?key={secret}", secret_file=file)
        assert "hush" not in str(error.value)


def test_tls_trusts_the_ca_that_is_named_and_no_other(serve: Callable[..., Server], tmp_path: Path) -> None:
    ours, other = tmp_path / "ours" / "ca.pem", tmp_path / "other" / "ca.pem"
    for file in (ours, other):
        file.parent.mkdir()
        write_certificates(file.parent, "localhost")
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trust.load_cert_chain(ours, ours.parent / "key.pem")
    url = f"https://localhost:{serve(says(b'7'), trust).port}"
    assert WebRequest(url, 30.0, ours).timed_answer()[0] == "7"
    with pytest.raises(OSError, match=r"is not trusted: .*; perhaps it is signed by another CA than ca_file"):
        WebRequest(url, 30.0, other).timed_answer()
    with pytest.raises(OSError, match=r"is not trusted: .*; perhaps it needs ca_file"):
        WebRequest(url, 30.0).timed_answer()


def test_it_works_as_a_device(serve: Callable[..., Server]) -> None:
    url = f"http://127.0.0.1:{serve(says(b'42')).port}"
    with Bench(Http(url=url, values=[AnswerValue("power = . W")])) as bench:
        reading = bench.read()
    assert reading["power"] == 42
    assert 0 <= float(str(reading["took"])) < 60
