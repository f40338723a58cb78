"""Two sites, each with its own broker, five counters and a recorder, and the link between them that can be cut.

The cabin calls: its broker has the two bridge connections, and home's broker lets it in.
"""

import contextlib
import json
import os
import signal
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from itertools import pairwise
from operator import ge
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar

from bootstrap.contract.topic_filters import covers
from support.faults.archive import shipped
from support.faults.wire import Wire
from support.networks import Cable, Network
from support.plain_link import CABIN, HOME, PACE, Pace, bridge_lines, called_lines, far_files
from support.truth import made, truth
from support.world import Broker, Eyes, House, Running, eventually, retained

COUNTERS = [f"counter{number}" for number in range(1, 6)]
EVERY_S = 0.1  # five of them read 50 times a second
READINGS = "+/+/data/reading"
COUNT = "CAST(fields ->> 'count' AS INTEGER)"  # of a reading; `seq` begins anew at each start
SAVES = "Saving in-memory database"
SENSORS = "the supervisor of its sensors"
SETTLES_S = 60.0
ROOMS = ("data", "status")


def _steady(value: Any) -> Any:
    """What is told without the count of errors, which goes on for as long as a sensor cannot read."""
    if not isinstance(value, dict):
        return value
    return {name: _steady(one) for name, one in value.items() if name != "errors"}


class Counted(NamedTuple):
    """What a site has of both sites' readings, against what was read."""

    made: int
    recorded: int
    lost: int
    duplicated: int  # delivered again, which the recorder does not store again
    disordered: int


class Site:
    """One of them. Its group has its name."""

    def __init__(self, name: str, folder: Path, *lines: str, network: Network | None = None) -> None:
        self.name, self.network = name, network
        self.broker = Broker(folder / "broker", *lines)
        self.house = House(folder / "house", name)
        self.history = self.house.folder / "state" / "history.sqlite"
        self.started = dict[str, Running]()  # those of its daemons that run
        self.eyes: Eyes  # once the broker has started: a session that outlives the connection

    def inside(self) -> AbstractContextManager[None]:
        """What is started meanwhile is in its network, if it has one of its own."""
        return self.network.inside() if self.network else nullcontext()

    def serve(self) -> None:
        """Start the broker."""
        with self.inside():
            self.broker.start()

    def look(self, name: str = "", filters: str = "#") -> Eyes:
        """Listen to its broker; with a name, in a session that outlives the connection."""
        with self.inside():
            return Eyes(self.broker.port, name, filters)

    def retained(self) -> dict[str, Any]:
        """What a newcomer is told now."""
        with self.inside():
            return retained(self.broker.port)

    def run(self, sensor: str, **env: str) -> Running:
        """Start a daemon."""
        with self.inside():
            self.started[sensor] = self.house.run(sensor, program=None, **env)
        return self.started[sensor]

    def diary(self, sensor: str) -> Path:
        return self.house.folder / f"{sensor}.diary"

    def furnish(
        self,
        counters: Iterable[str] = COUNTERS,
        every_s: float = EVERY_S,
        recorder_s: float = 1,
        heartbeat_s: float = 1,
        protocol: str = "5",
    ) -> None:
        """Write the settings of all, which speak this version of MQTT."""
        names = list(counters)
        together = f"[together]\nrooms = {json.dumps(names)}\n" if len(names) > 1 else ""
        log = 'level = "info"\n[history]\nrecorder = true\nrate = 400'
        top, spoken = f"heartbeat_s = {heartbeat_s}\n{together}", f'protocol = "{protocol}"'
        self.house.write(self.broker.port, top=top, broker=spoken, log=log)
        for sensor in names:
            files = f'diary = "{self.diary(sensor)}"\nmood = "{self.house.folder}/mood"'
            self.house.device(sensor, f'kind = "support.truth.Counter"\nevery_s = {every_s}\n{files}\n')
        self.house.device("recorder", f'kind = "recorder"\nevery_s = {recorder_s}\n')

    def begin(self) -> None:
        """Start the broker and whoever listens to it."""
        self.serve()
        self.eyes = self.look("order", READINGS)

    def record(self) -> None:
        """Start the recorder, and wait until its broker keeps for it what comes."""
        self.run("recorder").wait_log("subscribed")

    def live(self, *names: str) -> None:
        """Start the sensors."""
        with self.inside():
            self.started[SENSORS] = self.house.supervise(*names)

    def reboot(self) -> None:
        """Have all that it runs end at once, as in a shutdown, and start again."""
        for running in self.started.values():
            running.send(signal.SIGTERM)
        self.broker.stop()
        for running in self.started.values():
            assert running.wait() == 0, running.log
        self._boot()

    def lose_power(self) -> None:
        """Kill all that it runs, its broker, too, and start it again."""
        for pid in (self.broker.process.pid, *self.house.processes()):
            os.kill(pid, signal.SIGKILL)
        self.broker.process.wait()
        for running in self.started.values():
            running.wait()
        self._boot()

    def _boot(self) -> None:
        self.serve()
        for name in [*self.started]:
            self.live("rooms") if name == SENSORS else self.run(name)

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
        """Whether its recorder has the first so many readings of each."""
        query = f"SELECT name, COUNT(*) FROM reading JOIN sensor ON id = sensor WHERE {COUNT} <= ? AND name = ?"
        with contextlib.closing(sqlite3.connect(f"file:{self.history}?mode=ro", uri=True)) as database:
            return all(
                database.execute(query, (most, sensor)).fetchone() == (sensor, most) for sensor, most in wanted.items()
            )

    def newest(self) -> dict[str, int]:
        """The number of the last reading that its recorder has, by sensor."""
        return {sensor: counts[-1] for sensor, counts in self.stored().items()}

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
        said = self.retained()
        steady = {topic: _steady(value) for topic, value in said.items() if not topic.endswith("/heartbeat")}
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


