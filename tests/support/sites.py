"""Two sites, each with its own broker, five counters and a recorder, and the wire between them that can be cut.

The cabin calls: its broker has the two bridge connections, and home's broker lets it in.
"""

import contextlib
import json
import signal
import sqlite3
from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from bootstrap.contract.topic_filters import covers
from support.faults.wire import Wire
from support.plain_link import CABIN, HOME, PACE, Pace, bridge_lines, called_lines, far_files
from support.truth import made, truth
from support.world import Broker, Eyes, House, Running, eventually, retained

COUNTERS = [f"counter{number}" for number in range(1, 6)]
EVERY_S = 0.1  # five of them read 50 times a second
READINGS = "+/+/data/reading"
SETTLES_S = 60.0
ROOMS = ("data", "status")


class Counted(NamedTuple):
    """What a site has of both sites' readings, against what was read."""

    made: int
    recorded: int
    lost: int
    duplicated: int  # delivered again, which the recorder does not store again
    disordered: int


class Site:
    """One of them. Its group has its name."""

    def __init__(self, name: str, folder: Path, *lines: str) -> None:
        self.name = name
        self.broker = Broker(folder / "broker", *lines)
        self.house = House(folder / "house", name)
        self.history = self.house.folder / "state" / "history.sqlite"
        self.running: Running | None = None
        self.eyes: Eyes  # once the broker has started: a session that outlives the connection

    def diary(self, sensor: str) -> Path:
        return self.house.folder / f"{sensor}.diary"

    def furnish(self, counters: Iterable[str] = COUNTERS, every_s: float = EVERY_S) -> None:
        """Write the settings of all."""
        names = list(counters)
        together = f"[together]\nrooms = {json.dumps(names)}\n" if len(names) > 1 else ""
        log = 'level = "info"\n[history]\nrecorder = true\nrate = 400'
        self.house.write(self.broker.port, top=f"heartbeat_s = 1\n{together}", log=log)
        for sensor in names:
            files = f'diary = "{self.diary(sensor)}"\nmood = "{self.house.folder}/mood"'
            self.house.device(sensor, f'kind = "support.truth.Counter"\nevery_s = {every_s}\n{files}\n')
        self.house.device("recorder", 'kind = "recorder"\nevery_s = 1\n')

    def begin(self) -> None:
        """Start the broker and whoever listens to it."""
        self.broker.start()
        self.eyes = Eyes(self.broker.port, "order", READINGS)

    def record(self) -> None:
        """Start the recorder, and wait until its broker keeps for it what comes."""
        self.house.run("recorder").wait_log("subscribed")

    def live(self, *names: str) -> None:
        """Start the sensors."""
        self.running = self.house.supervise(*names)

    def made(self) -> dict[str, int]:
        """How many readings its sensors have made, by sensor."""
        return {f"{self.name}/{sensor}": made(self.diary(sensor)) for sensor in COUNTERS}

    def rest(self) -> None:
        """Have the sensors read nothing more."""
        (self.house.folder / "mood").write_text("raises")

    def stored(self) -> dict[str, list[int]]:
        """What its recorder has stored, by sensor, in the order of the readings' own times."""
        query = "SELECT name, fields FROM reading JOIN sensor ON id = sensor WHERE name LIKE '%/counter%' ORDER BY time"
        found: dict[str, list[int]] = {}
        with contextlib.closing(sqlite3.connect(f"file:{self.history}?mode=ro", uri=True)) as database:
            for name, fields in database.execute(query):
                found.setdefault(name, []).append(json.loads(fields)["count"])
        return found

    def has(self, wanted: dict[str, int]) -> bool:
        """Whether its recorder has so many readings of each; a counter that runs once counts its `seq`."""
        query = "SELECT name, COUNT(*) FROM reading JOIN sensor ON id = sensor WHERE seq <= ? AND name = ?"
        with contextlib.closing(sqlite3.connect(f"file:{self.history}?mode=ro", uri=True)) as database:
            return all(
                database.execute(query, (most, sensor)).fetchone() == (sensor, most) for sensor, most in wanted.items()
            )

    def heard(self, sensor: str) -> list[int]:
        """What its broker has delivered of a sensor's readings, in the order in which it came."""
        return [one.value["count"] for one in self.eyes.on(f"{sensor}/data/reading") if "count" in one.value]

    def count(self, wanted: dict[str, int]) -> Counted:
        """Hold what was recorded and delivered here against what was made."""
        stored = self.stored()
        heard = [self.heard(sensor) for sensor in wanted]
        assert all(len(counts) == len(set(counts)) for counts in stored.values()), "stored twice"
        return Counted(
            made=sum(wanted.values()),
            recorded=sum(len(counts) for counts in stored.values()),
            lost=sum(len(set(range(1, most + 1)) - set(stored[sensor])) for sensor, most in wanted.items()),
            duplicated=sum(len(counts) - len(set(counts)) for counts in heard),
            disordered=sum(before > after for counts in stored.values() for before, after in pairwise(counts)),
        )

    def told(self, *trees: str) -> dict[str, Any]:
        """What a newcomer is told of the counters of these sites."""
        filters = [f"{tree}/{sensor}/{room}/+" for tree in trees for sensor in COUNTERS for room in ROOMS]
        said = retained(self.broker.port)
        steady = {topic: value for topic, value in said.items() if not topic.endswith("/heartbeat")}
        return {topic: value for topic, value in steady.items() if any(covers(one, topic) for one in filters)}

    def close(self) -> None:
        if hasattr(self, "eyes"):
            self.eyes.close()
        self.house.close()
        self.broker.stop()


