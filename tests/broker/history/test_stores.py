"""A recorder and the databases it may write to: every reading once, at its own time, whatever dies."""

import json
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from bootstrap.history.subscription import WINDOW
from support.stores import DATABASE, WRITTEN, FakeDatabase, Influx, Reply, Request, Stored, Victoria, started
from support.world import Broker, Eyes, House, Running, Wanted, eventually, killed_ten_times

TOPIC, ABOUT = "home/attic/data/reading", "home/attic/status/about"
STATE = "cm/recorder/status/state"
START = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)  # VictoriaMetrics refuses what is yet to come
START_US = int(START.timestamp()) * 1_000_000
STORES = {"influxdb1": Influx, "influxdb": Victoria}


def reading(seq: int, **fields: object) -> str:
    time = (START + timedelta(seconds=seq)).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return json.dumps({"time": time, "run": "r1", "seq": seq, **fields})


def levels(count: int) -> Stored:
    """What the databases hold after readings 0 to `count` - 1 of one level each."""
    return [("home", "attic", "thermometer", START_US + 1_000_000 * seq, {"level": float(seq)}) for seq in range(count)]


@dataclass
class Site:
    """A recorder's house, somebody who publishes, the broker between them, and the database."""

    house: House
    broker: Broker
    sensor: Eyes
    database: Any = None

    def setup(self, store: str, url: str, more: str = "") -> None:
        self.house.write(self.broker.port)
        lines = (
            'kind = "recorder"',
            'groups = ["home"]',
            "every_s = 0.2",
            f'store = "{store}"',
            f'url = "{url}"',
            more,
        )
        self.house.device("recorder", "\n".join(lines))

    def run(self) -> Running:
        running = self.house.run("recorder")
        running.wait_log("subscribed")
        return running

    def say(self, *numbers: int) -> None:
        for seq in numbers:
            self.sensor.publish(TOPIC, reading(seq, level=seq))

    def wait_stored(self, wanted: Stored) -> None:
        """Until all of it is there; and nothing else."""
        eventually(lambda: len(self.database.stored()) >= len(wanted), f"{len(wanted)} readings are stored", 40)
        assert self.database.stored() == wanted

    def letters(self) -> list[dict[str, Any]]:
        file = self.house.folder / "state" / "outbox" / "cm.recorder" / "dead_letters.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


@pytest.fixture
def bare(house: House, new_broker: Callable[..., Broker], tmp_path: Path) -> Iterator[Site]:
    """A site whose recorder has no database yet; its broker keeps sessions and their queues."""
    lines = ("persistence true", f"persistence_location {tmp_path}/keeping/", "max_queued_messages 100000")
    broker = new_broker("keeping", *lines)
    sensor = Eyes(broker.port)
    sensor.publish(ABOUT, json.dumps({"kind": "thermometer"}), retain=True)
    yield Site(house, broker, sensor)
    sensor.close()


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest) -> str:
    store: str = request.param
    return store


@pytest.fixture
def site(store: str, bare: Site, tmp_path: Path) -> Iterator[Site]:
    for database in started(STORES[store], tmp_path / "database"):
        bare.database = database
        bare.setup(store, database.url)
        yield bare


@pytest.fixture
def influx(bare: Site, tmp_path: Path) -> Iterator[Site]:
    for database in started(Influx, tmp_path / "database"):
        bare.database = database
        bare.setup("influxdb1", database.url)
        yield bare


@pytest.fixture
def fake() -> Iterator[FakeDatabase]:
    fake = FakeDatabase()
    yield fake
    fake.close()


def test_a_reading_is_stored_once_at_its_own_time_with_the_kind_of_its_sensor(site: Site) -> None:
    running = site.run()
    for seq in (1, 2, 1):
        site.sensor.publish(TOPIC, reading(seq, temperature=-0.5 - seq, open=True, shut=False, count=7))
    site.sensor.publish("home/cellar/data/reading", reading(3, temperature=21))
    said = [{"temperature": -0.5 - seq, "open": 1.0, "shut": 0.0, "count": 7.0} for seq in (1, 2)]
    rows = [("home", "attic", "thermometer", START_US + 1_000_000 * seq, said[seq - 1]) for seq in (1, 2)]
    site.wait_stored([*rows, ("home", "cellar", "", START_US + 3_000_000, {"temperature": 21.0})])
    assert running.stop() == 0
    assert not running.logged("warning")
    assert not running.logged("error")


