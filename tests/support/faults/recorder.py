"""A recorder that misses nothing, and what its record says of what was read."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bootstrap.contract.recording_word import recording_word
from support.truth import Entry, entries
from support.world import Eyes, eventually

LONG_AGO = 10 * 365 * 86_400.0
READING = "cm/cellar/data/reading"


@dataclass(frozen=True)
class Record:
    """One delivery; `at` is when we had it (monotonic)."""

    run: str
    seq: int
    count: int
    time: str
    at: float


class History:
    """What was delivered, in the order in which it came."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self._first: dict[int, Record] = {}
        self._lock = threading.Lock()

    def add(self, record: Record) -> None:
        with self._lock:
            self.records.append(record)
            self._first.setdefault(record.count, record)

    @property
    def first(self) -> dict[int, Record]:
        """The first delivery of each reading."""
        with self._lock:
            return dict(self._first)

    def has(self, count: int) -> bool:
        return count in self._first


class Recorder:
    """A durable subscriber to the history: the broker keeps for it what comes while it is not there."""

    def __init__(self, port: int, **login: str) -> None:
        self.eyes = Eyes(port, "recorder", **login)
        self.history = History()
        self.eyes.listen(READING, self._heard)
        self.eyes.greeting = "cm/recorder/status/recording", recording_word("+", recording=True)
        self.eyes.greet()

    def _heard(self, at: float) -> None:
        """A retained message is no reading, whoever left it there; and a reading may be a twin's, of other measures."""
        said = self.eyes.seen[-1]
        value = {} if said.retain else said.value
        if "count" in value:
            self.history.add(Record(value["run"], value["seq"], value["count"], value["time"], at))

    def wait(self, count: int, limit_s: float) -> None:
        """Until this reading is recorded."""
        eventually(lambda: self.history.has(count), f"reading {count} is recorded", limit_s)

    def all_is_heard(self) -> None:
        """Until nothing is on its way: what was published before a word of our own comes before it."""
        word = f"heard {len(self.eyes.seen)}"
        self.eyes.publish("test/heard", word)
        self.eyes.wait_value("test/heard", word)


@dataclass(frozen=True)
class Comparison:
    """What was read against what was recorded."""

    lost: list[int]
    invented: list[int]
    duplicated: int
    disordered: int
    late_s: list[float]


def compare(diary: Path, history: History, behind_s: float = 0) -> Comparison:
    """`behind_s`: by how much the clock of who kept the diary was behind while it was in the first years of Unix."""
    made = {one.count: one for one in entries(diary)}
    first, records = history.first, history.records
    keys = {(one.run, one.seq): one.count for one in records}
    return Comparison(
        lost=sorted(made.keys() - first.keys()),
        invented=[one.count for one in records if one.count not in made or keys[one.run, one.seq] != one.count],
        duplicated=len(records) - len(keys),
        disordered=disordered(list(first.values())),
        late_s=sorted(_late_s(made, first[count], behind_s) for count in made.keys() & first.keys()),
    )


def _late_s(made: Mapping[int, Entry], record: Record, behind_s: float) -> float:
    """By how much a reading's time differs from its read's; not counted is that others had the processor meanwhile."""
    entry = made[record.count]
    at = entry.at + behind_s if entry.at < LONG_AGO else entry.at
    waited_s = made.get(record.count + 1, entry).waited_s - entry.waited_s
    return abs(datetime.fromisoformat(record.time).timestamp() - at) - max(0.0, waited_s)


def disordered(records: list[Record]) -> int:
    """How many came after one that was read later, or have a time that is not after the one before in their run."""
    wrong, newest = 0, 0
    last: dict[str, str] = {}
    for one in records:
        wrong += one.count < newest or one.time <= last.get(one.run, "")
        newest = max(newest, one.count)
        last[one.run] = one.time
    return wrong


def wrong_state(said: Mapping[str, object], expected: Mapping[str, object]) -> list[str]:
    """The topics on which a newcomer is told something else than what is."""
    return sorted(topic for topic, value in expected.items() if said.get(topic) != value)
