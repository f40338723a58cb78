"""Every panel's query on the real databases: what was recorded comes back."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from typing import Any

import pytest

from support.grafana import INTERVAL_S, Answer, Grafana, Series
from support.paths import ROOT
from support.stores import DATABASE, Influx, Victoria, started

SHIPPED = ROOT / "config" / "grafana"
STORES: dict[str, type[Influx | Victoria]] = {"influxdb": Influx, "victoriametrics": Victoria}
EACH = INTERVAL_S // 60  # points in an interval, at one a minute
COUNT = 6 * EACH
WORD = "dry"
NUMBERS = ("uptime_s", "reads", "faults", "invalid", "queued", "on_disk", "dropped", "reconnects", "rss_mb")
RECORDERS = ("waiting", "missed", "lag_s")  # a recorder's own
ALL = NUMBERS + RECORDERS
SENSORS = ("ab/cellar", "cm/cellar", "cm/front")
PERIODS_S = (60.0, 20.0, 10.0)  # of their heartbeats, the last of which is a minute old
SILENT = (0.0, 0.0, 1.0)  # so whether they are, by contract/liveness: later than 185, 65 and 35 s
LOST = COUNT - 5  # minute at which the front door's daemon died
Told = Callable[[int], float]  # a value, by the minute


def temperature(number: int) -> Told:
    return lambda minute: 100.0 * number + minute / 8


def opened(minute: int) -> float:
    return float(minute % 2)


def beat(sensor: int, field: int) -> Told:
    """A number that grows by field + 1 every minute."""
    return lambda minute: 1e6 * (sensor + 1) + minute * (field + 1)


def lines(store: str, start: int) -> Iterator[str]:
    """All of it, as the recorder writes it: the text for InfluxDB alone."""
    for number, name in enumerate(SENSORS):
        group, sensor = name.split("/")
        kind = "door" if sensor == "front" else "thermometer"
        tags = f"group={group},kind={kind},sensor={sensor}"
        yield f'state,{tags} state="online",online=1.0 {start}'
        for minute in range(COUNT):
            said = f"temperature={temperature(number)(minute)}"
            if sensor == "front":
                said = f"open={opened(minute)}"
                if store == "influxdb":
                    yield f'text,{tags} word="{WORD}" {start + 60 * minute}'
            numbers = ",".join(f"{name}={beat(number, field)(minute)}" for field, name in enumerate(ALL))
            yield f"reading,{tags} {said} {start + 60 * minute}"
            yield f"heartbeat,{tags} {numbers},heartbeat_s={PERIODS_S[number]} {start + 60 * minute}"
    yield f'state,group=cm,kind=door,sensor=front state="lost",online=0.0 {start + 60 * LOST}'


class Recorded:
    """What must come back from a database, worked out from what was written and not from the queries.

    The first interval is not shown, so that each counter has something before it.
    """

    def __init__(self, store: str, start: int) -> None:
        self.store, self.start = store, start

    @property
    def influx(self) -> bool:
        return self.store == "influxdb"

    def minutes(self) -> Iterator[tuple[int, range]]:
        """When each interval is shown, in ms, and which minutes are in it: in PromQL those before, else those after."""
        for number in range(1, COUNT // EACH + (not self.influx)):
            first = number * EACH if self.influx else (number - 1) * EACH + 1
            yield (self.start + number * INTERVAL_S) * 1000, range(first, min(first + EACH, COUNT))

    def series(self, told: Told, how: Callable[[list[float]], float]) -> dict[int, Any]:
        return {at: pytest.approx(how([told(minute) for minute in minutes])) for at, minutes in self.minutes()}

    def mean(self, told: Told) -> dict[int, Any]:
        return self.series(told, lambda values: sum(values) / len(values))

    def gauges(self, *names: str, only: str = "") -> Series:
        return {
            f"{sensor} {name}": self.series(beat(number, ALL.index(name)), max)
            for number, sensor in enumerate(SENSORS)
            for name in names
            if only in sensor
        }

    def counters(self, *names: str, only: str = "") -> Series:
        """By how much they grew; InfluxDB, too, looks at what was before the time shown."""
        found: Series = {}
        for key in self.gauges(*names, only=only):
            step = ALL.index(key.split()[1]) + 1
            found[key] = {at: len(minutes) * step for at, minutes in self.minutes()}
        return found

    # The dashboards.

    def house(self) -> dict[str, Answer]:
        temperatures = {f"{name} temperature": self.mean(temperature(n)) for n, name in enumerate(SENSORS[:2])}
        front = {"cm/front open": self.mean(opened)}
        return {"Newest": self.newest(SENSORS), **self.text(SENSORS), "temperature": temperatures, "open": front}

    def text(self, sensors: tuple[str, ...]) -> dict[str, Answer]:
        tags = {"group": "cm", "sensor": "front"}
        # As the only column, it has its own time.
        rows = (
            [{**tags, "time": (self.start + 60 * (COUNT - 1)) * 1000, "last_word": WORD}]
            if "cm/front" in sensors
            else []
        )
        return {"Text": rows} if self.influx else {}

    def newest(self, sensors: tuple[str, ...]) -> list[dict[str, Any]]:
        last = COUNT - 1
        said = {name: {"temperature": temperature(n)(last)} for n, name in enumerate(SENSORS)}
        said["cm/front"] = {"open": opened(last)}
        rows = []
        for name in sensors:
            group, sensor = name.split("/")
            tags = {"group": group, "sensor": sensor}
            if self.influx:
                rows.append({**tags, "time": self.shown, **{f"last_{key}": value for key, value in said[name].items()}})
                continue
            for key, value in said[name].items():
                kind = "door" if sensor == "front" else "thermometer"
                metric = {**tags, "kind": kind, "__name__": f"reading_{key}"}
                rows.append({**metric, "Value": value})
        return rows

    @property
    def shown(self) -> int:
        return (self.start + INTERVAL_S) * 1000

    def fleet(self) -> dict[str, Answer]:
        recorders = {
            "Recorder: age of the newest reading stored": self.gauges("lag_s"),
            "Recorder: not stored yet, and missed": self.gauges("waiting", "missed"),
        }
        return {"State": self.state_now(), "Heartbeats": self.heartbeats(), **self.health(), **recorders}

    def health(self, only: str = "") -> dict[str, Answer]:
        return {
            "Faults": self.counters("faults", "invalid", only=only),
            "Queue": self.gauges("queued", "on_disk", only=only),
            "Dropped": self.counters("dropped", only=only),
            "Reconnects": self.counters("reconnects", only=only),
            "Memory": self.gauges("rss_mb", only=only),
        }

    def state_now(self) -> list[dict[str, Any]]:
        rows = []
        for name in SENSORS:
            group, sensor = name.split("/")
            lost = sensor == "front"
            at = {"time": (self.start + 60 * LOST * lost) * 1000, "state": "lost" if lost else "online"}
            rows.append({"group": group, "sensor": sensor, **(at if self.influx else {"Value": float(not lost)})})
        return rows

    def heartbeats(self) -> list[dict[str, Any]]:
        last, rows = COUNT - 1, []
        for number, name in enumerate(SENSORS):
            group, sensor = name.split("/")
            tags = {"group": group, "sensor": sensor}
            numbers = {name: beat(number, field)(last) for field, name in enumerate(NUMBERS)}
            if self.influx:
                rows.append({**tags, "time": (self.start + 60 * last) * 1000, **numbers})
            else:
                rows += [{**tags, "Value": value} for value in (60.0, *numbers.values(), SILENT[number])]
        return rows

    def device(self) -> dict[str, Answer]:
        """Of the only sensor of the first group."""
        name = "mean_temperature" if self.influx else "reading_temperature"
        told: dict[str, Answer] = {"Measures": {name: self.mean(temperature(0))}, "Newest": self.newest(SENSORS[:1])}
        told |= self.text(SENSORS[:1])
        states = {} if self.influx else {SENSORS[0]: self.series(lambda _: 1.0, max)}
        return {"State": states, **told, "Uptime": self.gauges("uptime_s", only="ab/"), **self.health(only="ab/")}


@pytest.fixture(scope="module", params=STORES)
def store(request: pytest.FixtureRequest) -> str:
    store: str = request.param
    return store


@pytest.fixture(scope="module")
def recorded(store: str) -> Recorded:
    return Recorded(store, (int(time.time()) // INTERVAL_S - 2 * COUNT // EACH) * INTERVAL_S)


@pytest.fixture(scope="module")
def database(store: str, recorded: Recorded, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influx | Victoria]:
    for database in started(STORES[store], tmp_path_factory.mktemp("grafana") / "database"):
        if isinstance(database, Influx):
            database.query(f"CREATE DATABASE {DATABASE}")
        connection = HTTPConnection("127.0.0.1", database.port)
        path = "/write?db" if store == "influxdb" else "/api/v2/write?bucket"
        connection.request("POST", f"{path}={DATABASE}&precision=s", "\n".join(lines(store, recorded.start)))
        assert connection.getresponse().status == 204
        connection.close()
        database.ask("GET", "/internal/force_flush")
        yield database


def in_order(answers: dict[str, Answer]) -> dict[str, Any]:
    """Rows come in no order."""
    key = lambda row: sorted((name, str(value)) for name, value in row.items())  # noqa: E731
    return {title: sorted(said, key=key) if isinstance(said, list) else said for title, said in answers.items()}


def open_board(name: str, recorded: Recorded, database: Influx | Victoria) -> Grafana:
    file = SHIPPED / "dashboards" / recorded.store / f"{name}.json"
    return Grafana(file, database, recorded.start + INTERVAL_S, recorded.start + COUNT * 60)


def filled(answers: dict[str, Answer]) -> dict[str, Any]:
    """Without the columns of a row that hold nothing."""

    def rows(said: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{key: value for key, value in row.items() if value is not None} for row in said]

    return {title: rows(said) if isinstance(said, list) else said for title, said in answers.items()}


@pytest.mark.parametrize("name", ["house", "fleet", "device"])
def test_each_panel_shows_what_was_recorded(name: str, recorded: Recorded, database: Influx | Victoria) -> None:
    grafana = open_board(name, recorded, database)
    found, wanted = in_order(filled(grafana.answers())), in_order(getattr(recorded, name)())
    assert found.keys() == wanted.keys()
    for title, answer in wanted.items():
        assert found[title] == answer, title


def test_a_choice_leaves_the_others_out(recorded: Recorded, database: Influx | Victoria) -> None:
    grafana = open_board("house", recorded, database)
    assert grafana.values == {
        "group": ["ab", "cm"],
        "sensor": ["cellar", "front"],
        "measure": grafana.values["measure"],
    }
    grafana.values |= {"group": ["cm"], "sensor": ["cellar"], "measure": ["temperature", "open"]}
    found = grafana.answers()
    assert {*found["temperature"]} == {"cm/cellar temperature"}
    assert found["open"] == {}
    newest = found["Newest"]
    assert isinstance(newest, list)
    assert [(row["group"], row["sensor"]) for row in newest] == [("cm", "cellar")]


def test_the_changes_of_state_come_as_they_were(recorded: Recorded, database: Influx | Victoria) -> None:
    grafana = open_board("device", recorded, database)
    grafana.values |= {"group": ["cm"], "sensor": ["front"]}
    states = grafana.answers()["State"]
    assert isinstance(states, dict)
    [(name, points)] = states.items()
    assert name == "cm/front"
    if recorded.influx:
        assert points == {(recorded.start + 60 * LOST) * 1000: "lost"}
    else:
        assert list(points.values()) == [1.0] * 5 + [0.0]


def test_the_dashboards_are_as_the_device_files_make_them() -> None:
    command = [sys.executable, str(ROOT / "scripts" / "dashboards"), "--check"]
    assert subprocess.run(command, check=False).returncode == 0, "run .venv/bin/python scripts/dashboards"
