"""Applying the sensors of a gateway in the installed house: the broker's rules first, then a reload of the gateway."""

from penates.installer import broker_steps, guest_steps, systemd_steps, unit_files
from penates.installer.house_plan import HousePlan, scratch
from penates.installer.install_record import InstallRecord
from penates.installer.steps import CommandStep, Step, carry_out


def apply(name: str) -> None:
    """Have the broker accept what the gateway in this file carries, and the gateway start it. Nothing is restarted.

    Raises:
        SettingsError, Unavailable, OSError, LookupError: it cannot be done.
    """
    with scratch() as folder:
        plan, record = HousePlan(folder), InstallRecord.read()
        broker_steps.require_success(plan, record)
        broker = guest_steps.guest(plan, record) if plan.beside else broker_steps.BrokerSteps([], [])
        broker = broker_steps.broker(plan, record) if plan.local else broker
        steps: list[Step] = [*systemd_steps.house_files(plan.planned), *broker.serve]
        process = next(one for one, sensors in plan.configuration.processes.items() if name in sensors)
        unit = unit_files.SUPERVISOR if record.one_unit else unit_files.unit(process)
        steps.append(CommandStep(["systemctl", "reload", unit], lambda: "new" if systemd_steps.active(unit) else ""))
        carry_out([*steps, *broker.without_those_that_go], record.begin, dry=False)
        record.end()
