"""Start sensors anew, by their settings as they are now.

If those are faulty, it says why and stops nothing. The supervisor stays: after an upgrade of penates itself, say
`penates stop` and `penates start`.
"""

import argparse

from penates.console.arguments import names_arguments as arguments
from penates.console.supervisor_request import request

__all__ = ["arguments", "main"]


def main(given: argparse.Namespace) -> int:
    """Ask the supervisor."""
    return request(given, "restart")
