"""Take over what changed in the configuration, and touch nothing else.

A sensor whose file changed is started anew, one whose file is new is started, one whose file is gone is stopped. A
change in house.toml reaches every sensor for which it means something. If anything is faulty, it says what, with file
and line, and nothing is changed.
"""

import argparse

from penates.common import house_arguments as arguments
from penates.common import request

__all__ = ["arguments", "main"]


def main(given: argparse.Namespace) -> int:
    """Ask the supervisor."""
    return request(given, "reload")
