"""All sub-commands, and what may be said to them."""

import argparse
import importlib
import shutil
import textwrap
from collections.abc import Iterable

from bootstrap import __version__

# In the order of `penates --help`: look after the house, look at it, set it up, and one process at a time.
COMMANDS = (
    "start",
    "stop",
    "restart",
    "reload",
    "status",
    "watch",
    "send",
    "history",
    "import",
    "kinds",
    "new",
    "install",
    "invite",
    "uninstall",
    "check",
    "certs",
    "doctor",
    "prune",
    "gpio",
    "run",
    "supervisor",
    "safe",
    "completion",
)

ALIASES = {"line": "gpio", "nursery": "supervisor"}  # what commands were called up to version 0.1
MODULES = {"import": "import_"}  # where the name of a command cannot be one in Python


def _filled(text: str) -> str:
    """As wide as the terminal; lines that are indented stay as they are."""
    width = shutil.get_terminal_size().columns - 2
    paragraphs = text.strip().split("\n\n")
    return "\n\n".join(part if "\n  " in f"\n{part}" else textwrap.fill(part, width) for part in paragraphs)


def parser(names: Iterable[str] = COMMANDS) -> argparse.ArgumentParser:
    """Of these sub-commands; only their modules are loaded."""
    top = argparse.ArgumentParser(
        prog="penates",
        description="Small daemons, one for each sensor of the house.",
        epilog="penates COMMAND --help says more of each.",
    )
    top.add_argument("--version", action="version", version=f"penates {__version__}")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name in names:
        command = importlib.import_module(f"penates.commands.{MODULES.get(name, name)}")
        summary = (command.__doc__ or "").strip().splitlines()[0]
        own = commands.add_parser(name, help=summary, description=_filled(command.__doc__ or ""), allow_abbrev=False)
        own.formatter_class = argparse.RawDescriptionHelpFormatter
        command.arguments(own)
        own.set_defaults(main=command.main)
    return top
