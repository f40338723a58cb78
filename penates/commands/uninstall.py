"""Remove what `penates install` put on this machine: processes, units, users, the broker's settings.

The settings and secrets in /etc/penates stay, and so does the sensors' state in /var/lib/penates, including the
history: a new installation continues from there. --purge removes them, too.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

from bootstrap.config.loader import state_of
from bootstrap.errors import Exit
from bootstrap.supervisor.control_socket import Unavailable
from penates.console.output import counted
from penates.files.install_paths import HOUSE, ON_PATH, PACKAGED, PROGRAM, RECORD, RUNTIME, STATE, UNITS
from penates.installer import broker_steps, guest_steps, host_setup, machine_watchdog, systemd_steps, unit_files
from penates.installer.install_record import InstallRecord
from penates.installer.requirements import require_root
from penates.installer.steps import CommandStep, Remove, Step, carry_out

STAMPS = Path("/var/lib/systemd/timers")  # where systemd records when a timer last elapsed


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument("--dry-run", action="store_true", help="show each step, and change nothing")
    parser.add_argument("--purge", action="store_true", help="remove the settings, the secrets and the history, too")
    kept = "leave the packages that `penates install` has installed, such as mosquitto, which then does not run"
    parser.add_argument("--keep-packages", action="store_true", help=kept)


def main(given: argparse.Namespace) -> Exit:
    """Show each step, and carry it out."""
    require_root(dry=given.dry_run)
    record = InstallRecord.read()
    folders = [HOUSE, *dict.fromkeys([STATE, state_of(HOUSE) or STATE])]  # a state folder elsewhere is never purged
    try:
        packages = not given.keep_packages
        steps = [*_steps(record, purge=given.purge, packages=packages), *(_purge() if given.purge else ())]
        count = carry_out(steps, record.begin, dry=given.dry_run)
    except (OSError, LookupError) as error:  # a file may belong to a user that is gone
        raise Unavailable(str(error)) from None
    kept = [str(folder) for folder in folders if folder.exists()]
    print(
        "nothing was changed"
        if given.dry_run
        else f"{counted(count, 'step')} done; kept: {', '.join(kept) or 'nothing'}"
    )
    return Exit.STOPPED


def _steps(record: InstallRecord, *, purge: bool, packages: bool) -> Iterator[Step]:
    """Yield all steps, from the sensors down to the programme that runs them, unless it is a Debian package's."""
    _, timer = unit_files.CERTIFICATES
    units = [*systemd_steps.remove_units([]), *systemd_steps.unwanted_power([])]
    ended = [*units, *_disabled(unit_files.TARGET_ENABLED), *_disabled(unit_files.CERTIFICATES_ENABLED)]
    files = [
        Remove(UNITS / name)
        for name in (unit_files.TARGET, unit_files.SUPERVISOR, unit_files.TEMPLATE, *unit_files.CERTIFICATES)
    ]
    folders = [Remove(UNITS / f"{name}.d") for name in (unit_files.SUPERVISOR, unit_files.TEMPLATE)]
    removed = [*ended, *files, *folders, *machine_watchdog.unwanted()]
    yield from (*removed, host_setup.daemon_reload(removed, record))
    yield from broker_steps.remove_broker(record, purge=purge, packages=packages)
    yield from guest_steps.leave(record)
    yield from host_setup.echo(needed=False)
    yield from host_setup.remove_user()
    yield from host_setup.remove_mosquitto_sub_options(record)
    programme = RECORD if PACKAGED.exists() else PROGRAM
    yield from map(Remove, [RUNTIME, STAMPS / f"stamp-{timer}", ON_PATH, programme])


def _disabled(link: Path) -> Iterator[Step]:
    because = "enabled" if link.is_symlink() else ""
    yield CommandStep(["systemctl", "disable", "--now", link.name], lambda: because)


def _purge() -> Iterator[Step]:
    """Yield the steps that remove the settings, the secrets and the state."""
    yield from map(Remove, (HOUSE, STATE))
