"""Take over what changed in the configuration, and touch nothing else.

A sensor whose file changed takes that over as it runs, one whose file is new is started, one whose file is gone is
stopped; one that gets another sensor id or group is started anew. A change in house.toml reaches every sensor for which
it means something. If anything is faulty, it says what, with file and line, and nothing is changed.

Sensors that systemd starts itself, each by a unit of its own, have no supervisor: sudo systemctl reload 'penates@*'.
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
        raise NotRunning(f"{error}; units are reloaded by: sudo systemctl reload penates@NAME") from None
