"""Apply changes in the configuration, and touch nothing else.

A sensor whose file changed applies that while it runs; one whose file is new is started, one whose file is gone is
stopped, and one with a new sensor id or group is restarted. A change in house.toml reaches every sensor that it
affects. If anything has a fault, it is reported with file and line, and nothing is changed.

Sensors that systemd starts as units of their own have no supervisor: sudo systemctl reload 'penates@*'.
"""

import argparse

from bootstrap.supervisor.control_socket import NotRunning
from penates.console.arguments import house_arguments as arguments
from penates.console.supervisor_request import request

__all__ = ["arguments", "main"]


def main(given: argparse.Namespace) -> int:
    """Ask the supervisor."""
    try:
        return request(given, "reload")
    except NotRunning as error:
        raise NotRunning(f"{error}; to reload a unit: sudo systemctl reload penates@NAME") from None
