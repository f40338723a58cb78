"""What a database may answer, and what each answer means, over both wires."""

import json
import re
import socket
import ssl
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Literal, TypeAlias

import pytest

from bootstrap.config.toml_file import Wrong
from bootstrap.eventloop.backoff import Retry
from bootstrap.history.influx import store as influx_store
from bootstrap.history.points import Point
from bootstrap.history.store_attempts import StoreUnavailable
from bootstrap.history.stores import CLIENT, Store, StoreSettings
from support.secrets_and_certificates import write_certificates
from support.stores import WRITTEN, FakeDatabase, Reply, Request
from support.world import swallow_syns

Kind: TypeAlias = Literal["influxdb", "influxdb1"]
BAD = json.dumps({"error": "unable to parse"}).encode()
POINTS = [Point("cm/attic", number, "r1", number, {"level": float(number)}) for number in range(10)]


@pytest.fixture
def fake() -> Iterator[FakeDatabase]:
    fake = FakeDatabase()
    yield fake
    fake.close()


@pytest.fixture(params=["influxdb", "influxdb1"])
def kind(request: pytest.FixtureRequest) -> Kind:
    kind: Kind = request.param
    return kind


@pytest.fixture
def store(kind: Kind, fake: FakeDatabase, tmp_path: Path) -> Iterator[Store]:
    store = StoreSettings(store=kind, url=fake.url).open_store(tmp_path)
    yield store
    store.close()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((500, {}, b"<h1>broken"), "500; <h1>broken"),
        ((503, {}, b""), "503"),
        ((400, {}, b"The plain HTTP request was sent to HTTPS port"), "400; no InfluxDB at this url; The plain"),
        ((400, {}, b"[1]"), "400; no InfluxDB at this url"),
        ((400, {}, b"[" * 100_000), "400; no InfluxDB at this url"),
        ((401, {}, b"{}"), "401; see "),
        ((403, {}, b""), "403; see "),
        ((404, {}, b"page not found"), "404; no "),
        ((302, {"Location": "/login"}, b""), "302"),
        ((500, {}, b"\xff\xfe"), "."),
        (None, "."),
    ],
)
def test_what_is_no_lines_fault_is_tried_again(store: Store, fake: FakeDatabase, answer: Reply, said: str) -> None:
    fake.reply = lambda _: answer
    with pytest.raises(OSError, match=said):
        store.put(POINTS)
    fake.reply = lambda _: WRITTEN
    assert store.put(POINTS) == {}
    assert len(fake.lines) == 10


@pytest.mark.parametrize(("asked", "wait_s"), [("7", 7), ("99999999", 300), ("soon", 0), ("-1", 0), ("²", 0)])
def test_who_asks_for_patience_gets_it(store: Store, fake: FakeDatabase, asked: str, wait_s: float) -> None:
    fake.reply = lambda _: (429, {"Retry-After": asked.encode().decode("latin-1")}, b"")
    with pytest.raises(StoreUnavailable) as away:
        store.put(POINTS)
    assert away.value.wait_s == wait_s
    retry = Retry(1.0, 10.0)
    retry.failed(away.value.wait_s)
    assert retry.wait_s > wait_s - 1


@pytest.mark.parametrize("status", [400, 413, 422])
@pytest.mark.parametrize("bad", [{0}, {9}, {3, 4}, {*range(10)}, set()])
def test_bad_lines_are_found_and_the_others_written(
    store: Store, fake: FakeDatabase, status: int, bad: set[int]
) -> None:
    def reply(request: Request) -> Reply:
        unfit = any(f"level={number}.0" in line for number in bad for line in request.lines)
        return (status, {}, BAD) if unfit else WRITTEN

    fake.reply = reply
    refused = store.put(POINTS)
    assert refused.keys() == bad
    assert all("unable to parse" in why for why in refused.values())
    assert [line.split()[1] for line in fake.lines] == [f"level={number}.0" for number in sorted({*range(10)} - bad)]


