"""The list of sub-commands and their argument parser."""

import argparse
import importlib
import shutil
import sys
import textwrap
from collections.abc import Iterable, Sequence
from types import ModuleType

from bootstrap import __version__
from bootstrap.config.toml_file import SettingsError
from bootstrap.errors import NOT_DONE, Exit, Fatal
from bootstrap.supervisor.control_socket import Unavailable
from penates.console.text import printable

# In the order of `penates --help`: try it, control the sensors, look at them, set up the house, run single processes.
COMMANDS = (
    "demo",
    "start",
    "stop",
    "restart",
    "reload",
    "status",
    "watch",
    "send",
    "history",
    "history delete",
    "history rename",
    "import",
    "backup",
    "restore",
    "init",
    "scan",
    "kinds",
    "new",
    "unknown",
    "adopt",
    "calibrate",
    "radio learn",
    "lcd shot",
    "install",
    "invite",
    "bridge invite",
    "bridge join",
    "bridge groups",
    "bridge status",
    "bridge remove",
    "upgrade",
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

USAGE = 2  # argparse's exit code for a wrong command line
ALIASES = {"line": "gpio", "nursery": "supervisor"}  # names of commands up to version 0.1
MODULES = {"import": "import_", "history delete": "history_delete", "history rename": "history_rename"}
MODULES |= {"radio learn": "radio_learn", "lcd shot": "lcd_shot"}
MODULES |= {f"bridge {name}": f"bridge_{name}" for name in ("invite", "join", "groups", "status", "remove")}


FIRST_STEPS = """\
penates: small daemons, one for each sensor of the house

  penates demo         see a house of nine sensors at work; its broker is killed once
  penates init         begin a house in this folder, and adopt what is connected
  penates check        check its settings
  penates supervisor   run it, until Ctrl-C
  penates watch        see what it measures
  penates scan         see what is connected to this machine
  penates kinds        see what can be connected, and how it is wired
  penates --help       see all commands
"""


def _filled(text: str) -> str:
    """Return paragraphs wrapped to the terminal's width; those with indented lines stay as they are."""
    width = shutil.get_terminal_size().columns - 2
    paragraphs = text.strip().split("\n\n")
    return "\n\n".join(part if "\n  " in f"\n{part}" else textwrap.fill(part, width) for part in paragraphs)


def parser(names: Iterable[str] = COMMANDS) -> argparse.ArgumentParser:
    """Return the parser of these sub-commands; only their modules are loaded."""
    top = argparse.ArgumentParser(
        prog="penates",
        description="Small daemons, one for each sensor of the house.",
        epilog="Run penates COMMAND --help for more about a command.",
    )
    top.add_argument("--version", action="version", version=f"penates {__version__}")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name in names:
        command = _module(name)
        summary = (command.__doc__ or "").strip().splitlines()[0]
        own = commands.add_parser(name, help=summary, description=_filled(command.__doc__ or ""), allow_abbrev=False)
        own.formatter_class = argparse.RawDescriptionHelpFormatter
        command.arguments(own)
        own.set_defaults(main=command.main)
    return top


def _module(name: str) -> ModuleType:
    """Return the module of a sub-command."""
    return importlib.import_module(f"penates.commands.{MODULES.get(name, name)}")


def parsed(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the arguments of one sub-command. Only its module is loaded, so a sensor's process stays small."""
    if not arguments:
        print(FIRST_STEPS, end="", file=sys.stderr)
        raise SystemExit(USAGE)
    words = [*(ALIASES.get(name, name) for name in arguments[:1]), *arguments[1:]]
    if " ".join(words[:2]) in COMMANDS:
        words[:2] = [" ".join(words[:2])]
    names = [name for name in words[:1] if name in COMMANDS]
    for name in names:
        words = getattr(_module(name), "prepared", list)(words)
    given = parser(names or COMMANDS).parse_args(words)
    given.command = words[0]
    return given


def carry_out(given: argparse.Namespace) -> int:
    """Run a sub-command, say why it could not do what it should, and return its exit code."""
    try:
        return int(given.main(given))
    except SettingsError as error:
        print(printable(str(error)), file=sys.stderr)
        return Exit.SETTINGS
    except Unavailable as error:
        print(printable(f"penates {given.command}: {error}"), file=sys.stderr)
        return NOT_DONE
    except Fatal as error:
        print(printable(f"penates {given.command}: {error}"), file=sys.stderr)
        return error.code
