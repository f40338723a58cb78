"""Take off this machine what `penates install` has put on it: processes, units, users, the broker's settings.

The settings and secrets in /etc/penates and what the sensors keep in /var/lib/penates, the history with it, stay: a
new install goes on from there. With --purge they go, too.
"""

import argparse
import os
from collections.abc import Iterator
from pathlib import Path

from bootstrap.config import state_of
from bootstrap.control import Unavailable
from bootstrap.errors import Exit, Fatal
from penates import machine, services, units
from penates.install import ROOT_ONLY
from penates.layout import HOUSE, ON_PATH, PROGRAM, RUNTIME, STATE, UNITS
from penates.record import Record
from penates.steps import Command, Remove, Step, carry_out

STAMPS = Path("/var/lib/systemd/timers")  # where systemd keeps when a timer was last due


def arguments(parser: argparse.ArgumentParser) -> None:
    """What this command takes."""
    parser.add_argument("--dry-run", action="store_true", help="show it, and do nothing")
    parser.add_argument("--purge", action="store_true", help="the settings, the secrets and the history, too")


def main(given: argparse.Namespace) -> Exit:
    """Show each step, and do it."""
    if os.geteuid() and not given.dry_run:
        raise Fatal(Exit.SETTINGS, ROOT_ONLY)
    record = Record.read()
    places = [HOUSE, *dict.fromkeys([STATE, state_of(HOUSE) or STATE])]  # that of one's own is not ours to purge
    try:
        steps = [*_steps(record, purge=given.purge), *(_purge() if given.purge else ())]
        count = carry_out(steps, record.begin, dry=given.dry_run)
    except OSError as error:
        raise Unavailable(str(error)) from None
    kept = [str(place) for place in places if place.exists()]
    print("nothing was done" if given.dry_run else f"{count} done; kept: {', '.join(kept) or 'nothing'}")
    return Exit.STOPPED


def _steps(record: Record, *, purge: bool) -> Iterator[Step]:
    """From the sensors down to the programme, which is us."""
    _, timer = units.CERTIFICATES
    ended = [*services.gone([]), *_off(units.TARGET), *_off(timer)]
    files = [Remove(UNITS / name) for name in (units.TARGET, units.NURSERY, units.TEMPLATE, *units.CERTIFICATES)]
    folders = [Remove(UNITS / f"{name}.d") for name in (units.NURSERY, units.TEMPLATE)]
    yield from (*ended, *files, *folders, machine.after_all([*ended, *files, *folders], record))
    yield from services.no_broker(record, purge=purge)
    yield from machine.no_user()
    yield from machine.not_looking(record)
    yield from map(Remove, [RUNTIME, STAMPS / f"stamp-{timer}", ON_PATH, PROGRAM])


def _off(unit: str) -> Iterator[Step]:
    because = "enabled" if (UNITS / unit).exists() else ""
    yield Command(["systemctl", "disable", "--now", unit], lambda: because)


def _purge() -> Iterator[Step]:
    """What is yours."""
    yield from map(Remove, (HOUSE, STATE))
