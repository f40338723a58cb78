"""Run a house of nine sensors on this machine, with a broker and a recorder of its own, and kill that broker once.

The GPIO lines, the 1-Wire bus and the display are simulated; the broker, the sensors and all that they publish are
real. After 10 s the broker is killed, and started again 8 s later. At the end it counts how many readings were made,
recorded, lost, and recorded out of order, and draws one history; the exit code is 1 if there is a loss or a disorder.

It needs Mosquitto, no root and no Pi, and touches neither a broker that runs here nor a house in this folder. Several
may run at once. Whatever it makes is gone afterwards, unless --keep says where to put it.
"""

import argparse
from contextlib import ExitStack

from penates.console.arguments import new_folder, output_file, seconds


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    limit = "end after this time; all happens sooner if it is short (default: Ctrl-C or q ends it)"
    parser.add_argument("--for", dest="limit_s", type=seconds, metavar="SECONDS", help=limit)
    parser.add_argument("--no-outage", action="store_true", help="leave the broker alone")
    keep = "put all files into this new folder, and keep them"
    parser.add_argument("--keep", type=new_folder, metavar="DIR", help=keep)
    picture = "at the end, save what was shown as an animated SVG"
    parser.add_argument("--picture", type=output_file, metavar="FILE", help=picture)


def main(given: argparse.Namespace) -> int:
    """Set up the house, let a day go by and show it."""
    from penates.demo.performance import cleaned_up, demo  # noqa: PLC0415 - no other use of this module needs that much

    def show(stack: ExitStack) -> int:
        return demo(given, stack)

    return cleaned_up(show)
