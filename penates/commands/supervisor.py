"""Supervise sensors in the foreground, until Ctrl-C or SIGTERM, as `penates start` does in the background.

Each sensor is its own process, forked from this one, which loads everything once; that keeps the processes small.
With Type=notify it sends READY=1 once every sensor has settled, and WATCHDOG=1. It logs to stderr. SIGHUP, without a
terminal, does the same as `penates reload`.
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
    parser.add_argument("names", nargs="*", metavar="NAME", help="start only these; others can be started later")


def main(given: argparse.Namespace) -> Exit:
    """Run the supervisor and return its exit code."""
    configuration, own, folders = house(given)
    with closing(ProcessLock(folders, LOCK)):
        return supervise(configuration, own, chosen(configuration, given.names))
