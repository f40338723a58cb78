"""Loading the lines of files into a store, in batches, and saying what became of them."""

import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from bootstrap.config.toml_file import Fault
from bootstrap.history.reader import DAY_S, MICRO
from bootstrap.history.sqlite.store import SqliteStore
from bootstrap.history.stores import Store
from penates.console.output import counted
from penates.console.text import printable
from penates.history.import_line import FileLine
from penates.history.import_values import ImportedValue, SeenValues, StoredValues
from penates.history.times import printed

BATCH = 2000  # points per commit, for which the recorder has to wait
REPORTED = 20  # bad lines of a file that are printed


class Loader:
    """Loads files, in batches."""

    def __init__(
        self,
        store: Store,
        kinds: Mapping[str, str],
        seen: SeenValues,
        stored: StoredValues,
        keep_days: float | None,
    ) -> None:
        """Load into `store`. `kinds` must be those that the recorder writes, or a database would store values twice.

        `keep_days` is after how many days the store deletes readings; None if it does not, or if that is not known.
        """
        self._store, self._kinds, self._seen, self._stored = store, kinds, seen, stored
        self._keep_days = keep_days
        self._oldest_us = None if keep_days is None else round((time.time() - keep_days * DAY_S) * MICRO)
        self._batch: list[ImportedValue] = []
        self._counts: Counter[str] = Counter()

    def load(self, file: str, lines: Iterable[FileLine]) -> int:
        """Load the lines of a file, and return how many are bad.

        Raises:
            OSError: they cannot be read or stored. What was read before that is stored, if the store is available.
        """
        before, replaced = self._new, self._stored.replaced
        self._counts = Counter()
        try:
            for line in lines:
                self._take(file, line)
        finally:
            self._put()
        self._counts["replaced"] = self._stored.replaced - replaced
        print(f"{printable(file)}: {self._summary(None if before is None else (self._new or 0) - before)}")
        return self._counts["bad"]

    def settle(self) -> None:
        """Let the store finish what it does beside storing.

        Raises:
            OSError: it is unavailable.
        """
        if isinstance(self._store, SqliteStore):
            self._store.settle()

    @property
    def _new(self) -> int | None:
        """How many values were not stored before, if the store can tell."""
        return self._store.new if isinstance(self._store, SqliteStore) else None

    def _take(self, file: str, line: FileLine) -> None:
        self._counts["empty"] += line.empty
        self._counts["passed"] += line.passed
        faults = [*line.faults]
        for point in line.points:
            one = ImportedValue(file, line.number, point)
            if why := self._too_old(one):
                faults.append(why)
            else:
                self._batch.append(one)
        if faults:
            self._report(file, line.number, faults, line.lines)
        if len(self._batch) >= BATCH:
            self._put()

    def _too_old(self, one: ImportedValue) -> str | None:
        """Return why a text would be deleted at once; say once of numbers that only their averages would be kept."""
        if self._oldest_us is None or one.point.time_us >= self._oldest_us:
            return None
        limit = f"keep_days = {self._keep_days:g}"
        if isinstance(one.value, str):
            return f"{one.what()} is text from before {limit}, which is deleted at once; raise keep_days first"
        if not self._counts["old"]:
            date = printed(self._oldest_us)[:10]
            text = f"of numbers before {date} ({limit}) only the averages are kept; raise keep_days first to keep more"
            print(f"{printable(one.file)}:{one.line}: {text}", file=sys.stderr)
        self._counts["old"] += 1
        return None

    def _put(self) -> None:
        batch, self._batch = self._batch, []
        if not batch:
            return
        first, twice = self._seen.add(batch)
        new, contradict = self._stored.sort(first)
        refused = self._store.put([one.point._replace(kind=self._kinds.get(one.point.sensor, "")) for one in new])
        bad = [*twice, *contradict, *((new[number], why) for number, why in refused.items())]
        for one, why in sorted(bad, key=lambda found: found[0].line):
            self._report(one.file, one.line, [why])
        self._counts["loaded"] += len(batch) - len(bad)

    def _report(self, file: str, number: int, faults: Iterable[str], lines: int = 1) -> None:
        if self._counts["bad"] < REPORTED:
            for why in faults:
                print(printable(str(Fault(file, number, why))), file=sys.stderr)
        self._counts["bad"] += lines

    def _summary(self, new: int | None) -> str:
        counts = self._counts
        values = f"{counted(counts['loaded'], 'value')}"
        news = "" if new is None else f", {new} of them new"
        bad = f"{counted(counts['bad'], 'bad line')}"
        return f"{values}{news}; {bad}" + "".join(f"; {text}" for text in self._notes())

    def _notes(self) -> Iterator[str]:
        counts = self._counts
        if counts["replaced"]:
            yield f"{counts['replaced']} replaced"
        if counts["empty"]:
            yield f"{counts['empty']} left out, such as nan, null or unavailable"
        if counts["passed"]:
            yield f"{counted(counts['passed'], 'line')} of series not chosen"
        if counts["old"]:
            yield f"{counts['old']} older than keep_days = {self._keep_days:g}, of which averages are kept"
