"""Set the outputs of one sensor to their safe values after its process was killed, as a unit's ExecStopPost.

It requests the lines, sets them and releases them; then the pull resistor holds them (see the kind's wiring).
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
