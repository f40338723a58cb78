"""Stop sensors in order, or all and their supervisor.

What they have read is delivered first, if there is a broker to deliver it to. A sensor that was stopped by name stays
so until it is started by name, or with all.
"""

import argparse

from penates.common import names_arguments as arguments
from penates.common import request

__all__ = ["arguments", "main"]


def main(given: argparse.Namespace) -> int:
    """Ask the supervisor."""
    return request(given, "stop")