def test_a_line_that_cannot_be_written_down_is_refused_before_it_is_sent(store: Store, fake: FakeDatabase) -> None:
    odd = Point("cm/attic", 1, "r1", 1, {"a\nb": 1.0})
    assert store.put([POINTS[0], odd, POINTS[1]]).keys() == {1}
    assert len(fake.lines) == 2
    assert store.put([]) == {}
    assert store.put([odd]).keys() == {0}
    assert len(fake.requests) == 1


def conflicts(request: Request, form: str) -> Reply:
    """As a database answers whose field `level` holds text."""
    bad = any(line.startswith("reading") and "level=" in line for line in request.lines)
    return (400, {}, json.dumps(json.loads(form)).encode()) if bad else WRITTEN


CONFLICT = 'field type conflict: input field \\"level\\" on measurement \\"reading\\" is type float, already exists as'
CONFLICTS = [
    f'{{"error": "partial write: {CONFLICT} type string dropped=4"}}',
    f'{{"code": "unprocessable entity", "message": "failure writing points to database: {CONFLICT} type string"}}',
    """{"error": "partial write of line protocol occurred", "data": [{"error_message": "invalid column type for column
    'level', expected iox::column_type::field::string, got iox::column_type::field::float"}]}""".replace("\n   ", ""),
]


