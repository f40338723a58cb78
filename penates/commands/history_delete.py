"""Delete values from the history: of a sensor or of one of its measures, all or from one time to another.

  penates history delete home/cellar temperature --from 2026-11-01 --to 2026-11-02
  penates history delete home/shed

It prints what it would delete and asks before it does, works while the recorder runs, and adds a line to
history_changes.jsonl in the recorder's folder. Averages are deleted or computed again. Of readings that are no longer
kept, only whole periods of five minutes can be deleted. What a sensor measures afterwards is recorded as before.
"""

import argparse
import json
import shlex
from contextlib import closing

from bootstrap.errors import NOT_DONE, Exit, Fatal
from bootstrap.history.influx.influxql_reader import quoted
from bootstrap.history.sqlite.editor import ALWAYS_US, Chosen, Extent, HistoryEditor
from penates.console.output import counted
from penates.console.text import on_a_line
from penates.history.changes import agreed, editor, logged
from penates.history.recorder_lookup import Recorded, found, recorder_arguments
from penates.history.times import for_people, printed, since_us

COMMAND = "history delete"
DELETE_SERIES = "api/v1/admin/tsdb/delete_series"  # of VictoriaMetrics


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    recorder_arguments(parser)
    parser.add_argument("sensor", metavar="SENSOR", help="such as cellar, or home/cellar")
    parser.add_argument("measure", metavar="MEASURE", nargs="?", help="such as temperature (default: all)")
    first = "delete from here on: 24h, 7d, or a local time such as 2026-11-01 or 2026-11-01T12:00 (default: all)"
    parser.add_argument("--from", dest="first", type=since_us, default=ALWAYS_US[0], metavar="TIME", help=first)
    last = "delete what is before this time (default: all)"
    parser.add_argument("--to", dest="last", type=since_us, default=ALWAYS_US[1], metavar="TIME", help=last)
    parser.add_argument("--yes", action="store_true", help="do not ask before deleting")


def main(given: argparse.Namespace) -> int:
    """Find what is to be deleted, print it, ask, and delete it."""
    if given.first >= given.last:
        raise Fatal(Exit.ABSENT, "--from must be before --to")
    recorded = Recorded.by(given)
    try:
        with closing(editor(recorded, _instead(recorded, given))) as changed:
            with closing(recorded.open_reader()) as reader:
                chosen = Chosen(found(reader, given.sensor), given.measure, given.first, given.last)
            return _delete(recorded, changed, chosen, yes=given.yes)
    except OSError as error:
        raise Fatal(Exit.ABSENT, str(error)) from None


def _delete(recorded: Recorded, changed: HistoryEditor, chosen: Chosen, *, yes: bool) -> int:
    name = on_a_line(" ".join(filter(None, (chosen.sensor, chosen.measure))))
    extent = changed.extent(chosen)
    if extent is None:
        raise Fatal(Exit.ABSENT, f"there is nothing of {name} in that time")
    print(f"{name}: {_amount(extent)}")
    if not agreed(COMMAND, f"Delete {'all of it' if chosen.is_all else 'that'}?", yes=yes):
        return NOT_DONE
    count = 0
    try:
        for number in changed.delete(chosen):
            count += number
    finally:  # after Ctrl-C, too, the log says what is gone
        times = {"from": printed(extent.first_us), "to": printed(extent.last_us)}
        logged(recorded, COMMAND, sensor=chosen.sensor, measure=chosen.measure, **times, readings=count)
    print(f"{counted(count, 'reading')} deleted")
    return Exit.STOPPED


def _amount(extent: Extent) -> str:
    readings = f"{counted(extent.readings, 'reading')}"
    averages = f"{counted(extent.averages, 'average')} of five minutes"
    return f"{readings} and {averages}, from {for_people(extent.first_us)} to {for_people(extent.last_us)}"


def _instead(recorded: Recorded, given: argparse.Namespace) -> str:
    """Return how to delete that in the recorder's database."""
    settings = recorded.recorder
    group, _, sensor = recorded.sensor(given.sensor).partition("/")
    where = f'"group"={quoted(group)} AND "sensor"={quoted(sensor)}'
    note = "; it deletes whole readings, not one measure" if given.measure else ""
    if settings.store == "influxdb1":
        query = shlex.quote(f"DELETE FROM reading WHERE {where}")  # noqa: S608 - for a person, who reads it first
        return f"delete it there: influx -database {settings.database} -execute {query}{note}"
    predicate = shlex.quote(f'_measurement="reading" AND {where}')
    influx = f"influx delete --bucket {settings.database} --org {settings.org} --predicate {predicate}{note}"
    names = ",".join(f"{name}={json.dumps(value)}" for name, value in (("group", group), ("sensor", sensor)))
    match = shlex.quote(f'match[]={{__name__=~"reading_{given.measure or ".+"}",{names}}}')
    victoria = f"curl {settings.url}/{DELETE_SERIES} --data-urlencode {match}"
    return f"delete it there: {influx}; or in VictoriaMetrics: {victoria}"
