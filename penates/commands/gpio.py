"""Read a simulated GPIO line, or drive it from outside as a switch, a sensor or a finger would.

This is for daemons that run with GPIOZERO_PIN_FACTORY=simulated. The lines are in the folder PENATES_LINES, by default
beside the locks of the house's sensors.
"""

import argparse
import time
from pathlib import Path

from bootstrap.config.loader import usual_folder
from bootstrap.errors import Exit
from bootstrap.pins.line_names import line_number
from bootstrap.pins.simulated_lines import SimulatedLine, lines_folder
from penates.console.arguments import config_option, house

LEVELS = {"0": False, "1": True, "float": None}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    config_option(parser)
    line = "the line: its BCM number, its name, such as GPIO17, or its place on the header, such as BOARD11"
    parser.add_argument("pin", metavar="PIN", type=_line, help=line)
    levels = [*LEVELS, "pulse"]
    parser.add_argument(
        "what", metavar="|".join(levels), nargs="?", choices=levels, help="level to drive; without it, print the level"
    )
    parser.add_argument("ms", nargs="?", type=float, metavar="MS", help="length of a pulse, in milliseconds")


def _line(text: str) -> int:
    try:
        return line_number(f"GPIO{text}" if text.isdecimal() else text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"it must be {error}, not {text!r}") from None


def main(given: argparse.Namespace) -> Exit:
    """Drive the line, or print its level."""
    line = SimulatedLine(given.pin, lines_folder(_runtime(given)))
    if given.what == "pulse":
        if given.ms is None or given.ms < 0:
            raise SystemExit("penates gpio: a pulse needs a length in milliseconds, such as: penates gpio 17 pulse 200")
        pulse(line, given.ms / 1000)
    elif given.what:
        line.drive(LEVELS[given.what])
    else:
        level = line.level()
        print("float" if level is None else f"{float(level):g}")
    return Exit.STOPPED


def _runtime(given: argparse.Namespace) -> Path | None:
    """Return the runtime folder of the house, or None if there is no house."""
    return house(given)[2].runtime if given.config or usual_folder() else None


def pulse(line: SimulatedLine, seconds: float) -> None:
    """Drive the line to the other level for `seconds`, then back."""
    before = line.driven()
    line.drive(not line.level())
    try:
        time.sleep(seconds)
    finally:
        line.drive(before)