@pytest.mark.parametrize("form", CONFLICTS)
def test_numbers_for_a_field_that_holds_text_go_elsewhere_and_are_a_fault(
    store: Store, fake: FakeDatabase, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    """Without being searched for one by one."""
    fake.reply = lambda request: conflicts(request, form)
    other = Point("cm/attic", 99, "r1", 99, {"other": 1.0})
    assert store.put([*POINTS, other]) == {}
    assert (len(fake.requests), len(fake.lines)) == (2, len(POINTS) + 1)
    assert {line.split(",")[0] for line in fake.lines if "level" in line} == {"number"}
    assert "reading,group=cm,sensor=attic other=1.0 99" in fake.lines
    assert store.put(POINTS) == {}
    assert len(fake.requests) == 3
    assert "'level' has another type" in (store.trouble or "")
    monkeypatch.setattr(influx_store, "CONFLICT_S", 0.0)
    assert store.trouble is None


def test_what_is_refused_even_elsewhere_is_refused_by_itself(store: Store, fake: FakeDatabase) -> None:
    def reply(request: Request) -> Reply:
        bad = any("level=3.0" in line for line in request.lines)
        return (400, {}, CONFLICTS[0].encode()) if bad else WRITTEN

    fake.reply = reply
    assert store.put(POINTS).keys() == {3}
    assert len({line.split()[1] for line in fake.lines}) == 9
    assert store.trouble


def test_a_text_that_is_refused_costs_no_number_of_its_reading(store: Store, fake: FakeDatabase) -> None:
    fake.reply = lambda request: (413, {}, BAD) if any('"' in line for line in request.lines) else WRITTEN
    assert store.put([Point("cm/attic", 1, "r1", 1, {"level": 1.0, "word": "long"}), POINTS[2]]).keys() == {0}
    assert [line.split()[1] for line in fake.lines] == ["level=1.0", "level=2.0"]


def test_many_points_go_in_several_requests_each_once(store: Store, fake: FakeDatabase) -> None:
    count = 2 * influx_store.BATCH + 1
    points = [Point("cm/attic", number, "r1", number, {"level": float(number)}) for number in range(count)]
    assert store.put(points) == {}
    assert len(fake.lines) == len(set(fake.lines)) == count
    assert len(fake.requests) == 3


def test_one_that_never_answers_is_given_up(store: Store, fake: FakeDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bootstrap.history.influx.influxdb2_writer.TIMEOUT_S", 0.3)
    monkeypatch.setattr("bootstrap.history.influx.influxdb1_writer.TIMEOUT_S", 0.3)
    over = threading.Event()
    fake.hang_until(over)
    with pytest.raises(OSError, match="time"):
        store.put(POINTS)
    over.set()


def test_one_that_is_not_there(kind: Kind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bootstrap.history.influx.influxdb2_writer.TIMEOUT_S", 0.3)
    monkeypatch.setattr("bootstrap.history.influx.influxdb1_writer.TIMEOUT_S", 0.3)
    with swallow_syns() as port, socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        for url in (f"http://127.0.0.1:{port}", f"http://127.0.0.1:{closed.getsockname()[1]}", "http://no.invalid:1"):
            store = StoreSettings(store=kind, url=url).open_store(tmp_path)
            with pytest.raises(OSError, match=r"."):
                store.put(POINTS)
            store.close()


def test_one_that_has_hung_up_meanwhile_is_called_again(kind: Kind, store: Store, fake: FakeDatabase) -> None:
    assert store.put(POINTS) == {}
    fake.reply = lambda _: None if len(fake.requests) == 2 else WRITTEN
    if kind == "influxdb":  # whose client leaves it to the next try
        with pytest.raises(OSError, match="closed connection"):
            store.put(POINTS)
    assert store.put(POINTS) == {}
    assert len(fake.lines) == 20


def test_https_is_spoken_where_the_url_says_so(kind: Kind, fake: FakeDatabase, tmp_path: Path) -> None:
    store = StoreSettings(store=kind, url=fake.url.replace("http:", "https:")).open_store(tmp_path)
    with pytest.raises(OSError, match=r"(?i)ssl"):
        store.put(POINTS)
    store.close()


def test_a_ca_of_ones_own_is_trusted_alone(kind: Kind, tmp_path: Path) -> None:
    for name in ("ours", "other"):
        (tmp_path / name).mkdir()
        write_certificates(tmp_path / name, "localhost")
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trust.load_cert_chain(tmp_path / "ours" / "ca.pem", tmp_path / "ours" / "key.pem")
    with closing(FakeDatabase(trust)) as fake:
        for ca_file in (None, tmp_path / "other" / "ca.pem"):
            with (
                closing(StoreSettings(store=kind, url=fake.url, ca_file=ca_file).open_store(tmp_path)) as store,
                pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"),
            ):
                store.put(POINTS)
        settings = StoreSettings(store=kind, url=fake.url, ca_file=tmp_path / "ours" / "ca.pem")
        with closing(settings.open_store(tmp_path)) as store:
            assert store.put(POINTS) == {}
    assert len(fake.lines) == 10


# The settings.


def test_a_client_that_is_not_installed_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, CLIENT, None)
    mended = f"{sys.executable} -m pip install influxdb-client"
    with pytest.raises(Wrong, match=f"needs influxdb-client; {re.escape(mended)}"):
        StoreSettings(store="influxdb")
    StoreSettings(store="influxdb1")


@pytest.mark.parametrize("part", [b"H", b"HTTP/1.1 500 No\r\nContent-Length: 1000000\r\n\r\n"])
def test_an_answer_that_comes_byte_by_byte_is_none(
    kind: Kind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: bytes
) -> None:
    """Whether in its head or in its body: each byte alone would come in time."""
    monkeypatch.setattr("bootstrap.history.influx.influxdb2_writer.TIMEOUT_S", 0.3)
    monkeypatch.setattr("bootstrap.history.influx.influxdb1_writer.TIMEOUT_S", 0.3)
    given_up = threading.Event()

    def drip(listener: socket.socket) -> None:
        client = listener.accept()[0]
        with client, suppress(OSError):
            client.recv(100_000)
            client.sendall(part)
            while not given_up.wait(0.05):
                client.sendall(b"x")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=drip, args=(listener,), daemon=True).start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with closing(StoreSettings(store=kind, url=url).open_store(tmp_path)) as store, pytest.raises(OSError):  # noqa: PT011 - as each library says it
            store.put(POINTS)
        given_up.set()
