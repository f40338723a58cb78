"""What the sensors have read, by their own log, and what of it the recorder has stored."""

import re
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

# Each reading as its sensor logs it at the level `debug`, whether there is a broker or not.
READ = re.compile(rb"^\S+ debug (\S+): read \(seq=(\d+)\b", re.MULTILINE)
COUNTED = "SELECT name, COUNT(*) FROM reading JOIN sensor ON id = sensor GROUP BY name"
STORED = "SELECT name, run, seq, time FROM reading JOIN sensor ON id = sensor ORDER BY name, run, seq"

Stored = tuple[str, str, int, int]  # a sensor, its run, the number and the time of a reading


@dataclass(frozen=True)
class Account:
    """How many readings were made, and what became of them.

    Attributes:
        made: how many the sensors have made.
        recorded: how many of them are recorded, each once.
        disordered: how many of those have an earlier time than the one that their sensor made before.
    """

    made: int
    recorded: int
    disordered: int

    @property
    def lost(self) -> int:
        """How many are not recorded."""
        return self.made - self.recorded

    @property
    def whole(self) -> bool:
        """Whether all are recorded, and in order."""
        return not self.lost and not self.disordered

    def __str__(self) -> str:
        """Return it as a line for people."""
        recorded = f"recorded {self.recorded}, lost {self.lost}"
        return f"readings made {self.made}, {recorded}, out of order {self.disordered}"


class Tally:
    """Counts the readings of all sensors but the recorder, which goes on reading while it records the last ones."""

    def __init__(self, log: Path, history: Path, uncounted: str) -> None:
        """Count what is in this log of a supervisor, and in this history in SQLite."""
        self._log, self._history, self._uncounted = log, history, uncounted
        self._read = 0
        self._logged = Counter[tuple[str, int]]()
        self.made = Counter[str]()  # by sensor
        self.recorded = Counter[str]()

    def update(self) -> None:
        """Count what has been read and stored until now."""
        self._follow_log()
        rows: list[tuple[str, int]] = self._query(COUNTED)
        self.recorded = Counter({name: count for name, count in rows if name != self._uncounted})

    def _follow_log(self) -> None:
        with self._log.open("rb") as log:
            log.seek(self._read)
            whole, newline, _ = log.read().rpartition(b"\n")
        self._read += len(whole + newline)
        for name, seq in READ.findall(whole):
            if (sensor := name.decode()) != self._uncounted:
                self._logged[sensor, int(seq)] += 1
                self.made[sensor] += 1

    @property
    def kept(self) -> int:
        """How many readings are not recorded yet."""
        return (self.made - self.recorded).total()

    def account(self) -> Account:
        """Compare reading by reading. What is recorded was made, even if somebody has changed the level of the log."""
        self.update()
        found: list[Stored] = self._query(STORED)
        rows = [row for row in found if row[0] != self._uncounted]
        stored = Counter((name, seq) for name, _, seq, _ in rows)
        disordered = sum(before[:2] == row[:2] and row[3] < before[3] for before, row in pairwise(rows))
        return Account((self._logged | stored).total(), stored.total(), disordered)

    def _query(self, query: str) -> list[Any]:
        """Return the rows; none as long as there is no history."""
        try:
            with closing(sqlite3.connect(f"{self._history.as_uri()}?mode=ro", uri=True)) as database:
                return database.execute(query).fetchall()
        except sqlite3.OperationalError:
            return []
