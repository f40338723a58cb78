"""Set up this machine as a house of sensors, or update it: units, users, the broker and everything else.

  sudo penates install                            # with a broker of its own; run it again after each change
  sudo penates install --join attic.json          # the broker is on another machine, which has invited this one
  sudo penates install --broker 192.168.1.5 --username pi2

It shows each step, skips what is done already, and restarts only the sensors whose settings or code changed. --dry-run
shows the same steps, and changes nothing. The settings in /etc/penates are yours: they are written only once. From a
copy of the repository, `sudo scripts/install` first installs the programme itself into /opt/penates.
"""

import argparse
import getpass
import sys
from dataclasses import replace
from pathlib import Path

from bootstrap.config.model import a_certificate
from bootstrap.config.secrets import read_password
from bootstrap.device import this_host
from bootstrap.errors import Exit, Fatal
from bootstrap.supervisor.control_socket import Unavailable
from penates.console.output import counted
from penates.files.install_paths import COMMAND, HOUSE, SECRETS
from penates.fleet.access import host_and_port
from penates.installer.house_plan import HousePlan, OtherBroker, scratch
from penates.installer.install_record import InstallRecord
from penates.installer.installation import Installation
from penates.installer.invitation import Invitation
from penates.installer.requirements import require_root
from penates.installer.steps import only_shown
from penates.upgrade.house_changes import require_known_histories


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument("--dry-run", action="store_true", help="show every file and command, and change nothing")
    parser.add_argument(
        "--supervisor",
        "--nursery",  # its name up to version 0.1
        action=argparse.BooleanOptionalAction,
        help="one unit for all sensors, which takes less memory, or one for each (default: as before, else for each)",
    )
    parser.add_argument(
        "--watchdog",
        action=argparse.BooleanOptionalAction,
        help="have the hardware restart this machine if its kernel or systemd hangs for 15 s (default: as before)",
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--broker",
        type=host_and_port,
        metavar="HOST[:PORT]",
        help="use this broker instead of installing one; needs --username",
    )
    where.add_argument(
        "--join", type=Path, metavar="FILE", help="an invitation, from `penates invite` on the broker's machine"
    )
    parser.add_argument("--username", metavar="NAME", help="the user name of this machine's sensors at --broker")
    parser.add_argument(
        "--password-file", type=Path, metavar="FILE", help="its first line is the password (default: ask for it)"
    )
    parser.add_argument(
        "--ca-file", type=Path, metavar="FILE", help="the PEM certificate to trust at --broker; turns TLS on"
    )


def main(given: argparse.Namespace) -> int:
    """Plan the steps, show them and carry them out; then report the state of the sensors."""
    require_root(dry=given.dry_run)
    if not COMMAND.exists() and not given.dry_run:
        raise Fatal(
            Exit.SETTINGS, f"the programme is not in {COMMAND.parents[1]}: run sudo scripts/install in a copy of it"
        )
    try:
        with scratch() as folder:
            return _install(given, HousePlan(folder, _source(given)))
    except (OSError, LookupError) as error:
        raise Unavailable(str(error)) from None


def _install(given: argparse.Namespace, plan: HousePlan) -> int:
    require_known_histories(HOUSE)
    record = InstallRecord.read()
    record.one_unit = record.one_unit if given.supervisor is None else given.supervisor
    record.watchdog = record.watchdog if given.watchdog is None else given.watchdog
    installation = Installation(plan, record)
    count = installation.carry_out(dry=given.dry_run)
    if given.dry_run:
        return only_shown(count)
    print(f"{counted(count, 'step')} done; the sensors:" if count else "nothing to do; the sensors:")
    return installation.report()


def _source(given: argparse.Namespace) -> Invitation | OtherBroker | None:
    if not given.broker:
        _reject_broker_options(given)
    if given.join:
        invitation = Invitation.read(given.join)
        if invitation.machine != this_host():
            wanted = f"run sudo hostnamectl set-hostname {invitation.machine}, or invite this name"
            raise Fatal(Exit.SETTINGS, f"{given.join} is for {invitation.machine}, and this is {this_host()}: {wanted}")
        return invitation
    if not given.broker:
        return None
    if not given.username:
        raise Fatal(Exit.SETTINGS, "--broker needs --username, the name by which the sensors log in")
    certificate = given.ca_file and _certificate(given.ca_file)
    host, port = given.broker
    broker = OtherBroker(host=host, port=port, username=given.username, password=None, ca=certificate)
    return replace(broker, password=_password(given, SECRETS / broker.secret))


def _reject_broker_options(given: argparse.Namespace) -> None:
    """Raise Fatal if an option is given that has no effect without --broker."""
    for option in ("username", "password_file", "ca_file"):
        if getattr(given, option):
            raise Fatal(Exit.SETTINGS, f"--{option.replace('_', '-')} needs --broker HOST")


def _certificate(file: Path) -> bytes:
    try:
        a_certificate(file)
    except ValueError as error:
        raise Fatal(Exit.SETTINGS, f"--ca-file {file} must be {error}") from None
    return file.read_bytes()


def _password(given: argparse.Namespace, existing: Path) -> str | None:
    """Return the broker's password, or None to keep the `existing` file.

    It is never taken from the command line, where everybody could read it.
    """
    if given.password_file:
        try:
            return read_password(given.password_file)
        except (OSError, ValueError) as error:
            raise Fatal(Exit.SETTINGS, f"--password-file {given.password_file}: {error}") from None
    if existing.exists() or given.dry_run:
        return None
    if not sys.stdin.isatty():
        raise Fatal(
            Exit.SETTINGS, f"there is no terminal to ask for the password of {given.username}; use --password-file"
        )
    return getpass.getpass(f"password of {given.username} at {given.broker[0]}: ")
