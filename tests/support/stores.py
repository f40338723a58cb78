"""Databases around a recorder: InfluxDB and VictoriaMetrics on free ports, and one that answers as it is told."""

import json
import os
import shutil
import signal
import ssl
import subprocess
import threading
from collections.abc import Callable, Generator
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain
from pathlib import Path
from typing import Any, Self, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit

from support.world import PATIENCE_S, eventually, free_port

DATABASE = "penates"
Stored = list[tuple[str, str, str, int, dict[str, Any]]]  # group, sensor, kind, microseconds, fields


def of_others(found: dict[tuple[str, str, str, int], dict[str, Any]]) -> Stored:
    """What is stored, sorted, but for what a recorder stores of its own."""
    rows = ((*key, fields) for key, fields in found.items() if key[1] != "recorder")
    return sorted(rows, key=lambda one: one[:4])


class Database:
    """A server with a folder of its own, which can be stopped, killed, frozen and started again."""

    program, health = "", ""

    def __init__(self, folder: Path, **env: str) -> None:
        assert shutil.which(self.program), f"{self.program} is not installed; run scripts/test, which installs it"
        self.folder, self.port, self._env = folder, free_port(), env
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True)

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process, "it was not started"
        return self._process

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def command(self) -> tuple[list[str], dict[str, str]]:
        raise NotImplementedError

    def start(self) -> Self:
        words, env = self.command()
        with (self.folder / "log").open("ab") as log:
            env = {**os.environ, **env, **self._env}
            self._process = subprocess.Popen([self.program, *words], stdout=log, stderr=log, env=env, cwd=self.folder)
        eventually(self._answers, f"{self.program} answers")
        return self

    def _answers(self) -> bool:
        assert self.process.poll() is None, (self.folder / "log").read_text(errors="replace")
        with suppress(OSError):
            return self.ask("GET", self.health)[0] < 500
        return False

    def ask(self, method: str, path: str, **parameters: str) -> tuple[int, bytes]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        try:
            connection.request(method, f"{path}?{urlencode(parameters)}")
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def send(self, number: int) -> None:
        self.process.send_signal(number)

    def stop(self, number: int = signal.SIGTERM) -> None:
        if self._process and self._process.poll() is None:
            self.send(signal.SIGCONT)
            self.send(number)
            self.process.wait(PATIENCE_S)


class Influx(Database):
    """InfluxDB 1.6."""

    program, health = "influxd", "/ping"

    def command(self) -> tuple[list[str], dict[str, str]]:
        return ["-config", os.devnull], {
            "INFLUXDB_META_DIR": f"{self.folder}/meta",
            "INFLUXDB_DATA_DIR": f"{self.folder}/data",
            "INFLUXDB_DATA_WAL_DIR": f"{self.folder}/wal",
            "INFLUXDB_HTTP_BIND_ADDRESS": f"127.0.0.1:{self.port}",
            "INFLUXDB_BIND_ADDRESS": "127.0.0.1:0",
            "INFLUXDB_REPORTING_DISABLED": "true",
            "INFLUXDB_MONITOR_STORE_ENABLED": "false",
        }

    def query(self, text: str, database: str = DATABASE, **login: str) -> list[dict[str, Any]]:
        """The series of one statement's result; a statement of another kind has none."""
        status, said = self.ask("POST", "/query", db=database, epoch="u", q=text, **login)
        assert status == 200, said
        result = json.loads(said)["results"][0]
        assert "error" not in result or "database not found" in result["error"], result
        series: list[dict[str, Any]] = result.get("series", [])
        return series

    def stored(self, database: str = DATABASE, sensor: str = "", **login: str) -> Stored:
        """What is in all measurements of readings; the values of one time are together."""
        found: dict[tuple[str, str, str, int], dict[str, Any]] = {}
        only = f" WHERE sensor = '{sensor}'" if sensor else ""
        measurements = ("reading", "text", "number")  # asked one by one: a field has one type in a query
        asked = [self.query(f"SELECT * FROM {one}{only} GROUP BY *", database, **login) for one in measurements]
        for series in chain.from_iterable(asked):
            group, name, kind = (series.get("tags", {}).get(tag, "") for tag in ("group", "sensor", "kind"))
            for time_us, *values in series["values"]:
                fields = dict(zip(series["columns"][1:], values, strict=True))
                said = {name: value for name, value in fields.items() if value is not None}
                # Go's JSON says 1e16 by its digits.
                said = {name: float(value) if isinstance(value, int) else value for name, value in said.items()}
                found.setdefault((group, name, kind, time_us), {}).update(said)
        return of_others(found)


