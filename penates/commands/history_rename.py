"""Give the history of a sensor another name, such as when its id or group has changed.

  penates history rename home/celar home/cellar

It asks before it does, works while the recorder runs, and adds a line to history_changes.jsonl in the recorder's
folder. If there is a history of the new name, both become one, unless they have values from the same time. What is
measured under the old name afterwards is recorded as that.
"""

import argparse
from contextlib import closing

from bootstrap.errors import NOT_DONE, Exit, Fatal
from penates.console.text import on_a_line
from penates.history.changes import agreed, editor, logged
from penates.history.import_line import sensor_fault
from penates.history.recorder_lookup import Recorded, found, recorder_arguments

COMMAND = "history rename"
INSTEAD = (
    "no database can rename what it holds: print it with `penates history SENSOR --csv --each reading`, load that with"
    " `penates import --sensor NEW`, and delete the old"
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    recorder_arguments(parser)
    parser.add_argument("sensor", metavar="SENSOR", help="such as cellar, or home/cellar")
    parser.add_argument(
        "new", metavar="NEW", help="its new name, such as home/basement; without a group, it keeps its own"
    )
    parser.add_argument("--yes", action="store_true", help="do not ask before renaming")


def main(given: argparse.Namespace) -> int:
    """Find the sensor, ask, and rename it."""
    recorded = Recorded.by(given)
    try:
        with closing(editor(recorded, INSTEAD)) as changed:
            with closing(recorded.open_reader()) as reader:
                old = found(reader, given.sensor)
                new = given.new if "/" in given.new else f"{old.partition('/')[0]}/{given.new}"
                joined = new in reader.sensors()
            if why := sensor_fault(new) or (f"{old} has that name already" if new == old else None):
                raise Fatal(Exit.ABSENT, why)
            question = f"Join {old} with {new}, which cannot be undone?" if joined else f"Rename {old} to {new}?"
            if not agreed(COMMAND, on_a_line(question), yes=given.yes):
                return NOT_DONE
            changed.rename(old, new)
            logged(recorded, COMMAND, sensor=old, new=new, joined=joined)
    except ValueError as error:
        raise Fatal(Exit.ABSENT, str(error)) from None
    except OSError as error:
        raise Fatal(Exit.ABSENT, str(error)) from None
    print(on_a_line(f"{old} is now {new}"))
    return Exit.STOPPED
