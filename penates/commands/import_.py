"""Load readings of other programs into the history, or take over the configuration of mqtt-io.

  penates import november.csv --sensor home/cellar
  penates import peer.lp
  zcat old.csv.gz | penates import - --sensor home/cellar

Readings come from CSV files, JSON lines and InfluxDB's line protocol. A CSV file begins with a line of column names:
`time`, and either `measure` and `value` or a column for each measure; optionally `sensor` (such as home/cellar) and
`group`. JSON has an object per line, with the same names. Any other file is in line protocol, with the tags `group`
and `sensor`. The name decides (.csv, .tsv, .json), or else the first line. A file may be compressed with gzip, and -
is the standard input. --sensor is used instead of what the file names.

Each value is identified by its sensor, measure and time: importing a file again changes nothing, and another value for
the same is reported with both lines unless --replace is given. What cannot be read, or what the database rejects, is
reported with its line and counted, and the rest is loaded; the exit code is then 1.

  penates import --from mqtt-io /etc/mqtt-io.yml --dry-run
  penates import --from mqtt-io /etc/mqtt-io.yml

With --from mqtt-io, the file is the configuration of that program: its sensors and lines get a device file each, and
what has no counterpart is named with its line. No file that exists is changed.
"""

import argparse
import sys
import zoneinfo
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from bootstrap.config.loader import device_file, folder_or_default
from bootstrap.errors import NOT_DONE, Exit, Fatal
from bootstrap.history.sqlite.store import SqliteStore
from penates.console.output import counted
from penates.console.text import printable
from penates.history.import_formats import Reader
from penates.history.import_line import FileLine, sensor_fault
from penates.history.import_lines import SeriesChoice
from penates.history.import_loader import BATCH, Loader
from penates.history.import_stream import ImportStream, opened
from penates.history.import_times import NANOS
from penates.history.import_values import SeenValues, StoredValues
from penates.history.recorder_lookup import Recorded, recorder_arguments


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    recorder_arguments(parser)
    other = "the files are configurations of this program, and become device files"
    parser.add_argument("--from", dest="program", choices=["mqtt-io"], help=other)
    parser.add_argument("--dry-run", action="store_true", help="with --from, show what would be written")
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE", help="CSV, JSON lines or line protocol")
    parser.add_argument("--sensor", metavar="SENSOR", help="the sensor of all values, such as home/cellar or cellar")
    parser.add_argument(
        "--zone", type=_zone, metavar="ZONE", help="the zone of times without one, such as Europe/Berlin or UTC"
    )
    numbers = "the unit of times that are numbers, counted since 1970 (default: ns in line protocol, else s)"
    parser.add_argument("--precision", choices=[*NANOS], help=numbers)
    far = "accept times more than a year ahead, and numbers that mean times before 2000"
    parser.add_argument("--any-time", action="store_true", help=far)
    parser.add_argument("--words", action="store_true", help="in CSV, a value that is not a number is text")
    parser.add_argument("--replace", action="store_true", help="a later value replaces an earlier or stored one")
    only = "in line protocol, load only what has this tag, such as entity_id=kitchen"
    parser.add_argument("--tag", type=_tag, action="append", default=[], metavar="TAG=VALUE", help=only)
    parser.add_argument("--measurement", metavar="NAME", help="in line protocol, load only this measurement")


def _zone(text: str) -> zoneinfo.ZoneInfo:
    try:
        return zoneinfo.ZoneInfo(text)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise argparse.ArgumentTypeError(f"there is no zone {text!r}; use one such as Europe/Berlin or UTC") from None


def _tag(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise argparse.ArgumentTypeError(f"enter TAG=VALUE, such as entity_id=kitchen, not {text!r}")
    return name, value


def main(given: argparse.Namespace) -> int:
    """Load the files, one after the other."""
    if given.program:
        return max([_take_over(given, file) for file in given.files])
    if given.dry_run:
        raise Fatal(Exit.SETTINGS, "--dry-run needs --from")
    recorded = Recorded.by(given)
    reader = _reader(given, recorded)
    console = Console(stderr=True)
    try:
        with ExitStack() as stack:
            loader = _loader(given, recorded, stack)
            progress = Progress(console=console, transient=True, disable=not console.is_interactive)
            if console.is_interactive:  # rich up to 14.2 ends even a disabled one with an empty line
                stack.enter_context(progress)
            bad = sum([_load(loader, reader, file, progress) for file in given.files])
            loader.settle()
    except OSError as error:
        where = f"{error.filename}: {error.strerror}" if error.filename else error
        raise Fatal(Exit.ABSENT, f"{where}; what was read before that is stored") from None
    return NOT_DONE if bad else Exit.STOPPED


def _take_over(given: argparse.Namespace, file: Path) -> int:
    from penates.mqtt_io.writing import HouseTakeover  # noqa: PLC0415 - needed with --from alone

    takeover = HouseTakeover(folder_or_default(given.config), file)
    if given.dry_run:
        for one in takeover.written:
            print(f"# {device_file(one.device.name)}, which would be written\n{one.text}")
    else:
        for path in takeover.write():
            print(f"{path} was written")
    for old, new in takeover.topics():
        print(f"  {old} becomes {new}")
    for remark in takeover.remarks:
        print(printable(f"{file}:{remark.line}: {remark.text}"), file=sys.stderr)
    count = len(takeover.written)
    print(
        f"{counted(count, 'device')}, {counted(len(takeover.remarks), 'remark')}; next: penates check, penates doctor"
    )
    return NOT_DONE if takeover.remarks and not given.dry_run else Exit.STOPPED


def _reader(given: argparse.Namespace, recorded: Recorded) -> Reader:
    sensor = recorded.sensor(given.sensor) if given.sensor else None
    if sensor and (why := sensor_fault(sensor)):
        raise Fatal(Exit.ABSENT, why)
    choice = SeriesChoice(dict(given.tag), given.measurement)
    return Reader(sensor, given.zone, given.precision, given.words, given.any_time, choice)


def _loader(given: argparse.Namespace, recorded: Recorded, stack: ExitStack) -> Loader:
    store = recorded.open_store()
    stack.callback(store.close)
    seen = SeenValues(replace=given.replace)
    stack.callback(seen.close)
    editor = None
    if isinstance(store, SqliteStore):
        editor = recorded.open_editor()
        stack.callback(editor.close)
    keep_days = recorded.recorder.keep_days if editor else None
    return Loader(store, recorded.kinds(), seen, StoredValues(editor, replace=given.replace), keep_days)


def _load(loader: Loader, reader: Reader, file: Path, progress: Progress) -> int:
    with opened(file) as stream:
        return loader.load(str(file), _with_progress(reader.read(file, stream.text), file, stream, progress))


def _with_progress(
    lines: Iterator[FileLine], file: Path, stream: ImportStream, progress: Progress
) -> Iterator[FileLine]:
    """Yield the lines, and show the progress, as far as it is known of a pipe."""
    task = progress.add_task(file.name, total=stream.size)
    for count, line in enumerate(lines):
        if count % BATCH == 0 and stream.size is not None:
            progress.update(task, completed=stream.raw.tell())
        yield line
    progress.remove_task(task)
