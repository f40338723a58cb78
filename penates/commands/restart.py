"""Restart sensors with their current settings.

If those have faults, they are reported and nothing is stopped. The supervisor keeps running: after an upgrade of
penates itself, run `penates stop` and `penates start`.
"""

import argparse

from penates.console.arguments import names_arguments as arguments
from penates.console.supervisor_request import request

__all__ = ["arguments", "main"]


def main(given: argparse.Namespace) -> int:
    """Ask the supervisor."""
    return request(given, "restart")
