"""Applying the sensors of a gateway in the installed house: the broker's rules first, then a reload of the gateway."""

import os

from bootstrap.errors import Exit, Fatal
from penates.console.arguments import ROOT_ONLY
from penates.installer import broker_steps, systemd_steps, unit_files
from penates.installer.house_plan import HousePlan, scratch
from penates.installer.install_record import InstallRecord
from penates.installer.steps import CommandStep, Step, carry_out


def require_root() -> None:
    """Raise Fatal unless we may change the installed house."""
    if os.geteuid():
        raise Fatal(Exit.SETTINGS, ROOT_ONLY)


def apply(name: str) -> None:
    """Have the broker accept what the gateway in this file carries, and the gateway start it. Nothing is restarted.

    Raises:
        SettingsError, Unavailable, OSError, LookupError: it cannot be done.
    """
    with scratch() as folder:
        plan, record = HousePlan(folder), InstallRecord.read()
        broker_steps.require_success(plan, record)
        steps: list[Step] = [*systemd_steps.house_files(plan.planned)]
        if plan.local:
            steps += broker_steps.broker(plan, record)
        process = next(one for one, sensors in plan.configuration.processes.items() if name in sensors)
        unit = unit_files.SUPERVISOR if record.one_unit else unit_files.unit(process)
        steps.append(CommandStep(["systemctl", "reload", unit], lambda: "new" if systemd_steps.active(unit) else ""))
        if plan.local:
            steps += broker_steps.without_those_that_go(plan)
        carry_out(steps, record.begin, dry=False)
        record.end()