def test_heartbeats_and_states_are_stored_for_the_fleet(influx: Site) -> None:
    influx.run()
    beat = {"time": "2026-11-20T20:31:08.000000Z", "run": "r1", "uptime_s": 7.5, "why": None, "queued": 3}
    influx.sensor.publish("home/attic/status/heartbeat", json.dumps(beat))
    influx.sensor.publish("home/attic/status/state", "fault")
    influx.sensor.publish("home/attic/status/state", "nonsense")
    eventually(lambda: rows(influx.database, "state"), "a state is stored")
    fleet = {"group": "home", "sensor": "attic", "kind": "thermometer"}
    assert rows(influx.database, "heartbeat") == [{**fleet, "uptime_s": 7.5, "queued": 3}]
    assert rows(influx.database, "state") == [{**fleet, "state": "fault", "online": 0}]
    eventually(influx.letters, "what is no state is shown")


def rows(database: Influx, measurement: str) -> list[dict[str, Any]]:
    """All of a measurement, without its times."""
    series = database.query(f'SELECT * FROM "{measurement}"')
    return [dict(zip(one["columns"][1:], row[1:], strict=True)) for one in series for row in one["values"]]


def test_words_and_microseconds_are_kept_by_influxdb(influx: Site) -> None:
    influx.run()
    payload = reading(1, word='a "b" \\, c=d ä').replace(".000000Z", ".123456Z")
    influx.sensor.publish(TOPIC, payload)
    influx.wait_stored([("home", "attic", "thermometer", START_US + 1_123_456, {"word": 'a "b" \\, c=d ä'})])


def test_what_is_said_while_the_recorder_is_killed_is_stored_when_it_is_back(site: Site) -> None:
    running = site.run()
    for first in range(0, 300, 100):
        site.say(*range(first, first + 50))
        running.send(signal.SIGKILL)
        running.wait()
        site.say(*range(first + 50, first + 100))
        running = site.house.run("recorder")
    site.wait_stored(levels(300))


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_a_hundred_thousand_readings_while_the_recorder_is_killed_ten_times(site: Site) -> None:

    def say(first: int, count: int) -> list[str]:
        return [reading(seq, level=seq) for seq in range(first, first + count)]

    killed_ten_times(site.house, lambda first, count: site.sensor.flood(TOPIC, say(first, count)))
    site.sensor.publish("home/end/data/reading", reading(0, level=0))  # the broker keeps them in order
    eventually(lambda: site.database.stored(sensor="end"), "the last one is stored", 300)
    assert site.database.stored(sensor="attic") == levels(100_000)


def test_a_reading_heard_again_has_the_kind_it_was_made_by(influx: Site) -> None:
    """The session is taken up where it was left; what its sensor was, only we remember."""
    running = influx.run()
    influx.say(0)
    influx.wait_stored(levels(1))
    running.send(signal.SIGKILL)
    running.wait()
    influx.say(1)
    influx.sensor.publish(ABOUT, json.dumps({"kind": "door"}), retain=True)
    influx.run()
    influx.wait_stored(levels(2))


def test_a_broker_that_is_restarted_loses_and_doubles_nothing(site: Site) -> None:
    running = site.run()
    site.say(*range(50))
    site.broker.stop()
    site.broker.start()
    running.wait_log("subscribed", 2)
    eventually(site.sensor.connected, "the sensor is back")
    site.say(*range(50, 100))
    site.wait_stored(levels(100))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_database_that_dies_and_is_back_has_it_all(influx: Site, number: int) -> None:
    running = influx.run()
    influx.say(*range(50))
    influx.database.stop(number)
    influx.say(*range(50, 100))
    influx.sensor.wait_value(STATE, "fault")
    influx.database.start()
    influx.wait_stored(levels(100))
    running.wait_log("the store is available again")


