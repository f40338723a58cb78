"""Show what this version of penates changes for the house, and rewrite settings that were renamed.

  sudo penates upgrade --check          # changes nothing
  sudo penates upgrade --check --notes  # with all that is new
  sudo penates upgrade

Of what breaks, --check shows what this house may notice: entries about kinds and databases that it does not have are
counted. Settings are rewritten with their comments and layout, and a copy of each file is kept beside it. A history
that a newer version has written is reported before anything is changed. The exit code is 0 if nothing stands in the
way, 1 if --check found settings to rewrite, and 78 if this version does not accept the configuration or the history.
"""

import argparse
import textwrap
from collections.abc import Iterable, Sequence

from bootstrap.config.loader import folder_or_default
from bootstrap.errors import NOT_DONE, Exit, Fatal
from penates.console.arguments import config_option
from penates.console.text import printable
from penates.installer.install_record import InstallRecord
from penates.upgrade.house_changes import UpgradedHouse, require_known_histories
from penates.upgrade.installed_changes import installed_changes, is_installed
from penates.upgrade.release_notes import Note, later, numbers, this_version
from penates.upgrade.renamed_settings import RewrittenFile, renamed_settings

UNKNOWN = "0.2.0"  # the last version that left no record
WIDTH = 118


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    config_option(parser)
    parser.add_argument("--check", action="store_true", help="show what changes, and change nothing")
    parser.add_argument("--notes", action="store_true", help="show all that is new since, not only what breaks")
    since = "the version that the house was set up with (default: what `penates install` recorded, else 0.2.0)"
    parser.add_argument("--since", type=_version, metavar="VERSION", help=since)


def _version(text: str) -> str:
    try:
        numbers(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"enter {error}") from None
    return text


def main(given: argparse.Namespace) -> int:
    """Show what changes; rewrite settings unless that is all."""
    house = UpgradedHouse(folder_or_default(given.config))
    try:
        if not given.check:
            require_known_histories(house.folder)
        rewritten = renamed_settings(house.folder)
        return _check(house, given, rewritten) if given.check else _rewrite(house, rewritten)
    except OSError as error:
        raise Fatal(Exit.ABSENT, str(error)) from None


def _rewrite(house: UpgradedHouse, rewritten: Sequence[RewrittenFile]) -> int:
    for one in rewritten:
        copy = one.write(this_version())
        _show("", one.settings)
        print(f"  {house.folder / one.file.file} is rewritten; as it was: {copy.name}")
    if not rewritten:
        print(f"{house.folder}: no setting was renamed; nothing to rewrite")
    faults = house.faults()
    _show("this version does not accept", faults)
    return Exit.SETTINGS if faults else Exit.STOPPED


def _check(house: UpgradedHouse, given: argparse.Namespace, rewritten: Sequence[RewrittenFile]) -> int:
    installed = is_installed(house.folder)
    before = given.since or (InstallRecord.read().version if installed else "") or UNKNOWN
    print(f"{house.folder}: from penates {before} to {this_version()}")
    _show_notes(house, before, every=given.notes)
    settings = [setting for one in rewritten for setting in one.settings]
    _show("settings that `penates upgrade` rewrites", settings)
    renamed = {(one.file, one.line) for one in settings}
    faults = [one for one in house.faults() if (one.file, one.line) not in renamed]
    _show("this version does not accept", faults)
    newer = house.newer_histories()
    _show("the history is of a newer version", newer)
    _show("history", house.histories())
    _show("what moves by itself", house.moved_folders())
    if installed:
        _show("sudo penates install would", installed_changes())
    print("next: " + ("what this version does not accept" if faults or newer else _next(given, bool(settings))))
    return Exit.SETTINGS if faults or newer else NOT_DONE if settings else Exit.STOPPED


def _next(given: argparse.Namespace, settings: bool) -> str:
    config = f" --config {given.config}" if given.config else ""
    first = f"penates upgrade{config}, then " if settings else ""
    return f"penates backup{config} FILE, then {first}what docs/UPGRADING.md says of these versions"


def _show_notes(house: UpgradedHouse, before: str, *, every: bool) -> None:
    if numbers(before) > numbers(this_version()):
        print(f"this is a downgrade: {before} is newer than this version, which does not know what that has changed")
    for release in later(before):
        notes = [*release.notes] if every else house.concerning(release)
        left_out = len(release.breaks) - len(notes)
        more = f"; {left_out} more concern what it does not have" if left_out > 0 else ""
        _show(
            f"what {release.version} ({release.date}) changes for this house{more}",
            [_worded(note, every=every) for note in notes],
        )


def _worded(note: Note, *, every: bool) -> str:
    return f"- {note.section}: {note.text}" if every else f"- {note.text}"


def _show(title: str, lines: Iterable[object]) -> None:
    """Print lines below a title; nothing if there are none."""
    found = [printable(str(line)) for line in lines]
    if found and title:
        print(f"{title}:")
    for line in found:
        note = line.startswith("- ")
        print(textwrap.fill(line, WIDTH, initial_indent="  ", subsequent_indent="    ") if note else f"  {line}")
