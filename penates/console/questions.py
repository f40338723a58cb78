"""Questions to whoever sits at the terminal."""

import getpass
import sys
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path

from bootstrap.config.toml_file import convert
from bootstrap.errors import Exit, Fatal
from penates.datasheet import Setting, Sheet
from penates.files.new_device import as_toml

YES, NO = ("y", "yes"), ("n", "no")


def can_ask() -> bool:
    """Return whether somebody sits at a terminal who can be asked."""
    return sys.stdin.isatty()


def ask(what: str, usual: str = "", problem: Callable[[str], str] = lambda _: "") -> str:
    """Return the answer to a question, or what is usual if it is empty; ask again while there is a problem with it."""
    while True:
        try:
            typed = input(f"{what}{f' [{usual}]' if usual else ''}: ").strip() or usual
        except EOFError:
            return usual
        if not (why := _unreadable(typed) or problem(typed)):
            return typed
        print(why)


def _unreadable(typed: str) -> str:
    """Return what is wrong with bytes that the terminal's encoding does not know, or empty text."""
    return "" if typed.isascii() or not any("\ud800" <= one <= "\udfff" for one in typed) else "that is no UTF-8"


def ask_password(whose: str) -> str:
    """Return a password that is typed unseen.

    Raises:
        Fatal: none was typed, or not as UTF-8.
    """
    try:
        return getpass.getpass(f"Password of {whose}: ")
    except (EOFError, UnicodeDecodeError):
        raise Fatal(Exit.SETTINGS, f"the password of {whose} was not entered; nothing was done") from None


def ask_whether(what: str, *, usual: bool) -> bool:
    """Return whether something is wanted."""
    wrong = lambda typed: "" if typed.lower() in (*YES, *NO) else "enter y or n"  # noqa: E731
    return ask(f"{what} (y/n)", "y" if usual else "n", wrong).lower() in YES


def ask_settings(found: Sheet, values: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Ask for each setting that has no default and no value, and return the answers in TOML."""
    wanted = [setting for setting in found.settings if setting.required and setting.name not in values]
    answers = ((setting.name, _ask_setting(setting, folder)) for setting in wanted)
    return {name: answer for name, answer in answers if answer}


def _ask_setting(setting: Setting, folder: Path) -> str:
    def problem(typed: str) -> str:
        try:
            if answer := as_toml(typed, setting.hint, folder) if typed else "":
                convert(tomllib.loads(f"value = {answer}")["value"], setting.hint, folder)
        except ValueError as error:
            return f"it must be {error}"
        return ""

    typed = ask(f"{setting.name}{f' ({setting.comment})' if setting.comment else ''}", problem=problem)
    return as_toml(typed, setting.hint, folder) if typed else ""