def remembering(place: Path) -> list[str]:
    """The settings of a broker that saves at once, and has room in its queues for an outage."""
    place.mkdir(parents=True, exist_ok=True)
    kept = ["persistence true", f"persistence_location {place}/", "autosave_interval 1", "autosave_on_changes true"]
    return [*kept, "max_queued_messages 1000000", "max_inflight_messages 1000"]


class Sites:
    """Both of them, with the wire between."""

    def __init__(self, folder: Path, pace: Pace = PACE, *, saving: bool = True, metered: bool = False) -> None:
        """`saving`: whether the brokers keep their sessions even when they are killed, which makes them slow."""
        kept = {name: remembering(folder / name) if saving else [] for name in (HOME, CABIN)}
        self.home = Site(HOME, folder / HOME, *kept[HOME], *called_lines(folder / HOME))
        self.wire = Wire(self.home.broker.port)
        lines = bridge_lines("127.0.0.1", self.wire.port, pace, metered=metered)
        self.cabin = Site(CABIN, folder / CABIN, *kept[CABIN], *lines)
        self.both = (self.home, self.cabin)

    def begin(self) -> None:
        """Start both brokers, and wait until they are linked."""
        for site in self.both:
            site.begin()
        self.linked()

    def watch_over(self, more: str = "") -> None:
        """Write the file of the far site for each, with more settings; its daemon looks after the link."""
        for site in self.both:
            far_files(site.house.folder, caller=site is self.cabin, port=self.wire.port, more=more)

    def live(self) -> None:
        """Start the sensors of both, and wait until each recorder has something of all."""
        for site in self.both:
            site.furnish()
            site.record()
        for site in self.both:
            site.live("rooms")
        eventually(lambda: all(site.has(dict.fromkeys(self.made(), 1)) for site in self.both), "all is recorded")

    def made(self) -> dict[str, int]:
        return {**self.home.made(), **self.cabin.made()}

    def linked(self) -> None:
        """Wait until both connections are up at both ends."""
        for site in self.both:
            eventually(lambda: self.up(site), f"{site.name} is linked", SETTLES_S)  # noqa: B023

    def part(self) -> None:
        """Break the link, and wait until the caller's broker has noticed."""
        self.wire.refuse()
        eventually(lambda: not self.up(self.cabin), "the cut is noticed", SETTLES_S)

    def join(self) -> None:
        """Mend the link again, and wait until both ends say so."""
        self.wire.accept()
        self.linked()

    def up(self, site: Site) -> bool:
        said = retained(site.broker.port)
        return all(said.get(f"penates-bridge/{CABIN}/{name}") == 1 for name in ("history", "state"))

    def reads(self, more: int) -> None:
        """Until each site has made so many more readings, whoever has heard of them."""
        for site in self.both:
            wanted = sum(site.made().values()) + more
            eventually(lambda: sum(site.made().values()) >= wanted, f"{wanted} readings")  # noqa: B023

    def kill(self, site: Site, meanwhile: Callable[[], object]) -> None:
        """SIGKILL its broker, and start it again after this."""
        site.broker.stop(signal.SIGKILL)
        meanwhile()
        site.broker.start()

    def same(self) -> bool:
        """Whether a newcomer is told the same of both sites at both, and the truth of what was read last."""
        told = [site.told(HOME, CABIN) for site in self.both]
        last = {sensor: truth(count) for sensor, count in self.made().items()}
        true = {f"{sensor}/data/{name}": value for sensor, values in last.items() for name, value in values.items()}
        return told[0] == told[1] and true.items() <= told[0].items()

    def close(self) -> None:
        for site in self.both:
            site.close()
        self.wire.close()
