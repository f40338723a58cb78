"""Who was right, by files of others only: diaries, the recorder's database, /proc. Uses no code of penates."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

OWN_TIME_S = 1.0  # a busy machine may let that pass between the diary's clock and the reading's
UNACKNOWLEDGED_S = 3.0  # promised: less than 2 s of readings die with a process, if they are not acknowledged yet
GROWTH_KIB = 8192


@dataclass
class Findings:
    """What is wrong with the record of one sensor. Numbers are those of its readings."""

    lost: list[int] = field(default_factory=list)
    forgiven: list[int] = field(default_factory=list)
    twice: list[int] = field(default_factory=list)
    invented: list[int] = field(default_factory=list)
    disordered: list[int] = field(default_factory=list)

    @property
    def wrong(self) -> dict[str, list[int]]:
        """All of it that was not promised."""
        return {name: found for name, found in vars(self).items() if found and name != "forgiven"}


@dataclass(frozen=True)
class Row:
    """One reading in the database, its time in seconds since 1970."""

    run: str
    seq: int
    time: float
    fields: dict[str, object]

    @property
    def count(self) -> int:
        """The number that was read."""
        count = self.fields["count"]
        assert isinstance(count, int | float)
        return int(count)


def rows(database: Path, sensor: str, last: int = -1) -> list[Row]:
    """Everything recorded of a sensor such as cm/s1, or the last of it, the newest first."""
    query = """SELECT run, seq, time, fields FROM reading JOIN sensor ON id = sensor WHERE name = ?
        ORDER BY time DESC, run, seq DESC LIMIT ?"""
    if not database.exists():
        return []
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=30)) as connection:
        found = connection.execute(query, (sensor, last)).fetchall()
    return [Row(run, seq, time / 1e6, json.loads(fields)) for run, seq, time, fields in found]


def diary(file: Path) -> dict[int, float]:
    """When each reading was made, by its number."""
    lines = file.read_text().splitlines() if file.exists() else []
    return {int(count): float(at) for count, at, _ in map(str.split, lines)}


def _own_time(at: float, count: int, made: dict[int, float]) -> bool:
    """Whether this can be the time of a reading: after its read, and before the next, between which it may freeze."""
    return made[count] - OWN_TIME_S <= at <= made.get(count + 1, made[count]) + OWN_TIME_S


def judge(database: Path, sensor: str, made: dict[int, float], deaths: list[float]) -> Findings:
    """Compare what was recorded of a sensor with what it wrote into its diary, and the times at which it was killed."""
    found = Findings()
    seen: set[int] = set()
    last = 0
    for row in reversed(rows(database, sensor)):
        count = row.count
        true = {"count": count, "even": count % 2 == 0, "word": f"w{count}"}
        if row.fields != true or count not in made or not _own_time(row.time, count, made):
            found.invented.append(count)
        elif count in seen:
            found.twice.append(count)
        elif count < last:
            found.disordered.append(count)
        seen.add(count)
        last = max(last, count)
    for count in sorted(made.keys() - seen):
        died = any(0 <= death - made[count] <= UNACKNOWLEDGED_S for death in deaths)
        (found.forgiven if died else found.lost).append(count)
    return found


def children(parent: int) -> dict[str, int]:
    """The process id of each child that lives, by its name."""
    return {name: pid for pid, ppid, name, state in processes() if ppid == parent and state != "Z"}


def orphans(folder: Path) -> list[str]:
    """Processes, zombies too, that were started with this folder in their arguments."""
    found = []
    for pid, _ppid, name, _state in processes():
        try:
            arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if str(folder).encode() in arguments:
            found.append(f"{pid} {name}")
    return found


def processes() -> Iterator[tuple[int, int, str, str]]:
    """Id, parent's id, name and state of each process."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                head, _, tail = (entry / "stat").read_text().rpartition(")")
            except OSError:
                continue
            state, ppid = tail.split()[:2]
            yield int(entry.name), int(ppid), head.partition("(")[2], state


def resources(pid: int) -> tuple[int, int]:
    """Memory of a process that nobody shares, in KiB, and its open files."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    private = int(rollup.split("Private_Dirty:")[1].split()[0])
    return private, len(list(Path(f"/proc/{pid}/fd").iterdir()))
