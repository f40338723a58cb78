"""Stop sensors in order; without names, all of them and their supervisor.

What they have read is delivered first, if there is a broker. A sensor that was stopped by name stays stopped until it
is started by name, or with all.
"""

import argparse
import sys

from bootstrap.errors import Exit
from bootstrap.supervisor.control_socket import NotRunning
from penates.console.arguments import names_arguments as arguments
from penates.console.supervisor_request import request

__all__ = ["arguments", "main"]


def main(given: argparse.Namespace) -> int:
    """Ask the supervisor. If there is none, nothing is running, which counts as success."""
    try:
        return request(given, "stop")
    except NotRunning as error:
        print(error, file=sys.stderr)
        return Exit.STOPPED
