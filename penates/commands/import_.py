"""Load readings of other programs into the history: CSV files, and files in InfluxDB's line protocol.

  penates import november.csv --sensor cm/cellar
  penates import peer.lp

A CSV file (named .csv or .tsv) begins with a line of column names: `time`, and either `measure` and `value` or a column
for each measure; optionally `sensor` (such as cm/cellar) and `group`. Any other file is in line protocol, with the tags
`group` and `sensor`. --sensor is used instead of what the file names.

Each value is identified by its sensor, measure and time: importing a file again changes nothing. A line that cannot be
read, or that the database rejects, is reported and counted, and the others are loaded; the exit code is then 1.
"""

import argparse
import sys
import zoneinfo
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import BinaryIO

from rich.console import Console
from rich.progress import Progress

from bootstrap.config.toml_file import Fault
from bootstrap.errors import NOT_DONE, Exit, Fatal
from bootstrap.history.points import Point
from bootstrap.history.sqlite.store import SqliteStore
from bootstrap.history.stores import Store
from penates.history.import_formats import NANOS, Reader
from penates.history.recorder_lookup import Recorded, recorder_arguments

BATCH = 2000  # points per commit, for which the recorder has to wait
REPORTED = 20  # bad lines of a file that are printed


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    recorder_arguments(parser)
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE", help="CSV or line protocol")
    parser.add_argument("--sensor", metavar="SENSOR", help="the sensor of all values, such as cm/cellar or cellar")
    parser.add_argument(
        "--zone", type=_zone, metavar="ZONE", help="the zone of times without one, such as Europe/Berlin or UTC"
    )
    numbers = "the unit of times that are numbers, counted since 1970 (default: s in CSV, ns in line protocol)"
    parser.add_argument("--precision", choices=[*NANOS], help=numbers)
    parser.add_argument("--words", action="store_true", help="in CSV, a value that is not a number is text")


def _zone(text: str) -> zoneinfo.ZoneInfo:
    try:
        return zoneinfo.ZoneInfo(text)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise argparse.ArgumentTypeError(f"there is no zone {text!r}; use one such as Europe/Berlin or UTC") from None


def main(given: argparse.Namespace) -> int:
    """Load the files, one after the other."""
    recorded = Recorded.by(given)
    sensor = recorded.sensor(given.sensor) if given.sensor else None
    reader = Reader(sensor, given.zone, given.precision, given.words)
    console = Console(stderr=True)
    try:
        with closing(recorded.open_store()) as store:
            loader = Loader(store, recorded.kinds(), reader)
            with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
                bad = sum([loader.load(file, progress) for file in given.files])
            if isinstance(store, SqliteStore):
                store.settle()
    except OSError as error:
        where = f"{error.filename}: {error.strerror}" if error.filename else error
        raise Fatal(Exit.ABSENT, f"{where}; what was read before that is stored") from None
    return NOT_DONE if bad else Exit.STOPPED


class Loader:
    """Loads files, in batches."""

    def __init__(self, store: Store, kinds: Mapping[str, str], reader: Reader) -> None:
        """Load into `store`. `kinds` must be those that the recorder writes, or a database would store values twice."""
        self._store, self._kinds, self._reader = store, kinds, reader
        self._batch: list[tuple[int, Point]] = []
        self._loaded = self._bad = 0

    def load(self, file: Path, progress: Progress) -> int:
        """Load a file, and return how many of its lines are bad.

        Raises:
            OSError: it cannot be read or stored.
        """
        before, self._loaded, self._bad = self._new, 0, 0
        with file.open("rb") as stream:
            for number, found in _with_progress(self._reader.read(file, stream), file, stream, progress):
                if isinstance(found, str):
                    self._report(file, number, found)
                    continue
                self._batch += [(number, one) for one in found]
                if len(self._batch) >= BATCH:
                    self._put(file)
        self._put(file)
        new = "" if before is None or self._new is None else f", {self._new - before} of them new"
        values = f"{self._loaded} value{'s' * (self._loaded != 1)}"
        print(f"{file}: {values}{new}; {self._bad} bad line{'s' * (self._bad != 1)}")
        return self._bad

    @property
    def _new(self) -> int | None:
        """How many values were not stored before, if the store can tell."""
        return self._store.new if isinstance(self._store, SqliteStore) else None

    def _put(self, file: Path) -> None:
        points = [one._replace(kind=self._kinds.get(one.sensor, "")) for _, one in self._batch]
        refused = self._store.put(points)
        for number, why in refused.items():
            self._report(file, self._batch[number][0], why)
        self._loaded += len(points) - len(refused)
        self._batch.clear()

    def _report(self, file: Path, number: int, why: str) -> None:
        self._bad += 1
        if self._bad <= REPORTED:
            print(Fault(str(file), number, why), file=sys.stderr)


def _with_progress(
    lines: Iterator[tuple[int, list[Point] | str]], file: Path, stream: BinaryIO, progress: Progress
) -> Iterator[tuple[int, list[Point] | str]]:
    """Yield the lines, and show the progress."""
    task = progress.add_task(file.name, total=file.stat().st_size)
    for count, line in enumerate(lines):
        if count % BATCH == 0:
            progress.update(task, completed=stream.tell())
        yield line
    progress.remove_task(task)
