"""Restore what `penates backup` has written: the configuration and the history.

  sudo penates restore /mnt/usb/penates.tar.gz
  sudo penates restore /mnt/usb/penates.tar.gz --replace --only history

The whole file is checked before anything is changed. Files that exist with another content are only replaced with
--replace; files that are not in the backup stay. A recorder that runs goes on in the restored history.
"""

import argparse
from pathlib import Path

from bootstrap.config.loader import DEFAULT_FOLDERS, usual_folder
from bootstrap.errors import Exit, Fatal
from penates.backup.archive import CONFIGURATION, HISTORY, Archive
from penates.backup.restoring import Restore
from penates.console.arguments import config_option
from penates.console.output import counted


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    config_option(parser)
    parser.add_argument("file", type=_file, metavar="FILE", help="such as penates.tar.gz")
    parser.add_argument("--replace", action="store_true", help="replace files that exist")
    parser.add_argument("--only", choices=[CONFIGURATION, HISTORY], help="restore only this part of it")


def _file(text: str) -> Path:
    file = Path(text)
    if file.exists() and not file.is_file():
        raise argparse.ArgumentTypeError(f"{text} is not a regular file")
    return file


def main(given: argparse.Namespace) -> Exit:
    """Check the file, restore it, and print what to do next."""
    folder = (given.config or usual_folder() or DEFAULT_FOLDERS[0]).absolute()
    try:
        with given.file.open("rb") as stream:
            restore = Restore(Archive(given.file, stream), folder, given.only)
            files, histories = [*restore.configuration], restore.histories()
            restore.carry_out(replace=given.replace)
    except OSError as error:
        raise Fatal(Exit.ABSENT, f"{error.filename}: {error.strerror}" if error.filename else str(error)) from None
    for file in histories.values():
        print(f"{file}: the history is restored; a recorder that runs goes on in it")
    if given.only != HISTORY:
        changed = f"{counted(len(files), 'file')} restored"
        print(f"{folder}: {changed}" + ("; next: penates check, and penates reload" if files else ""))
    return Exit.STOPPED
