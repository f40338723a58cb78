"""`penates history` and `import` with a database: as with the file of SQLite, of the same readings."""

import contextlib
import io
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Literal, TypeAlias

import pytest

from bootstrap.contract.timestamps import utc
from bootstrap.history.points import NO_TEXT, Field, Point
from bootstrap.history.reader import DAY_S, FIVE_MINUTES_S, MICRO, Average, HistoryReader, Row, Summary
from bootstrap.history.stores import StoreSettings
from penates.__main__ import main
from support.secrets_and_certificates import write_certificates
from support.stores import DATABASE, FakeDatabase, Influx, Reply, Victoria, started
from support.world import Broker, Eyes, House, eventually, free_port

Kind: TypeAlias = Literal["influxdb1", "influxdb"]
DATABASES: dict[Kind, type[Influx | Victoria]] = {"influxdb1": Influx, "influxdb": Victoria}
STORES = ("sqlite", *DATABASES)
START_US = (int(time.time()) // DAY_S * DAY_S - 3 * DAY_S) * MICRO  # VictoriaMetrics refuses what is yet to come
SENSOR = "home/attic"


@pytest.fixture(scope="module", params=DATABASES)
def kind(request: pytest.FixtureRequest) -> Kind:
    kind: Kind = request.param
    return kind


@pytest.fixture(scope="module")
def database(kind: Kind, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influx | Victoria]:
    yield from started(DATABASES[kind], tmp_path_factory.mktemp("past") / "database")


@pytest.fixture
def fake() -> Iterator[FakeDatabase]:
    fake = FakeDatabase()
    yield fake
    fake.close()


def history(house: House, *words: str, code: int = 0) -> str:
    done = house.penates("history", *words, COLUMNS="80", LINES="24")
    assert done.returncode == code, done.stderr
    if code:
        assert done.stderr.count("\n") == 1, done.stderr
    return done.stdout if code == 0 else done.stderr


def recorder(house: House, *lines: str) -> None:
    house.write(1)
    house.device("recorder", "\n".join(('kind = "recorder"', *lines)) + "\n")


# All of it.


@pytest.fixture
def recorded(
    house: House, broker: Broker, eyes: Eyes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[House]:
    """Four readings, each stored by a recorder in SQLite, in InfluxDB and in VictoriaMetrics."""
    monkeypatch.setenv("STATE_DIRECTORY", house.env()["STATE_DIRECTORY"])
    house.write(broker.port)
    eyes.publish("home/attic/status/about", json.dumps({"kind": "thermometer"}), retain=True)
    servers = [started(DATABASES[store], tmp_path / store) for store in DATABASES]
    urls = [f'url = "{next(server).url}"' for server in servers]
    for store, url in zip(STORES, ["", *urls], strict=True):
        lines = ('kind = "recorder"', 'sensor = "recorder"', 'groups = ["home"]', "every_s = 0.1", url)
        house.device(store, "\n".join((*lines, f'group = "{store}"', f'store = "{store}"')))
    for running in [house.run(store) for store in STORES]:
        running.wait_log("subscribed")
    for seq in range(4):
        said = {
            "time": utc(START_US + seq * 200 * MICRO),
            "run": "r1",
            "seq": seq,
            "temperature": 20.5 - seq,
            "count": 7,
        }
        said |= {"open": seq == 1} if seq % 2 else {"mood": "dry" if seq else "wet"}
        eyes.publish("home/attic/data/reading", json.dumps(said))
    for store in STORES:
        eyes.wait_value(f"{store}/recorder/data/recorded", 4)
    yield house
    for server in servers:
        server.close()


def test_the_same_readings_are_shown_whatever_store_they_are_in(recorded: House, tmp_path: Path) -> None:
    eventually(lambda: len(shown(recorded, "influxdb")) == 10, "VictoriaMetrics shows what it has")
    for form in ((), ("--each", "5min"), ("--each", "day")):
        sqlite, influx, victoria = (shown(recorded, store, *form) for store in STORES)
        assert influx == sqlite
        assert victoria == [row for row in sqlite if row["measure"] != "mood"]
    # What was exported and is loaded again is there once.
    exported = tmp_path / "attic.csv"
    exported.write_text(history(recorded, "--recorder", "sqlite", "attic", "--csv", "--since", "9d"))
    for store in DATABASES:
        before = shown(recorded, store)
        loaded = recorded.penates("import", str(exported), "--sensor", SENSOR, "--recorder", store, "--words")
        bad = 2 * (store == "influxdb")  # the words, which VictoriaMetrics does not store
        text = f"{exported}: {12 - bad} values; {bad} bad lines\n"
        assert (loaded.returncode, loaded.stdout) == (int(bad > 0), text), loaded.stderr
        assert loaded.stderr.count("this store holds no text") == bad
        assert shown(recorded, store) == before
    moods = {store: [row["value"] for row in table(recorded, store, "mood")] for store in STORES}
    assert moods == {"sqlite": ["wet", "dry"], "influxdb1": ["wet", "dry"], "influxdb": []}
    drawn = {
        history(recorded, "--recorder", store, "attic", "temperature", "--since", "2026-01-01") for store in STORES
    }
    assert ["4 readings, lowest 17.5, mean 19, highest 20.5" in text for text in drawn] == [True]
    picture = tmp_path / "attic.png"
    history(recorded, "--recorder", "influxdb1", "attic", "--png", str(picture), "--since", "9d")
    assert picture.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")


def table(house: House, store: str, *words: str) -> list[dict[str, Field]]:
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        place = ("--config", str(house.folder), "--recorder", store)
        main(["history", "attic", *words, *place, "--since", "9d", "--json"])
    return [json.loads(line) for line in out.getvalue().splitlines() if line.startswith("{")]


def shown(house: House, store: str, *words: str) -> list[dict[str, Field]]:
    """The rows in one order."""
    return sorted(table(house, store, *words), key=lambda row: (row["time"], row["measure"]))


# Much of it.


def point(number: int, sensor: str = "home/much", *, kind: str = "", **fields: Field) -> Point:
    return Point(sensor, START_US + number * 16_000_000, "r1", number, fields, kind=kind)


def pasts(
    kind: Kind, database: Influx | Victoria, folder: Path, points: list[Point]
) -> tuple[HistoryReader, HistoryReader]:
    """SQLite's and the database's, with these in them."""
    opened = []
    for settings in (StoreSettings(file=folder / "history.sqlite"), StoreSettings(store=kind, url=database.url)):
        with closing(settings.open_store(folder)) as store:
            assert store.put(points) == {}
        opened.append(settings.open_reader(folder))
    database.ask("GET", "/internal/force_flush")
    return opened[0], opened[1]


def test_readings_and_averages_are_those_of_sqlite(kind: Kind, database: Influx | Victoria, tmp_path: Path) -> None:
    """Over more chunks of an answer than one, and across days."""
    values = [point(number, temperature=number % 97 / 8, open=float(number % 5 == 0)) for number in range(12_000)]
    sqlite, other = pasts(kind, database, tmp_path, values)
    for since_us in (-(2**62), START_US + 1234 * MICRO, START_US + 86_500 * MICRO):
        assert [*other.rows("home/much", since_us)] == [*sqlite.rows("home/much", since_us)]
        for step_s in (FIVE_MINUTES_S, DAY_S):
            found, wanted = ([*past.averages("home/much", since_us, step_s)] for past in (other, sqlite))
            assert [_exact(one) for one in found] == [_exact(one) for one in wanted]
            assert [one.summary.mean for one in found] == pytest.approx([one.summary.mean for one in wanted])
    assert other.whole_since_us("home/much") == 0
    for past in (sqlite, other):
        past.close()


def _exact(one: Average) -> tuple[object, ...]:
    return one.start_s, one.measure, one.summary.count, one.summary.low, one.summary.high


def test_whatever_the_name(kind: Kind, database: Influx | Victoria, tmp_path: Path) -> None:
    names = ["o'clock/a", 'say "hi"/a b', "plug/ä/POWER", "tele/x,y=z"]
    odd = [point(1, name, kind="", **{"mean_x": 1.0, "x": 2.0, "air temp": 3.0}) for name in names]
    # A sensor that became another kind is another series in a database.
    odd += [point(number, "home/twice", kind=kind, x=float(number)) for number, kind in enumerate("abba")]
    sqlite, other = pasts(kind, database, tmp_path, odd)
    assert {*other.sensors()} - {"home/much"} == {*sqlite.sensors()}
    for name in (*names, "home/twice"):
        assert [*other.rows(name, 0)] == [*sqlite.rows(name, 0)]
        assert [*other.averages(name, 0, DAY_S)] == [*sqlite.averages(name, 0, DAY_S)]
    assert ([*other.rows("home/nobody", 0)], [*other.averages("home/nobody", 0, DAY_S)]) == ([], [])


@pytest.fixture
def poisoned(tmp_path: Path) -> Iterator[Influx]:
    """A database of penates 0.2, in which somebody's `unavailable` came first this week."""
    for database in started(Influx, tmp_path / "database"):
        database.query(f"CREATE DATABASE {DATABASE}")
        old = [
            f"reading,group=home,sensor=much temperature=20.5 {START_US - 300 * DAY_S * MICRO}",
            f'reading,group=home,sensor=much mood="dry",open=1 {START_US}',
            f'reading,group=zigbee,sensor=bath temperature="unavailable" {START_US}',
        ]
        connection = HTTPConnection("127.0.0.1", database.port)
        connection.request("POST", f"/write?db={DATABASE}&precision=u", "\n".join(old))
        assert connection.getresponse().status == 204
        connection.close()
        yield database


def test_a_database_in_which_a_word_was_a_number_shows_old_and_new(poisoned: Influx, tmp_path: Path) -> None:
    settings = StoreSettings(store="influxdb1", url=poisoned.url)
    new = [point(number, temperature=20.0 + number, open=0.0) for number in (1, 2)]
    new.append(point(3, temperature="unavailable", mood=1.0))
    with closing(settings.open_store(tmp_path)) as store, closing(settings.open_reader(tmp_path)) as past:
        assert store.put([*new, point(1, "home/other", humidity=40.0)]) == {}
        assert "'mood' has another type" in (store.trouble or "")
        times_us = [one.time_us for one in new]
        assert [*past.rows("home/much", 0)] == [
            Row(START_US - 300 * DAY_S * MICRO, {"temperature": 20.5}),
            Row(START_US, {"mood": "dry", "open": 1.0}),
            *(Row(times_us[number], {"temperature": 21.0 + number, "open": 0.0}) for number in (0, 1)),
            Row(times_us[2], {"temperature": "unavailable", "mood": 1.0}),
        ]
        days = {one.measure: one.summary for one in past.averages("home/much", START_US, DAY_S)}
        assert (days["temperature"], days["mood"].count) == (Summary(2, 21.5, 21.0, 22.0), 1)
        assert past.sensors() == ["home/much", "home/other", "zigbee/bath"]


def test_victoriametrics_gets_no_word_and_no_name_that_it_cannot_read(tmp_path: Path) -> None:
    for database in started(Victoria, tmp_path / "database"):
        with closing(StoreSettings(store="influxdb", url=database.url).open_store(tmp_path)) as store:
            fields: dict[str, Field] = {"before": 1.5, 'x"y': 3.0, "word": "w", "rest": 4.0}
            odd = point(1, 'home/1" pipe')._replace(fields=fields)
            assert store.put([odd, point(2, 'home/1" pipe', word="w")]) == {1: NO_TEXT}
        assert database.stored() == [("home", '1" pipe', "", odd.time_us, {"before": 1.5, "rest": 4.0})]


# Import.


def test_what_others_have_is_loaded_into_a_database(
    kind: Kind, database: Influx | Victoria, house: House, tmp_path: Path
) -> None:
    recorder(house, f'store = "{kind}"', f'url = "{database.url}"')
    peer = tmp_path / "peer.lp"
    times = [START_US * 1000 + number * 1_000_000_000 for number in range(4001)]  # more than a batch
    peer.write_text(
        "".join(f"level,sensor=home/peer value={number}i {moment}\n" for number, moment in enumerate(times))
    )
    for _ in range(2):
        done = house.penates("import", str(peer))
        assert (done.returncode, done.stdout) == (0, f"{peer}: 4001 values; 0 bad lines\n"), done.stderr
    database.ask("GET", "/internal/force_flush")
    told: Callable[[], str] = lambda: house.penates("history", "peer", "--csv", "--since", "9d").stdout  # noqa: E731
    eventually(lambda: told().count("\n") >= 4002, "VictoriaMetrics shows a new sensor, which it does a little later")
    lines = history(house, "peer", "--csv", "--since", "9d").splitlines()
    assert len(lines) == 4002
    assert lines[-1] == f"{utc(times[-1] // 1000)},level,4000.0"


def test_a_line_that_the_database_refuses_is_named(house: House, tmp_path: Path) -> None:
    """The year 3000 is beyond InfluxDB's nanoseconds. A word where numbers were is none."""
    table = tmp_path / "table.csv"
    table.write_text("time,level\n2025-11-20T12:00:00Z,1\n2025-11-20T12:00:01Z,high\n3000-01-01T00:00:00Z,2\n")
    for database in started(Influx, tmp_path / "database"):
        recorder(house, 'store = "influxdb1"', f'url = "{database.url}"')
        done = house.penates("import", str(table), "--sensor", "attic", "--words", "--any-time")
        assert (done.returncode, done.stdout) == (1, f"{table}: 2 values; 1 bad line\n"), done.stderr
        assert done.stderr.startswith(f"{table}:4: 400: ")
        told = history(house, "attic", "--csv", "--since", "2025-01-01").splitlines()
        assert [line.split(",")[2] for line in told] == ["value", "1.0", "high"]


# What goes wrong.


def test_a_database_that_is_not_there(house: House) -> None:
    for store in DATABASES:
        recorder(house, f'store = "{store}"', f'url = "http://127.0.0.1:{free_port()}"')
        assert "Connection refused" in history(house, "attic", code=1)


def test_a_login_that_is_wrong_or_missing_is_said_and_never_shown(house: House, tmp_path: Path) -> None:
    """As `influxdb`, this is InfluxDB 1.8's way: user and password are the token."""
    secret = house.folder / "secret"
    for database in started(Influx, tmp_path / "database", INFLUXDB_HTTP_AUTH_ENABLED="true"):
        database.query("CREATE USER admin WITH PASSWORD 'opensesame' WITH ALL PRIVILEGES")
        login = {"u": "admin", "p": "opensesame"}
        database.query(f"CREATE DATABASE {DATABASE}", **login)
        settings = {
            "influxdb1": ('username = "admin"\npassword_file = "secret"', "{}", "see username and password_file"),
            "influxdb": ('token_file = "secret"', "admin:{}", "see token_file"),
        }
        for store, (lines, text, advice) in settings.items():
            recorder(house, f'store = "{store}"', f'url = "{database.url}"')
            assert advice in history(house, "attic", code=1)
            recorder(house, f'store = "{store}"', f'url = "{database.url}"', lines)
            secret.write_text(text.format("wrongpassword"))
            said = history(house, "attic", code=1)
            assert advice in said
            assert "wrongpassword" not in said
            secret.write_text(text.format("opensesame"))
            assert "the history is empty" in history(house, "attic", code=1)
            recorder(house, f'store = "{store}"', f'url = "{database.url}"', lines, 'database = "other"')
            assert "database not found: other" in history(house, "attic", code=1)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((200, {}, b"<html>InfluxDB"), "this is not an answer of a database: b'<html>InfluxDB'"),
        ((200, {}, b"[" * 100_000), "this is not an answer"),
        ((500, {}, b"out of\nmemory"), "answers 500; out of memory"),
        ((200, {"Content-Length": "99", "Connection": "close"}, b"{}"), "ended in the middle"),
        (None, "Remote end closed"),
    ],
)
def test_what_is_no_answer_is_said(house: House, fake: FakeDatabase, answer: Reply | None, said: str) -> None:
    fake.reply = lambda _: answer
    recorder(house, 'store = "influxdb1"', f'url = "{fake.url}"')
    assert said in history(house, "attic", code=1)