class Victoria(Database):
    """VictoriaMetrics: milliseconds, and no words."""

    program, health = "victoria-metrics", "/health"

    def command(self) -> tuple[list[str], dict[str, str]]:
        data = f"-storageDataPath={self.folder}/data"
        listen = f"-httpListenAddr=127.0.0.1:{self.port}"
        return [listen, data, "-dedup.minScrapeInterval=1ms", "-retentionPeriod=100y", "-memory.allowedBytes=64MB"], {}

    def stored(self, sensor: str = "") -> Stored:
        self.ask("GET", "/internal/force_flush")
        wanted = '{__name__=~"reading_.*",sensor=~"%s"}' % (sensor or ".*")
        status, said = self.ask("GET", "/api/v1/export", **{"match[]": wanted})
        assert status == 200, said
        found: dict[tuple[str, str, str, int], dict[str, Any]] = {}
        for row in map(json.loads, said.splitlines()):
            tags = row["metric"]
            for time_ms, value in zip(row["timestamps"], row["values"], strict=True):
                key = (tags.get("group", ""), tags.get("sensor", ""), tags.get("kind", ""), time_ms * 1000)
                name = tags["__name__"].removeprefix("reading_")
                assert name not in found.setdefault(key, {}), f"{name} is there twice at {key}"
                found[key][name] = value
        return of_others(found)


@dataclass(frozen=True)
class Request:
    """One request as a server got it."""

    path: str
    parameters: dict[str, str]
    headers: dict[str, str]
    lines: list[str] = field(default_factory=list)


Reply = tuple[int, dict[str, str], bytes]  # status, headers, body
WRITTEN: Reply = (204, {}, b"")


class FakeDatabase:
    """Answers each request as `reply` says; None hangs up. What it took is in `lines`.

    What a recorder stores of its own is answered too, but not kept.
    """

    def __init__(self, trust: ssl.SSLContext | None = None) -> None:
        self.reply: Callable[[Request], Reply | None] = lambda _: WRITTEN
        self.requests: list[Request] = []
        self.lines: list[str] = []
        self._asked = 0
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                fake.serve(self)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        if trust:
            self._server.socket = trust.wrap_socket(self._server.socket, server_side=True)
        self.url = f"{'https' if trust else 'http'}://localhost:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def answer(self, reply: Reply | None) -> None:
        """Answer every request like this."""
        self.reply = lambda _: reply
        self._asked = len(self.requests)

    def hang_until(self, over: threading.Event) -> None:
        """Answer nothing before that, and hang up then."""

        def reply(_: Request) -> None:
            over.wait(PATIENCE_S)

        self.reply = reply

    def is_asked_again(self) -> bool:
        """Whether a request came since that was decided."""
        return len(self.requests) > self._asked

    def serve(self, handler: BaseHTTPRequestHandler) -> None:
        url = urlsplit(handler.path)
        body = handler.rfile.read(int(handler.headers["Content-Length"] or 0)).decode()
        lines = body.splitlines()
        others = [line for line in lines if "sensor=recorder" not in line]
        request = Request(url.path, dict(parse_qsl(url.query)), dict(handler.headers), others)
        if others or not lines:
            self.requests.append(request)
        answer = self.reply(request)
        if answer is None:
            handler.close_connection = True
            return
        status, headers, said = answer
        if status == 204 and request.path.endswith("/write"):
            self.lines += request.lines
        with suppress(OSError):
            handler.send_response(status)
            for name, value in {**({} if status == 204 else {"Content-Length": str(len(said))}), **headers}.items():
                handler.send_header(name, value)
            handler.end_headers()
            handler.wfile.write(said)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


AnyDatabase = TypeVar("AnyDatabase", bound=Database)


def started(kind: type[AnyDatabase], folder: Path, **env: str) -> Generator[AnyDatabase]:
    """One that runs until the fixture ends."""
    database = kind(folder, **env)
    try:
        yield database.start()
    finally:
        database.stop(signal.SIGKILL)
