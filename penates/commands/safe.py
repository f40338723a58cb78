"""Set the outputs of one sensor to their safe value, after its process was killed: for a unit's ExecStopPost.

It takes the lines, sets them and lets go; then the pull resistor holds them (see the wiring of the kind).
"""

import argparse

from bootstrap.config.loader import folder_or_default, load
from bootstrap.errors import Exit
from bootstrap.runtime.safe_outputs import make_safe
from penates.console.arguments import sensor_arguments as arguments

__all__ = ["arguments", "main"]


def main(given: argparse.Namespace) -> Exit:
    """Set the outputs to safe values. Secrets are not read: a unit no longer has its credentials at this point."""
    return make_safe(load(folder_or_default(given.config), given.name, secrets=False))
