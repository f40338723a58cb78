"""Look after sensors in the foreground, until Ctrl-C or SIGTERM: what `penates start` leaves behind, for a unit.

Each sensor is a process of its own, forked from this one, which loads everything once: that is what makes them small.
With Type=notify it says READY=1 when every sensor has come to rest, and WATCHDOG=1. It logs to stderr. SIGHUP, where it
has no terminal, is `penates reload`.
"""

import argparse
from contextlib import closing

from bootstrap.errors import Exit
from bootstrap.runtime.lock import ProcessLock
from bootstrap.supervisor.control_api import supervise
from penates.console.arguments import chosen, config_option, house

LOCK = "supervisor"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    config_option(parser)
    parser.add_argument("names", nargs="*", metavar="NAME", help="start only these; the others can be started later")


def main(given: argparse.Namespace) -> Exit:
    """Run the supervisor and return its exit code."""
    configuration, own, folders = house(given)
    with closing(ProcessLock(folders.runtime, LOCK)):
        return supervise(configuration, own, chosen(configuration, given.names))
