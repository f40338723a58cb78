"""`penates`: the operator's command."""

import argparse
import importlib
import sys
from collections.abc import Iterable

from bootstrap import __version__
from bootstrap.control import Unavailable
from bootstrap.errors import Exit, Fatal
from bootstrap.settings import SettingsError

NOT_WELL = 1

COMMANDS = ("start", "stop", "restart", "reload", "status", "check", "run", "nursery", "line", "safe")


def parser(names: Iterable[str] = COMMANDS) -> argparse.ArgumentParser:
    """All that may be said on the command line, or what these commands take."""
    top = argparse.ArgumentParser(prog="penates", description="Small daemons, one for each sensor of the house.")
    top.add_argument("--version", action="version", version=f"penates {__version__}")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name in names:
        command = importlib.import_module(f"penates.{name}")
        summary = (command.__doc__ or "").strip().splitlines()[0]
        own = commands.add_parser(name, help=summary, description=command.__doc__)
        own.formatter_class = argparse.RawDescriptionHelpFormatter
        command.arguments(own)
        own.set_defaults(main=command.main)
    return top


def main(argv: list[str] | None = None) -> int:
    """Run one sub-command; returns its exit code. Only its own module is loaded: a sensor's process stays small."""
    words = sys.argv[1:] if argv is None else argv
    known = [word for word in words[:1] if word in COMMANDS]
    given = parser(known or COMMANDS).parse_args(words)
    try:
        return int(given.main(given))
    except SettingsError as error:
        print(error, file=sys.stderr)
        return Exit.SETTINGS
    except Unavailable as error:
        print(f"penates {words[0]}: {error}", file=sys.stderr)
        return NOT_WELL
    except Fatal as error:
        print(f"penates: {error}", file=sys.stderr)
        return error.code


if __name__ == "__main__":
    sys.exit(main())
