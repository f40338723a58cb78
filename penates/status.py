"""Show each sensor that `penates start` looks after: its state, since when, restarts, and what went wrong last.

states:
  online    its last read was good
  fault     it runs, but a measure of its device is not well, or something else is in trouble
  starting  it has not read yet
  waiting   it ended and will be started again, later each time
  failed    its settings are faulty; it waits for a change and `penates reload`
  stopping  it was asked to stop
  stopped   it has

The exit code is 0 only if every sensor is online.
"""

import argparse

from penates.common import house_arguments as arguments
from penates.common import request

__all__ = ["arguments", "main"]


def main(given: argparse.Namespace) -> int:
    """Ask the supervisor."""
    return request(given, "status")
