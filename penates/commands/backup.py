"""Write the configuration and the history of this house to one file, while everything runs.

  sudo penates backup /mnt/usb/penates.tar.gz
  sudo penates backup /mnt/usb/penates.tar.gz --secrets

The file is a tar.gz with a list of checksums, which only its owner may read. It is complete or not there, and replaces
an older one of that name. Passwords, tokens and private keys are in it only with --secrets. What a recorder stores in a
database is not in it: databases have tools for that. `penates restore` is the way back.
"""

import argparse

from bootstrap.config.loader import folder_or_default
from bootstrap.errors import Exit, Fatal
from penates.backup.making import Backup
from penates.console.arguments import config_option, output_file
from penates.console.output import counted


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    config_option(parser)
    parser.add_argument("file", type=output_file, metavar="FILE", help="such as penates.tar.gz")
    parser.add_argument("--secrets", action="store_true", help="with passwords, tokens and private keys")
    parser.add_argument("--no-history", action="store_true", help="without the history")


def main(given: argparse.Namespace) -> Exit:
    """Write the file, and print what is in it and what is not."""
    backup = Backup(folder_or_default(given.config).absolute(), given.secrets, not given.no_history)
    try:
        backup.write(given.file.absolute())
    except OSError as error:
        raise Fatal(Exit.ABSENT, f"{error.filename}: {error.strerror}" if error.filename else str(error)) from None
    files = f"{counted(len(backup.configuration), 'file')} of the configuration"
    print(f"{given.file}:", ", ".join([files, *(one.name for one in backup.histories)]))
    for one in backup.left_out:
        print(f"not in it: {one}")
    return Exit.STOPPED
