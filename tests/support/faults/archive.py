"""A fault around the real recorder: a daemon that counts a hundred times a second, and what the store holds."""

import json
import re
import signal
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from support.faults.promises import Promise, Verdict
from support.paths import SHIPPED
from support.stores import FakeDatabase, Influx, Stored
from support.truth import entries, made
from support.world import Broker, House, Running, eventually

SETTLES_S = 80.0
EVERY_S = 0.01
LINE = re.compile(r"reading,.*sensor=cellar .*?count=(\d+)\.0.* (\d+)")

Row = tuple[int, int]  # a reading's time in microseconds, and what was counted
Rows = Callable[[], list[Row]]


class Archive:
    """The counter's diary on one side, the recorder's store on the other."""

    def __init__(self, broker: Broker, house: House, promise: Promise) -> None:
        self.broker, self.house, self.promise = broker, house, promise
        self.diary = house.folder / "diary"
        self.state = house.folder / "state"
        self.verdict: Verdict | None = None
        self.rows: Rows = self._sqlite
        self._well_at, self._until_well = time.monotonic(), 0
        self.configure()

    def configure(self, port: int = 0, store: str = 'store = "sqlite"') -> None:
        """Where the broker is, and the recorder's settings."""
        self.house.write(port or self.broker.port, log='level = "info"\n[history]\nrecorder = true')
        files = f'diary = "{self.diary}"\nmood = "{self.house.folder / "mood"}"'
        self.house.device("cellar", f'kind = "support.truth.Counter"\nevery_s = {EVERY_S}\n{files}\n')
        self.house.device("recorder", f'kind = "recorder"\ngroups = ["cm", "zigbee"]\nevery_s = 0.2\n{store}\n')

    def in_influx(self, database: Influx) -> None:
        """Let it store there."""
        self.configure(store=f'store = "influxdb1"\nurl = "{database.url}"')
        found: Callable[[], Stored] = lambda: database.stored(sensor="cellar")  # noqa: E731
        # While it writes, InfluxDB shows points of which it has some fields only.
        self.rows = lambda: [(time_us, int(said["count"])) for *_, time_us, said in found() if "count" in said]

    def in_fake(self, database: FakeDatabase) -> None:
        """Let it store there; the same line twice is one, as in a database."""
        self.configure(store=f'store = "influxdb1"\nurl = "{database.url}"')
        found: Callable[[], list[re.Match[str] | None]] = lambda: [LINE.fullmatch(line) for line in {*database.lines}]  # noqa: E731
        self.rows = lambda: [(int(line[2]), int(line[1])) for line in found() if line]

    def _sqlite(self) -> list[Row]:
        file = self.state / "history.sqlite"
        query = "SELECT time, fields FROM reading JOIN sensor ON id = sensor WHERE name = 'cm/cellar'"
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
            return [(time_us, json.loads(fields)["count"]) for time_us, fields in database.execute(query)]

    def foreign(self) -> list[float]:
        """What others said, in order."""
        query = "SELECT fields FROM reading JOIN sensor ON id = sensor WHERE name = 'zigbee/attic' ORDER BY time"
        with closing(sqlite3.connect(self.state / "history.sqlite")) as database:
            return [json.loads(fields)["temperature"] for (fields,) in database.execute(query)]

    def run(self, **more: Any) -> tuple[Running, Running]:
        """The counter and the recorder, once something is stored."""
        recorder = self.record(**more)
        counter = self.house.run("cellar")
        eventually(self.rows, "something is stored", SETTLES_S)
        return counter, recorder

    def record(self, **more: Any) -> Running:
        recorder = self.house.run("recorder", **more)
        recorder.wait_log("subscribed", limit_s=SETTLES_S)
        return recorder

    def reads(self, more: int) -> None:
        """Until so many more readings were made, whoever has heard of them."""
        wanted = made(self.diary) + more
        eventually(lambda: made(self.diary) >= wanted, f"{wanted} readings", max(SETTLES_S, 5 * more * EVERY_S))

    def letters(self) -> list[dict[str, Any]]:
        """What was refused for good."""
        file = self.state / "outbox" / "cm.recorder" / "dead_letters.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def well(self) -> None:
        """From now on there is nothing wrong with the world."""
        self._well_at, self._until_well = time.monotonic(), made(self.diary)

    def finish(self, counter: Running, recorder: Running) -> None:
        """Wait until all is stored, compare, and hold the promise against it."""
        limit_s = max(SETTLES_S, self.promise.within_s or 0)
        eventually(lambda: self._has(self._until_well), "all that was read in the fault is stored", limit_s)
        recovered_s = time.monotonic() - self._well_at
        (self.house.folder / "mood").write_text("raises")  # a stop leaves on disk what the sensor still holds back
        eventually(lambda: self._has(made(self.diary)), "all is stored", limit_s)
        assert counter.stop() == 0, counter.log
        made_at = {entry.count: entry.at for entry in entries(self.diary)}
        assert recorder.stop() == 0, recorder.log
        rows = self.rows()
        counts = {count for _, count in rows}
        assert counts <= made_at.keys()
        lost, doubled = made_at.keys() - counts, len(rows) - len(counts)
        assert doubled == 0
        self.promise.hold(Verdict(len(lost), doubled, None, None, round(recovered_s, 1)), f"lost {sorted(lost)[:20]}")
        self.verdict = Verdict(len(lost), doubled, None, None, round(recovered_s, 1))

    def _has(self, count: int) -> bool:
        """Whether all readings up to this one are there; a database that is away has none."""
        try:
            return len({found for _, found in self.rows() if found <= count}) == count
        except (OSError, sqlite3.Error):
            return False


def kill(running: Running) -> None:
    """At once."""
    assert running.stop(signal.SIGKILL) == -signal.SIGKILL


def shipped(folder: Path) -> tuple[str, ...]:
    """Lines of a broker that has our settings."""
    (folder / "conf.d").mkdir(parents=True)
    (folder / "conf.d" / SHIPPED.name).write_text(SHIPPED.read_text())
    (folder / "kept").mkdir()
    return (f"persistence_location {folder}/kept/", f"include_dir {folder}/conf.d")
