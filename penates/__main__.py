"""`penates`: the operator's command."""

import argparse
import sys

from bootstrap import __version__
from bootstrap.errors import Exit
from bootstrap.settings import SettingsError
from penates import check, line, run, safe

COMMANDS = (run, check, line, safe)


def parser() -> argparse.ArgumentParser:
    """All that may be said on the command line."""
    top = argparse.ArgumentParser(prog="penates", description="Small daemons, one for each sensor of the house.")
    top.add_argument("--version", action="version", version=f"penates {__version__}")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        summary = (command.__doc__ or "").strip().splitlines()[0]
        own = commands.add_parser(command.NAME, help=summary, description=command.__doc__)
        own.formatter_class = argparse.RawDescriptionHelpFormatter
        command.arguments(own)
        own.set_defaults(main=command.main)
    return top


def main(argv: list[str] | None = None) -> int:
    """Run one sub-command; returns its exit code."""
    arguments = parser().parse_args(argv)
    try:
        return int(arguments.main(arguments))
    except SettingsError as error:
        print(error, file=sys.stderr)
        return Exit.SETTINGS


if __name__ == "__main__":
    sys.exit(main())