class Link(Protocol):
    """What joins two sites, until it is cut and nobody is told."""

    def cut(self) -> None: ...

    def mend(self) -> None: ...

    def close(self) -> None: ...


class TwoSites:
    """Home, and the cabin that calls it."""

    def __init__(self, home: Site, cabin: Site, link: Link, called_at: tuple[str, int]) -> None:
        """`called_at`: by which address and port the cabin reaches home's broker."""
        self.home, self.cabin, self.link, self._called_at = home, cabin, link, called_at
        self.both = (home, cabin)

    def begin(self) -> None:
        """Start both brokers, and wait until they are linked."""
        for site in self.both:
            site.begin()
        self.linked()

    def watch_over(self, more: str = "", **pace: int) -> None:
        """Write the file of the far site for each, with more settings; its daemon looks after the link."""
        for site in self.both:
            far_files(site.house.folder, caller=site is self.cabin, called_at=self._called_at, more=more, **pace)

    def live(self, every_s: float = EVERY_S) -> None:
        """Start the sensors of both, and wait until each recorder has something of all.

        Home speaks MQTT 5, the cabin 3.1.1.
        """
        for site in self.both:
            site.furnish(every_s=every_s, protocol="5" if site is self.home else "3.1.1")
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

    def up(self, site: Site) -> bool:
        said = site.retained()
        return all(said.get(f"penates-bridge/{CABIN}/{name}") == 1 for name in ("history", "state"))

    def look_after(self) -> None:
        """Start the daemon at each that looks after the link, and wait until it says that it is up."""
        for site, far in ((self.home, CABIN), (self.cabin, HOME)):
            site.run(far)
            state = f"{site.name}/{far}/data/state"
            eventually(lambda: site.retained().get(state) == "up", "it is up")  # noqa: B023

    def unreachable(self) -> None:
        """Wait until each site says that no sensor of the other can be reached."""
        for site, far in ((self.home, CABIN), (self.cabin, HOME)):
            states = {f"{far}/{sensor}/status/state": "unreachable" for sensor in COUNTERS}
            eventually(lambda: states.items() <= site.told(far).items(), "all are unreachable", SETTLES_S)  # noqa: B023

    def counts(self) -> list[int]:
        """How many readings each site has made."""
        return [sum(site.made().values()) for site in self.both]

    def reads(self, more: int, since: list[int] | None = None) -> None:
        """Until each site has made so many more readings, since these counts or now, whoever has heard of them."""
        wanted = [count + more for count in since or self.counts()]
        eventually(lambda: all(map(ge, self.counts(), wanted)), f"{wanted} readings")

    def kill(self, site: Site, meanwhile: Callable[[], object]) -> None:
        """SIGKILL its broker, and start it again after this."""
        site.broker.stop(signal.SIGKILL)
        meanwhile()
        site.serve()

    def same(self) -> bool:
        """Whether a newcomer is told the same of both sites at both, and the truth of what was read last."""
        told = [site.told(HOME, CABIN) for site in self.both]
        last = {sensor: truth(count) for sensor, count in self.made().items()}
        true = {f"{sensor}/data/{name}": value for sensor, values in last.items() for name, value in values.items()}
        return told[0] == told[1] and true.items() <= told[0].items()

    def close(self) -> None:
        for site in self.both:
            site.close()
        self.link.close()


AnySites = TypeVar("AnySites", bound=TwoSites)


class Sites(TwoSites):
    """Both of them on this machine, with a wire between."""

    def __init__(
        self,
        folder: Path,
        pace: Pace = PACE,
        *,
        saving: bool = True,
        metered: bool = False,
        new_wire: Callable[[int], Wire] = Wire,
    ) -> None:
        """`saving`: whether the brokers keep their sessions even when they are killed, which makes them slow."""
        kept = {name: remembering(folder / name) if saving else [] for name in (HOME, CABIN)}
        home = Site(HOME, folder / HOME, *kept[HOME], *called_lines(folder / HOME))
        self.wire = new_wire(home.broker.port)
        called_at = "127.0.0.1", self.wire.port
        cabin = Site(CABIN, folder / CABIN, *kept[CABIN], *bridge_lines(*called_at, pace, metered=metered))
        super().__init__(home, cabin, self.wire, called_at)

    def part(self) -> None:
        """Break the link, and wait until the caller's broker has noticed."""
        self.wire.refuse()
        eventually(lambda: not self.up(self.cabin), "the cut is noticed", SETTLES_S)

    def join(self) -> None:
        """Mend the link again, and wait until both ends say so."""
        self.wire.accept()
        self.linked()


class ApartSites(TwoSites):
    """Each in a network of its own, with a cable between; with the brokers' settings of `mosquitto/penates.conf`."""

    def __init__(self, folder: Path, pace: Pace = PACE, cable: Cable | None = None) -> None:
        self.cable = cable or Cable()
        near, far = self.cable.ends
        kept = {name: shipped(folder / name) for name in (HOME, CABIN)}
        called = [f"listener {{port}} {near.address}", *called_lines(folder / HOME)]
        home = Site(HOME, folder / HOME, *kept[HOME], *called, network=near)
        called_at = near.address, home.broker.port
        cabin = Site(CABIN, folder / CABIN, *kept[CABIN], *bridge_lines(*called_at, pace), network=far)
        super().__init__(home, cabin, self.cable, called_at)

    def save(self) -> None:
        """Have both brokers save what they keep, as they do once a minute."""
        for site in self.both:
            saved = site.broker.log().count(SAVES)
            site.broker.send(signal.SIGUSR1)
            eventually(lambda: site.broker.log().count(SAVES) > saved, "it saves")  # noqa: B023