def test_victoria_metrics_restarted_in_order_has_it_all(bare: Site, tmp_path: Path) -> None:
    """Killed, it forgets the last seconds of what it has acknowledged; that nobody can mend from here."""
    for bare.database in started(Victoria, tmp_path / "database"):
        bare.setup("influxdb", bare.database.url)
        bare.run()
        bare.say(*range(50))
        bare.wait_stored(levels(50))
        bare.database.stop(signal.SIGTERM)
        bare.say(*range(50, 100))
        bare.sensor.wait_value(STATE, "fault")
        bare.database.start()
        bare.wait_stored(levels(100))


@pytest.mark.parametrize("answer", [(500, {}, b"disk full"), (429, {"Retry-After": "1"}, b""), None])
def test_a_database_in_trouble_is_a_fault_and_gets_it_all_later(
    store: str, bare: Site, fake: FakeDatabase, answer: Reply | None
) -> None:
    fake.reply = lambda _: answer
    bare.setup(store, fake.url)
    bare.run()
    bare.say(*range(20))
    bare.sensor.publish(TOPIC, "no reading")
    bare.sensor.wait_value(STATE, "fault")
    eventually(lambda: len(fake.requests) > 1, "it is tried again")
    fake.reply = lambda _: WRITTEN
    eventually(lambda: len({*fake.lines}) == 20, "all is written")
    bare.sensor.wait_value("cm/recorder/data/recorded", 20)
    assert [letter["payload"] for letter in bare.letters()] == ["no reading"]


def test_what_waits_is_told_and_a_foreign_value_that_waits_is_stored_once(bare: Site, fake: FakeDatabase) -> None:
    fake.reply = lambda _: (500, {}, b"disk full")
    bare.setup("influxdb1", fake.url, 'foreign = ["zigbee/+/temperature"]')
    bare.house.write(bare.broker.port, top="heartbeat_s = 0.2")
    bare.run()
    for value in ("1", "2", "2"):
        bare.sensor.publish("zigbee/attic/temperature", value)
    bare.sensor.wait_value(STATE, "fault")
    beats: Wanted = lambda seen: [one.value for one in seen if one.topic == "cm/recorder/status/heartbeat"]  # noqa: E731

    def last(recorded: int, waiting: range) -> Wanted:
        return lambda seen: any(
            beat["recorded"] == recorded and beat["waiting"] in waiting for beat in beats(seen)[-1:]
        )

    bare.sensor.wait(last(0, range(3, 1000)), "three wait, and what the recorder says of itself")
    eventually(lambda: len(fake.requests) > 1, "it is tried again")
    fake.reply = lambda _: WRITTEN
    bare.sensor.wait(last(3, range(1)), "none waits")
    said = [line for request in fake.requests for line in request.lines]
    assert [line.rpartition(" ")[0] for line in fake.lines] == [
        f"reading,group=zigbee,sensor=attic temperature={value}" for value in (1.0, 2.0, 2.0)
    ]
    assert {*said} == {*fake.lines}
    assert len({*said}) == 3


