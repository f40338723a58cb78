"""The reference of all commands, in Markdown, from the parsers and the docstrings of their modules."""

import argparse
import inspect
from collections.abc import Iterator

from penates.cli import ALIASES, COMMANDS, parser

REPEATS = {"*": "[{} …]", "+": "{} …", "?": "[{}]"}  # by `nargs`
EVERYWHERE = {"help", "config"}  # explained once, in the text of the page


def reference() -> str:
    """Return a table of all commands, then each with its arguments and options."""
    found = _commands()
    rows = [
        f"| [`penates {name}`](#penates-{name.replace(' ', '-')}) | {_paragraphs(one)[0]} |"
        for name, one in found.items()
    ]
    sections = ["\n".join(_section(name, one)) for name, one in found.items()]
    return "\n".join(["| command | what it does |", "| --- | --- |", *rows, "", *sections])


def _commands() -> dict[str, argparse.ArgumentParser]:
    choices = (action.choices for action in parser()._actions)  # noqa: SLF001 - argparse has no other way
    known = next(one for one in choices if isinstance(one, dict))
    return {name: known[name] for name in COMMANDS}


def _section(name: str, command: argparse.ArgumentParser) -> Iterator[str]:
    yield from (f"## penates {name}", "", f"    {' '.join([f'penates {name}', *_usage(command)])}", "")
    for paragraph in _paragraphs(command):
        yield from (paragraph, "")
    rows = [f"| {_cell(_shown(action))} | {action.help} |" for action in _actions(command)]
    if rows:
        yield from ("| argument | meaning |", "| --- | --- |", *rows, "")


def _paragraphs(command: argparse.ArgumentParser) -> list[str]:
    """Return the paragraphs of a command's docstring, with indented lines as code."""
    text = inspect.getdoc(inspect.getmodule(command.get_default("main"))) or ""
    return ["\n".join(_lines(paragraph)) for paragraph in text.strip().split("\n\n")]


def _lines(paragraph: str) -> Iterator[str]:
    """Yield the lines of a paragraph, with an empty one where indented lines, which are code, follow text."""
    text = False
    for line in paragraph.splitlines():
        code = line.startswith("  ")
        if code and text:
            yield ""
        yield f"  {line}" if code else line
        text = not code


def _actions(command: argparse.ArgumentParser) -> list[argparse.Action]:
    """Return the arguments, then the options, without those that every command has."""
    actions = [one for one in command._actions if one.dest not in EVERYWHERE]  # noqa: SLF001
    return sorted(actions, key=lambda one: bool(one.option_strings))


def _usage(command: argparse.ArgumentParser) -> Iterator[str]:
    """Yield each part of the command line; `|` stands between options that exclude each other."""
    actions = _actions(command)
    for option in (one for one in actions if one.option_strings):
        alternatives = _alternatives(command, option)
        if option is alternatives[0]:
            yield f"[{' | '.join(map(_name, alternatives))}]"
    yield from (_positional(one) for one in actions if not one.option_strings)


def _alternatives(command: argparse.ArgumentParser, option: argparse.Action) -> list[argparse.Action]:
    """Return the options of which only one can be given, `option` among them."""
    groups = (one._group_actions for one in command._mutually_exclusive_groups)  # noqa: SLF001
    return next(([one for one in group if one.option_strings] for group in groups if option in group), [option])


def _name(option: argparse.Action) -> str:
    return f"{_option_names(option)[0]} {_placeholder(option)}".strip()


def _option_names(option: argparse.Action) -> list[str]:
    """Return how an option can be written, without the names it had in earlier versions."""
    return [one for one in option.option_strings if one.removeprefix("--").removeprefix("no-") not in ALIASES]


def _placeholder(action: argparse.Action) -> str:
    """Return what stands for the value; nothing for an option without one."""
    if action.nargs == 0 or isinstance(action, argparse.BooleanOptionalAction):
        return ""
    choices = f"{{{','.join(map(str, action.choices))}}}" if action.choices else action.dest.upper()
    return str(action.metavar or choices)


def _positional(action: argparse.Action) -> str:
    return REPEATS.get(str(action.nargs), "{}").format(_placeholder(action))


def _shown(action: argparse.Action) -> str:
    names = ", ".join(_option_names(action))
    return f"{names} {_placeholder(action)}".strip()


def _cell(text: str) -> str:
    """Return text as code in a cell of a table."""
    escaped = text.replace("|", r"\|")
    return f"`{escaped}`"
