"""Set the outputs of sensors to their safe values after their process was killed, as a unit's ExecStopPost.

It requests the lines, sets them and releases them; then the pull resistor holds them (see the kind's wiring). Without a
name it does so for each sensor that may drive a line. One that runs is left alone.
"""

import argparse

from bootstrap.config.loader import Configuration, folder_or_default
from bootstrap.config.toml_file import SettingsError
from bootstrap.errors import Exit
from bootstrap.needs import may_drive
from bootstrap.runtime.safe_outputs import make_safe
from penates.console.arguments import config_option


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    config_option(parser)
    parser.add_argument("names", nargs="*", default=[], metavar="NAME", help="sensor's file in devices/ (default: all)")


def main(given: argparse.Namespace) -> Exit:
    """Set the outputs to safe values. Secrets are not read: a unit no longer has its credentials at this point."""
    configuration = Configuration(folder_or_default(given.config), secrets=False)
    found = configuration.all(given.names).values()
    ends = [make_safe(one) for one in found if given.names or may_drive(one.device)]
    if faults := {*configuration.faults}.difference(configuration.minor):
        raise SettingsError(sorted(faults))
    return max(ends, default=Exit.STOPPED)
