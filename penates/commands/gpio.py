"""Read a simulated GPIO line, or drive it from outside as a switch, a sensor or a finger would.

This is for daemons that run with GPIOZERO_PIN_FACTORY=simulated. The lines are in the folder PENATES_LINES, by default
beside the locks of the house's sensors.
"""

import argparse
import time
from pathlib import Path

from bootstrap.config.loader import usual_folder
from bootstrap.errors import Exit
from bootstrap.pins.simulated_lines import SimulatedLine, lines_folder
from penates.console.arguments import config_option, house

LEVELS = {"0": False, "1": True, "float": None}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    config_option(parser)
    parser.add_argument("pin", metavar="PIN", type=int, choices=range(28), help="BCM number of the line, 0 to 27")
    levels = [*LEVELS, "pulse"]
    parser.add_argument(
        "what", metavar="|".join(levels), nargs="?", choices=levels, help="level to drive; without it, print the level"
    )
    parser.add_argument("ms", nargs="?", type=float, metavar="MS", help="length of a pulse, in milliseconds")


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