def test_what_nobody_tells_again_waits_for_the_store_as_far_as_there_is_room(bare: Site, fake: FakeDatabase) -> None:
    """QoS 0, and the connection breaks meanwhile."""
    fake.reply = lambda _: (500, {}, b"disk full")
    bare.setup("influxdb1", fake.url, 'foreign = "zigbee/+/temperature"')
    bare.house.write(bare.broker.port, top="heartbeat_s = 0.2")
    running = bare.run()
    bare.sensor.pour("zigbee/attic/temperature", [str(value) for value in range(WINDOW + 500)])
    beats: Wanted = lambda seen: [one.value for one in seen if one.topic == "cm/recorder/status/heartbeat"]  # noqa: E731
    told: Callable[[Any], bool] = lambda beat: beat["waiting"] + beat["missed"] >= WINDOW + 500  # noqa: E731
    beat = bare.sensor.wait(lambda seen: [beat for beat in beats(seen)[-1:] if told(beat)], "all came")[0]
    assert (beat["waiting"], beat["missed"] >= 500) == (WINDOW, True)  # what the recorder says of itself waits, too
    bare.broker.stop()
    bare.broker.start()
    running.wait_log("subscribed", 2)
    fake.reply = lambda _: WRITTEN
    stored: Callable[[], set[str]] = lambda: {line.split("=")[-1].split()[0] for line in fake.lines if "attic" in line}  # noqa: E731
    others = WINDOW - 100  # at least, beside what the recorder says of itself
    eventually(lambda: len(stored()) >= others, "what waited is written")
    assert stored() >= {f"{value}.0" for value in range(others)}


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_the_kind_is_known_over_either_protocol(bare: Site, fake: FakeDatabase, protocol: str) -> None:
    bare.setup("influxdb1", fake.url)
    bare.house.write(bare.broker.port, broker=f'protocol = "{protocol}"')
    bare.run()
    bare.say(1)
    bare.sensor.publish(ABOUT, json.dumps({"kind": "door"}), retain=True)
    bare.say(2)
    eventually(lambda: len(fake.lines) == 2, "both are written")
    assert ["kind=thermometer" in fake.lines[0], "kind=door" in fake.lines[1]] == [True, True]


@pytest.mark.long
def test_a_database_that_hangs_is_a_fault_and_has_it_all_afterwards(site: Site) -> None:
    site.run()
    site.say(*range(20))
    site.wait_stored(levels(20))
    site.database.send(signal.SIGSTOP)
    site.say(*range(20, 40))
    site.sensor.wait_value(STATE, "fault")
    site.database.send(signal.SIGCONT)
    site.wait_stored(levels(40))


def test_what_is_bad_is_shown_and_stops_no_other(influx: Site) -> None:
    """A word where numbers are is not bad, and even a name that line protocol cannot hold costs only its value."""
    influx.setup("influxdb1", influx.database.url, 'foreign = "zigbee/+"')
    influx.house.write(influx.broker.port, top="heartbeat_s = 0.2")
    influx.run()
    influx.sensor.publish("zigbee/attic", '{"level":"unavailable","a\\\\b":1,"c":nan}')
    influx.say(0)
    for late in (reading(1, level=1).replace(f"{START.year}-", "9026-"), '{"time":"2026-11-20T20:31:07Z","\\ud800":1}'):
        influx.sensor.publish(TOPIC, late)
        influx.sensor.publish("home/attic/status/heartbeat", late)
    influx.say(2)
    wanted = [row for seq, row in enumerate(levels(3)) if seq != 1]
    eventually(lambda: len(influx.database.stored()) == 3, "all is stored")
    assert [row for row in influx.database.stored() if row[0] == "home"] == wanted
    assert [row[4] for row in influx.database.stored() if row[0] == "zigbee"] == [{"level": "unavailable"}]
    influx.sensor.wait_value("cm/recorder/data/rejected", 4)
    assert sum("time outside range" in letter["reason"] for letter in influx.letters()) == 2
    beats: Wanted = lambda seen: [one.value for one in seen if one.topic == "cm/recorder/status/heartbeat"]  # noqa: E731
    influx.sensor.wait(lambda seen: [beat for beat in beats(seen) if beat["invalid"] == 3], "three values are counted")


def test_a_number_for_a_field_that_holds_text_is_stored_and_is_a_fault(influx: Site) -> None:
    """As penates 0.2 left it when a word came first."""
    influx.database.query(f"CREATE DATABASE {DATABASE}")
    write(influx.database, f'reading,group=zigbee,sensor=bath level="unavailable" {START_US}')
    influx.run()
    influx.say(0, 1)
    eventually(lambda: len(influx.database.stored(sensor="attic")) == 2, "both are stored")
    influx.sensor.wait_value(STATE, "fault")
    assert influx.database.stored(sensor="attic") == levels(2)
    assert influx.letters() == []


def write(database: Influx, line: str) -> None:
    """As another program does."""
    connection = HTTPConnection("127.0.0.1", database.port)
    connection.request("POST", f"/write?db={DATABASE}&precision=u", line)
    assert connection.getresponse().status == 204
    connection.close()


