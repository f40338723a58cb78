"""Print a script that lets a shell complete penates' commands, options, sensors, kinds and parts.

  penates completion bash >~/.local/share/bash-completion/completions/penates
  penates completion zsh >~/.zfunc/_penates        # with fpath=(~/.zfunc $fpath) in ~/.zshrc

The sensors are those of the house in --config, else of the usual one.
"""

import argparse
import re

import shtab

from bootstrap.config import kinds
from bootstrap.errors import Exit
from penates.cli import COMMANDS, parser
from penates.parts import parts

SHELLS = ("bash", "zsh")
SENSORS = dict.fromkeys(SHELLS, "_penates_sensors")
KINDS = dict.fromkeys(SHELLS, "_penates_kinds")
# Lists the sensors of the house in --config, else of the usual house, without starting Python.
LIST = r"""
_penates_devices() {
  local house="" word before=""
  for word in "$@"; do
    [ "$before" = --config ] && house=$word
    before=$word
  done
  for house in "$house" /etc/penates config; do
    [ -n "$house" ] && [ -d "$house/devices" ] && break
  done
  (cd "$house/devices" 2>/dev/null && ls | sed -n 's/^\([A-Za-z0-9_-]*\)\.toml$/\1/p')
}
"""
PART = re.compile(r"[\w.-]+")  # one that needs no quotes


def preamble() -> dict[str, str]:
    """Return, for each shell, what lists sensors, and the kinds with the parts that they serve."""
    words = " ".join([*kinds.names(), *sorted({one.part for one in parts() if PART.fullmatch(one.part)})])
    bash = '_penates_sensors() { compgen -W "$(_penates_devices "${COMP_WORDS[@]}")" -- "$1"; }\n'
    zsh = "_penates_sensors() { compadd -- $(_penates_devices $words); }\n"
    return {
        "bash": f'{LIST}{bash}_penates_kinds() {{ compgen -W "{words}" -- "$1"; }}\n',
        "zsh": f"{LIST}{zsh}_penates_kinds() {{ compadd -- {words}; }}\n",
    }


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument("shell", choices=SHELLS, help="the shell")


def main(given: argparse.Namespace) -> Exit:
    """Print the completion script."""
    whole = parser(name for name in COMMANDS if " " not in name)  # shtab knows no names of two words
    for action in _actions(whole):
        if action.metavar in ("NAME", "SENSOR"):
            action.complete = SENSORS  # type: ignore[attr-defined]  # where shtab looks
        elif action.metavar == "KIND":
            action.complete = KINDS  # type: ignore[attr-defined]
        elif action.metavar == "DIR":
            action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
        elif action.metavar == "FILE":
            action.complete = shtab.FILE  # type: ignore[attr-defined]
    print(shtab.complete(whole, given.shell, preamble=preamble()[given.shell]))
    return Exit.STOPPED


def _actions(whole: argparse.ArgumentParser) -> list[argparse.Action]:
    """Return every argument of a parser and of its sub-commands."""
    found = []
    for action in whole._actions:  # noqa: SLF001 - argparse has no other way to ask
        found.append(action)
        if isinstance(action.choices, dict):
            found += [own for choice in action.choices.values() for own in _actions(choice)]
    return found
