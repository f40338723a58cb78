"""Calibrate a measure of a sensor against a reference.

  penates calibrate cellar
  penates calibrate weather humidity --reference 75.3
  penates calibrate cellar --point 0.3=0 --point 99.1=100
  penates calibrate cellar --undo

On a terminal it reads the sensor several times, says what the mean is before any filter, and asks what is true: up to
five times, with ice water and boiling water in between. Elsewhere --reference says what is true now, and --point needs
no running sensor. Points that there are already stay. The result is the first line of the measure's section in the
device's file; what stood there is kept in a comment above it, which --undo puts back. Then the sensor is reloaded.
"""

import argparse
import math
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from bootstrap.config.loader import folder_or_default, state_of
from bootstrap.contract.topics import ADMIN
from bootstrap.errors import NOT_DONE, Exit, Fatal
from bootstrap.filters.filter import tidy
from bootstrap.filters.settings import RAW
from bootstrap.paths import Folders
from bootstrap.supervisor.control_socket import NotRunning, ask
from penates.console.output import columns
from penates.console.supervisor_request import PATIENCE_S, control_request
from penates.files.calibrated_measure import CalibratedMeasure
from penates.files.calibration_edit import with_calibration, with_raw, without_last_calibration, without_raw
from penates.files.install_paths import HOUSE
from penates.fleet.access import access, access_arguments
from penates.fleet.raw_readings import raw_readings

MOST, MOST_READINGS, DIGITS = 5, 1000, 6


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    access_arguments(parser)
    parser.add_argument("sensor", metavar="SENSOR", help="such as cellar, or home/cellar")
    parser.add_argument("measure", nargs="?", metavar="MEASURE", help="if it has several, such as temperature")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--reference", type=_number, metavar="TRUE", help="what is true now; the sensor is read")
    how.add_argument(
        "--point", type=_point, action="append", metavar="SAID=TRUE", help="what it said when that was true"
    )
    how.add_argument("--undo", action="store_true", help="put back what was before the last calibration, only that one")
    parser.add_argument("--anew", action="store_true", help="drop the points that there are already")
    parser.add_argument(
        "--readings", type=_count, default=5, metavar="N", help="how many to take the mean of (default: 5)"
    )
    parser.add_argument(
        "--wait", type=_number, default=60.0, metavar="S", help="seconds to wait for them (default: 60)"
    )