def test_one_bad_line_of_influxdb_2_is_found_by_halving(bare: Site, fake: FakeDatabase) -> None:
    """As InfluxDB 2 says it."""
    told = {"code": "invalid", "message": "unable to parse"}
    bad: Callable[[Request], bool] = lambda request: any("level=33.0" in line for line in request.lines)  # noqa: E731
    fake.reply = lambda request: (400, {}, json.dumps(told).encode()) if bad(request) else WRITTEN
    bare.setup("influxdb", fake.url)
    running = bare.run()
    bare.say(*range(50))
    eventually(lambda: len(set(fake.lines)) == 49, "all the others are written")
    bare.sensor.wait_value("cm/recorder/data/rejected", 1)
    assert [json.loads(letter["payload"])["seq"] for letter in bare.letters()] == [33]
    assert not running.logged("the store is unavailable")


def test_the_login_reaches_influxdb_and_a_wrong_one_is_a_fault_that_costs_nothing(bare: Site, tmp_path: Path) -> None:
    login = {"u": "admin", "p": "opensesame"}
    for database in started(Influx, tmp_path / "database", INFLUXDB_HTTP_AUTH_ENABLED="true"):
        database.query("CREATE USER admin WITH PASSWORD 'opensesame' WITH ALL PRIVILEGES")
        secret = bare.house.folder / "secret"
        secret.write_text("wrongpassword\n")
        bare.setup("influxdb1", database.url, 'username = "admin"\npassword_file = "secret"')
        running = bare.run()
        bare.say(*range(10))
        bare.sensor.wait_value(STATE, "fault")
        running.wait_log("see username and password_file")
        secret.write_text("opensesame\n")
        eventually(partial(_holds, database, login), "all is stored")
        assert "wrongpassword" not in running.log + str(bare.sensor.seen)
        assert "opensesame" not in running.log + str(bare.sensor.seen)


def _holds(database: Influx, login: dict[str, str]) -> bool:
    return database.stored(**login) == levels(10)


def test_token_org_and_bucket_reach_influxdb_2(bare: Site, fake: FakeDatabase) -> None:
    (bare.house.folder / "secret").write_text("sesame\n")
    bare.setup("influxdb", f"{fake.url}/below", 'org = "ours"\ndatabase = "past"\ntoken_file = "secret"')
    running = bare.run()
    bare.say(1)
    eventually(lambda: fake.lines, "it is written")
    request = fake.requests[0]
    assert request.path == "/below/api/v2/write"
    assert request.parameters == {"org": "ours", "bucket": "past", "precision": "us"}
    assert request.headers["Authorization"] == "Token sesame"
    assert request.lines == [f"reading,group=home,kind=thermometer,sensor=attic level=1.0 {START_US + 1_000_000}"]
    assert "sesame" not in running.log + str(bare.sensor.seen)


def test_database_and_login_reach_influxdb_1(bare: Site, fake: FakeDatabase) -> None:
    (bare.house.folder / "secret").write_text("sesame\n")
    bare.setup(
        "influxdb1",
        f"{fake.url}/below",
        'database = "past"\nusername = "ali"\npassword_file = "secret"',
    )
    bare.run()
    bare.say(1)
    eventually(lambda: fake.lines, "it is written")
    request = fake.requests[0]
    assert request.path == "/below/write"
    assert request.parameters == {"db": "past", "precision": "u"}
    assert request.headers["Authorization"] == "Basic YWxpOnNlc2FtZQ=="
    assert request.lines == [f"reading,group=home,kind=thermometer,sensor=attic level=1.0 {START_US + 1_000_000}"]


def test_the_defaults_reach_the_wire(store: str, bare: Site, fake: FakeDatabase) -> None:
    bare.setup(store, fake.url)
    bare.run()
    bare.say(1)
    eventually(lambda: fake.lines, "it is written")
    wanted = {"influxdb": {"org": "home", "bucket": DATABASE, "precision": "us"}}
    assert fake.requests[0].parameters == wanted.get(store, {"db": DATABASE, "precision": "u"})
    assert fake.requests[0].headers.get("Authorization", "Token ") == "Token "
