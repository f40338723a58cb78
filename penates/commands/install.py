"""Set up this machine as a house of sensors, or update it: units, users, the broker and everything else.

  sudo penates install                            # with a broker of its own; run it again after each change
  sudo penates install --join attic.json          # the broker is on another machine, which has invited this one
  sudo penates install --broker 192.168.1.5       # beside the broker you have; --username NAME if it wants one

It shows each step, skips what is done already, and restarts only the sensors whose settings or code changed. --dry-run
shows the same steps, and changes nothing. The settings in /etc/penates are yours: they are written only once. From a
copy of the repository, `sudo scripts/install` first installs the programme itself into /opt/penates.
"""

import argparse
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from bootstrap.config.loader import HOUSE as HOUSE_FILE
from bootstrap.config.model import LOCAL, House
from bootstrap.config.secrets import read_password
from bootstrap.device import this_host
from bootstrap.errors import Exit, Fatal
from bootstrap.supervisor.control_socket import Unavailable
from penates.broker.local_mosquitto import in_use, local_mosquitto
from penates.broker.mosquitto_files import CONF_D
from penates.broker.taken_over import brought_along, put_aside
from penates.console.arguments import ca_certificate, given_password
from penates.console.output import counted
from penates.console.questions import ask_password
from penates.doctor.broker_promises import OtherBrokerCheck
from penates.doctor.findings import Verdict
from penates.doctor.reachability import reach
from penates.files.install_paths import COMMAND, HOUSE, MOSQUITTO, SECRETS
from penates.fleet.access import host_and_port
from penates.installer.broker_steps import clients
from penates.installer.house_plan import HouseChanges, HousePlan, first_group, scratch
from penates.installer.install_record import InstallRecord
from penates.installer.installation import Installation
from penates.installer.invitation import Invitation
from penates.installer.other_broker import OtherBroker
from penates.installer.requirements import require_root
from penates.installer.steps import only_shown
from penates.upgrade.house_changes import require_known_histories

OURS = [MOSQUITTO / "conf.d" / name for name in CONF_D]


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
    _broker_arguments(parser)


def _broker_arguments(parser: argparse.ArgumentParser) -> None:
    """Add those that say which broker is used, and how."""
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--broker",
        type=host_and_port,
        metavar="HOST[:PORT]",
        help="use this broker, and leave it as it is, instead of installing one",
    )
    where.add_argument(
        "--join", type=Path, metavar="FILE", help="an invitation, from `penates invite` on the broker's machine"
    )
    parser.add_argument(
        "--take-over",
        action="store_true",
        help="if others use the Mosquitto on this machine: make it ours, with a password for everybody",
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
            return _install(given, HousePlan(folder, _source(given), changes=_taken_over(given)))
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
    code = installation.report()
    if plan.house.broker.of_others:
        _tell_what_it_lacks(plan.house)
    return code


def _tell_what_it_lacks(house: House) -> None:
    """Print what the broker of somebody else lacks for what penates promises; `penates doctor` finds the same."""
    found, host = reach(house.broker)
    found += OtherBrokerCheck(house, HOUSE, host).findings() if host else ()
    if lacking := [one for one in found if one.verdict is not Verdict.GOOD]:
        print("what the broker lacks for all that penates promises:")
    for one in lacking:
        print(f"  {one.check}: {one.text}\n    -> {one.advice}")


def _taken_over(given: argparse.Namespace) -> HouseChanges | None:
    """Return what changes if a Mosquitto that others use becomes ours."""
    if not given.take_over:
        return None
    settings: dict[tuple[str, str], str | None] = {
        ("broker", key): None for key in ("managed", "host", "port", "username")
    }
    settings |= {("broker", "password_file"): "secrets/{sensor}"}
    files = [*brought_along(MOSQUITTO, OURS)]
    return HouseChanges(settings=settings, files=files, taken=put_aside(MOSQUITTO, OURS))


def _source(given: argparse.Namespace) -> Invitation | OtherBroker | None:
    if not given.broker:
        _reject_broker_options(given)
    elif given.take_over:
        raise Fatal(Exit.SETTINGS, "--take-over makes the Mosquitto on this machine ours: leave out --broker")
    if given.join:
        invitation = Invitation.read(given.join)
        if invitation.machine != this_host():
            wanted = f"run sudo hostnamectl set-hostname {invitation.machine}, or invite this name"
            raise Fatal(Exit.SETTINGS, f"{given.join} is for {invitation.machine}, and this is {this_host()}: {wanted}")
        return invitation
    if not given.broker:
        return None if given.take_over else _beside()
    if not given.username and given.broker[0] in LOCAL and (found := local_mosquitto(MOSQUITTO, OURS, given.broker[1])):
        return _looked_at(OtherBroker.beside(found), None)
    if given.password_file and not given.username:
        raise Fatal(Exit.SETTINGS, "--password-file needs --username NAME, the user whose password it is")
    certificate = given.ca_file and ca_certificate(given.ca_file)
    host, port = given.broker
    broker = OtherBroker(host=host, port=port, username=given.username, ca=certificate)
    if broker.secret:
        broker = replace(broker, password=_password(given, SECRETS / broker.secret))
    return _looked_at(broker, given.ca_file)


def _beside() -> OtherBroker | None:
    """Return the Mosquitto that others use on this machine, if a new house has to come in beside them."""
    if (HOUSE / HOUSE_FILE).exists() or not (in_use(MOSQUITTO, OURS) or clients()):
        return None
    found = local_mosquitto(MOSQUITTO, OURS)
    if found is None:
        return None
    print(f"others use the Mosquitto on this machine, so it stays as it is: we use its listener on port {found.port}")
    return _looked_at(OtherBroker.beside(found), None)


def _looked_at(broker: OtherBroker, ca_file: Path | None) -> OtherBroker:
    """Return a broker as it was found; one that cannot be reached yet may be there later."""
    if broker.each:  # we have no user there yet
        return broker
    with suppress(OSError, ValueError):  # in a dry run, or for another user than before
        known = broker.password or (read_password(SECRETS / broker.secret) if broker.secret else None)
        found, why = broker.looked_at(first_group(), ca_file, known)
        if why:
            print(f"cannot look at the broker: {why}", file=sys.stderr)
        return found
    return broker


def _reject_broker_options(given: argparse.Namespace) -> None:
    """Raise Fatal if an option is given that has no effect without --broker."""
    for option in ("username", "password_file", "ca_file"):
        if getattr(given, option):
            raise Fatal(Exit.SETTINGS, f"--{option.replace('_', '-')} needs --broker HOST")


def _password(given: argparse.Namespace, existing: Path) -> str | None:
    """Return the broker's password, or None to keep the `existing` file.

    It is never taken from the command line, where everybody could read it.
    """
    if given.password_file:
        return given_password(given.password_file)
    if existing.exists() or given.dry_run:
        return None
    if not sys.stdin.isatty():
        raise Fatal(
            Exit.SETTINGS, f"there is no terminal to ask for the password of {given.username}; use --password-file"
        )
    return ask_password(f"{given.username} at {given.broker[0]}")