def test_a_frozen_database_is_given_up(fake: FakeDatabase, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("bootstrap.history.influx.queries.PATIENCE_S", 0.2)
    hanging = threading.Event()
    fake.hang_until(hanging)
    with pytest.raises(OSError, match="timed out"):
        StoreSettings(store="influxdb", url=fake.url).open_reader(tmp_path)
    hanging.set()


def test_token_database_and_path_reach_it_over_tls(house: House, tmp_path: Path) -> None:
    """InfluxDB 2's page for people answers whatever is asked."""
    write_certificates(tmp_path, "localhost")
    (house.folder / "secret").write_text("sesame\n")
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trust.load_cert_chain(tmp_path / "ca.pem", tmp_path / "key.pem")
    with closing(FakeDatabase(trust)) as fake:
        page: Reply = (200, {}, b"<!doctype html><html>")
        fake.reply = lambda asked: (200, {}, b'{"results":[]}') if asked.path == "/below/query" else page
        lines = [f'ca_file = "{tmp_path}/ca.pem"', 'token_file = "secret"', 'database = "past"']
        recorder(house, 'store = "influxdb"', f'url = "{fake.url}/below"', *lines)
        assert "the history is empty" in history(house, "attic", code=1)
        recorder(house, 'store = "influxdb"', f'url = "{fake.url}/below"', *lines[1:])
        assert "CERTIFICATE_VERIFY_FAILED" in history(house, "attic", code=1)
    assert {request.headers["Authorization"] for request in fake.requests} == {"Token sesame"}
    assert "db=past" in fake.requests[-1].lines[0]
