"""Show each sensor that systemd or `penates start` looks after: state, since when, restarts, what went wrong last.

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

from bootstrap.config import DEFAULT_FOLDERS, Configuration, folder_or_default
from bootstrap.control import Unavailable
from penates.common import house_arguments as arguments
from penates.common import request, show

__all__ = ["arguments", "main"]


def main(given: argparse.Namespace) -> int:
    """Ask the supervisor; where there is none and the house is installed, systemd."""
    try:
        return request(given, "status")
    except Unavailable:
        folder = folder_or_default(given.config)
        if folder.resolve() != DEFAULT_FOLDERS[0]:
            raise
        from penates.unit_status import rows  # noqa: PLC0415 - for this case alone

        if not (found := rows(Configuration(folder, secrets=False))):
            raise
        return show({"sensors": found}, as_json=given.json)
