"""Load readings that others have into the history: CSV files, and files of InfluxDB's line protocol.

  penates import november.csv --sensor cm/cellar
  penates import peer.lp

A CSV file (named .csv or .tsv) has a line of names first: `time`, and either `measure` and `value` or a column for each
measure; perhaps `sensor` (as cm/cellar) and `group`. In any other file each line is one of the line protocol, with the
tags `group` and `sensor`. --sensor says whose it is instead.

What is there already, by sensor, measure and time, stays as it is: to import a file again changes nothing. A line that
cannot be read is named and counted, and the others are loaded; the exit code is 1 then.
"""

import argparse
import sys
import zoneinfo
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import BinaryIO

from rich.console import Console
from rich.progress import Progress

from bootstrap.errors import NOT_DONE, Exit, Fatal
from bootstrap.points import Point
from bootstrap.settings import Fault
from bootstrap.sqlite_store import SqliteStore
from penates.foreign import NANOS, Reader
from penates.recorded import Recorded, recorder_arguments

BATCH = 2000  # points a commit; the recorder waits for no more
NAMED = 20  # bad lines of a file that are named


def arguments(parser: argparse.ArgumentParser) -> None:
    """What this command takes."""
    recorder_arguments(parser)
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE", help="CSV, or line protocol")
    parser.add_argument("--sensor", metavar="SENSOR", help="whose it is, such as cm/cellar or cellar")
    parser.add_argument(
        "--zone", type=_zone, metavar="ZONE", help="of times that do not say theirs: Europe/Berlin, UTC"
    )
    numbers = "what a number as time counts since 1970 (default: s in CSV, ns in line protocol)"
    parser.add_argument("--precision", choices=[*NANOS], help=numbers)
    parser.add_argument("--words", action="store_true", help="in CSV, what is no number is a word")


def _zone(text: str) -> zoneinfo.ZoneInfo:
    try:
        return zoneinfo.ZoneInfo(text)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise argparse.ArgumentTypeError(f"there is no zone {text!r}; say one such as Europe/Berlin, or UTC") from None


def main(given: argparse.Namespace) -> int:
    """Load one file after the other."""
    recorded = Recorded.by(given)
    sensor = recorded.sensor(given.sensor) if given.sensor else None
    reader = Reader(sensor, given.zone, given.precision, given.words)
    console = Console(stderr=True)
    try:
        with closing(_store(recorded)) as store:
            with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
                bad = sum([load(file, reader, store, progress) for file in given.files])
            store.settle()
    except OSError as error:
        raise Fatal(Exit.ABSENT, f"{error}; what was read before is stored") from None
    return NOT_DONE if bad else Exit.STOPPED


def _store(recorded: Recorded) -> SqliteStore:
    recorder = recorded.recorder
    if recorder.store != "sqlite":
        raise Fatal(
            Exit.SETTINGS, f"it loads into the store sqlite alone; yours is {recorder.store}, at {recorder.url}"
        )
    return SqliteStore(recorder.place(recorded.state), recorder.keep_days)


def load(file: Path, reader: Reader, store: SqliteStore, progress: Progress) -> int:
    """Load one file; returns how many of its lines are bad.

    Raises:
        OSError: it cannot be read, or not be stored.
    """
    before, loaded, bad = store.new, 0, 0
    batch: list[Point] = []
    with file.open("rb") as stream:
        for number, found in _watched(reader.read(file, stream), file, stream, progress):
            if isinstance(found, str):
                bad += 1
                if bad <= NAMED:
                    print(Fault(str(file), number, found), file=sys.stderr)
                continue
            batch += found
            loaded += len(found)
            if len(batch) >= BATCH:
                store.put(batch)
                batch.clear()
    store.put(batch)
    new = store.new - before
    print(f"{file}: {loaded} values, {new} of them new; {bad} bad line{'s' * (bad != 1)}")
    return bad


def _watched(
    lines: Iterator[tuple[int, list[Point] | str]], file: Path, stream: BinaryIO, progress: Progress
) -> Iterator[tuple[int, list[Point] | str]]:
    """The same, with the progress shown."""
    task = progress.add_task(file.name, total=file.stat().st_size)
    for count, line in enumerate(lines):
        if count % BATCH == 0:
            progress.update(task, completed=stream.tell())
        yield line
    progress.remove_task(task)
