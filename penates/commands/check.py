"""Check the whole configuration, and open nothing.

Every fault is shown at once, with its file and line. The exit code is 0, or 78 if there is a fault. With NAMEs, only
their files and house.toml are checked, as `systemctl reload` of a unit does. Files that are ignored because they are
set aside, such as devices/lamp.toml.bak, are shown, too.

With --usable, a gateway that can run without the sensors that have faults is none: those faults are only shown.
"""

import argparse
import sys

from bootstrap.config.loader import Configuration, check, folder_or_default
from bootstrap.errors import Exit
from bootstrap.history.topic_settings import TopicSettings
from penates.console.arguments import config_option
from penates.console.output import counted

SHARE = "whoever guesses the name `share` takes readings that are then lost; use a random one: openssl rand -hex 16"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    config_option(parser)
    parser.add_argument("--no-secrets", action="store_true", help="skip passwords, which perhaps only sensors can read")
    parser.add_argument("--usable", action="store_true", help="a gateway may lack sensors that have faults")
    parser.add_argument("names", nargs="*", metavar="NAME", help="a sensor's file in devices/ (default: all)")


def main(given: argparse.Namespace) -> Exit:
    """Print the devices, or raise SettingsError with every fault."""
    folder = folder_or_default(given.config)
    for note in [] if given.names else Configuration(folder).notes:
        print(note, file=sys.stderr)
    minor: list[str] = []

    def show(fault: object) -> None:
        minor.append(str(fault))
        print(fault, file=sys.stderr)

    found = check(folder, given.names, secrets=not given.no_secrets, minor=show if given.usable else None)
    for settings in found:
        if isinstance(settings.device, TopicSettings) and settings.device.is_share_guessable:
            print(f"{settings.file}: {SHARE}", file=sys.stderr)
        print(f"{settings.topics.client_id}: {settings.kind}")
    print(f"{folder}: {counted(len(found), 'device')}, {counted(len(minor), 'fault') if minor else 'no faults'}")
    return Exit.STOPPED