def _number(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        raise argparse.ArgumentTypeError(f"enter a number, not {text!r}")
    return found


def _count(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= MOST_READINGS:
        raise argparse.ArgumentTypeError(f"enter a number from 1 to {MOST_READINGS}, not {text!r}")
    return int(text)


def _point(text: str) -> tuple[float, float]:
    said, equals, true = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"enter SAID=TRUE, such as 0.3=0, not {text!r}")
    return _number(said), _number(true)


def main(given: argparse.Namespace) -> int:
    """Find the points, write them, and reload the sensor."""
    folder = folder_or_default(given.config).absolute()
    if folder == HOUSE:
        from penates.installer import requirements  # noqa: PLC0415 - needed for the installed house alone

        requirements.require_root()
    target = CalibratedMeasure.find(folder, given.sensor, given.measure)
    if given.undo:
        return _undo(target)
    if not given.point and given.reference is None and not sys.stdin.isatty():
        raise Fatal(Exit.SETTINGS, "there is no terminal to ask on; add --reference TRUE or --point SAID=TRUE")
    points = given.point or [*_measured(target, given)]
    if not points:
        print("penates calibrate: nothing was entered, and nothing has changed", file=sys.stderr)
        return NOT_DONE
    return _write(target, points, anew=given.anew)


def _write(target: CalibratedMeasure, points: Sequence[tuple[float, float]], *, anew: bool) -> int:
    before, (made, table) = target.calibration, target.with_points(points, anew=anew)
    edited = target.edited
    file = edited.write(with_calibration(edited.text, target.section, table))
    rows = [
        ("SAID", "BEFORE", "NOW"),
        *(_row(said, before.of(said) if before else said, made.of(said)) for said, _ in points),
    ]
    print("\n".join(columns(rows)))
    print(f"{file}: [{target.section}] is calibrated by {len(made.points or [])} points, as {made.id}")
    return _reload(target)


def _row(*numbers: float) -> tuple[str, ...]:
    return tuple(f"{number:.{DIGITS}g}" for number in numbers)


def _undo(target: CalibratedMeasure) -> int:
    edited = target.edited
    before = without_last_calibration(edited.text, target.section)
    if before is None:
        print(f"penates calibrate: {edited.file} has no calibration of [{target.section}] to undo", file=sys.stderr)
        return NOT_DONE
    print(f"{edited.write(before)}: [{target.section}] is as it was before the last calibration")
    return _reload(target)


# Measuring.


def _measured(target: CalibratedMeasure, given: argparse.Namespace) -> Iterator[tuple[float, float]]:
    """Yield what the sensor said, and what was true then: once by the command line, else as often as is entered."""
    with _raw(target) as name:
        who = access(given, ADMIN)
        for _ in range(1 if given.reference is not None else MOST):
            values = raw_readings(who, target.sensor.topics, name, given.readings, given.wait)
            said = tidy(float(f"{math.fsum(values) / len(values):.{DIGITS}g}"))
            spread = f"from {min(values):g} to {max(values):g}"
            print(f"{target.name}: {said:g} {target.measured.unit_name}, the mean of {len(values)} readings {spread}")
            true = given.reference if given.reference is not None else _asked(target)
            if true is None:
                return
            yield said, true


def _asked(target: CalibratedMeasure) -> float | None:
    """Ask what is true; None ends it."""
    while True:
        try:
            text = input(f"what is true, in {target.unit}? (nothing: that was all) ").strip()
        except EOFError:
            text = ""
        if not text:
            return None
        try:
            return _number(text)
        except argparse.ArgumentTypeError as error:
            print(error)


@contextmanager
def _raw(target: CalibratedMeasure) -> Iterator[str]:
    """Have readings contain what the sensor says before its filters, and yield under which name.

    If they do not, the file says for as long as this takes that they must.
    """
    if target.raw_name:
        yield target.raw_name
        return
    edited = target.edited
    print("what it says before its filters is published for as long as this takes")
    with _ended_by_signals():
        edited.write(with_raw(edited.text, target.section))
        try:
            _reload(target)
            yield target.name + RAW
        except BaseException:
            edited.put_back(without_raw(edited.text, target.section))
            _reload(target)
            raise
        edited.put_back(without_raw(edited.text, target.section))


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Have a closed terminal, or SIGTERM, raise SystemExit, so that what was begun is taken back."""
    numbers = [one for one in (signal.SIGHUP, signal.SIGTERM) if signal.getsignal(one) is not signal.SIG_IGN]

    def leave(number: int, _frame: object) -> NoReturn:
        for one in numbers:
            signal.signal(one, signal.SIG_IGN)  # a second one must not interrupt that
        raise SystemExit(128 + number)

    before = {one: signal.signal(one, leave) for one in numbers}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def _reload(target: CalibratedMeasure) -> int:
    """Have the sensor apply its file, or say how to. Returns the exit code."""
    folder = target.sensor.folder
    name = Path(target.sensor.file).stem
    if folder == HOUSE:
        from penates.installer import adoption  # noqa: PLC0415 - as above

        adoption.apply(name)
        return Exit.STOPPED
    try:
        answer = ask(Folders.usual(state_of(folder)).runtime, control_request("reload", folder), PATIENCE_S)
    except NotRunning:
        print(f"Next: reload {name}: penates reload, or kill -HUP its process", flush=True)
        return Exit.STOPPED
    if why := answer.get("error"):
        raise Fatal(Exit.SETTINGS, f"not reloaded: {why}")
    return Exit.STOPPED
