"""Let another machine's sensors connect to this one's broker: write one file with all that it needs.

  sudo penates invite attic-pi                    # the machine's own sensor, which has the machine's name
  sudo penates invite attic-pi attic window       # and two more sensors on it; those invited before stay

The file is secret. Copy it to the other machine, and run there: sudo penates install --join FILE. It is kept here in
/etc/penates/invited; to shut these sensors out, remove it there and run `sudo penates install`.
"""

import argparse
from collections.abc import Collection

from bootstrap.contract.topics import EYES, ID_RULE, RESERVED_SENSORS, is_id
from bootstrap.device import id_of_host, this_host
from bootstrap.errors import Exit, Fatal
from bootstrap.supervisor.control_socket import Unavailable
from penates.console.arguments import an_id
from penates.files.install_paths import CA, HOUSE, INVITED
from penates.files.planned_file import Planned
from penates.installer import broker_steps, systemd_steps
from penates.installer.house_plan import HousePlan, scratch
from penates.installer.install_record import InstallRecord
from penates.installer.invitation import Invitation, invited
from penates.installer.requirements import require_installation, require_own_broker, require_root
from penates.installer.steps import carry_out, writes


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument("machine", type=an_id, metavar="HOSTNAME", help="the other machine's host name")
    parser.add_argument("sensors", type=_name, nargs="*", metavar="ID", help="another sensor that will run there")


def _name(text: str) -> str:
    if not is_id(text) or text in RESERVED_SENSORS:
        raise argparse.ArgumentTypeError(f"{text!r} must be {ID_RULE}, and not {', '.join(sorted(RESERVED_SENSORS))}")
    return text


def main(given: argparse.Namespace) -> Exit:
    """Make the sensors users of the broker, and write the invitation."""
    require_root()
    require_installation()
    before = invited()
    wanted = {id_of_host(given.machine), *given.sensors, *before.get(given.machine, [])}
    try:
        with scratch() as folder:
            plan = HousePlan(folder, guests=wanted)
            _require_free(wanted, given.machine, plan, before)
            file = _invitation(given.machine, wanted, plan).planned
            record = InstallRecord.read()
            broker_steps.require_success(plan, record)
            broker = broker_steps.broker(plan, record)
            files = writes([Planned(INVITED, None, 0o700), file])
            steps = [*systemd_steps.house_files(plan.planned), *broker.serve, *files, *broker.without_those_that_go]
            carry_out(steps, record.begin, dry=False)
            record.end()
    except OSError as error:
        raise Unavailable(str(error)) from None
    print(f"copy {file.path} to {given.machine}, and run there: sudo penates install --join {file.path.name}")
    return Exit.STOPPED


def _require_free(wanted: Collection[str], machine: str, plan: HousePlan, others: dict[str, list[str]]) -> None:
    """Check that each sensor can run on that machine and on no other.

    Raises:
        Fatal: the broker is not here, the machine is this one, or a sensor belongs to another machine.
    """
    require_own_broker(plan)
    if machine == this_host():
        raise Fatal(Exit.SETTINGS, f"{machine} is this machine; give the other one a different name")
    here = {settings.topics.sensor: this_host() for settings in plan.devices.values()}
    there = {sensor: other for other, sensors in others.items() if other != machine for sensor in sensors}
    if taken := {sensor: place for sensor, place in (here | there).items() if sensor in wanted}:
        raise Fatal(Exit.RUNNING, "; ".join(f"{sensor} is a sensor of {place}" for sensor, place in taken.items()))


def _invitation(machine: str, sensors: Collection[str], plan: HousePlan) -> Invitation:
    house = plan.house
    brokers, port = plan.broker_address
    return Invitation(
        machine=machine,
        group=house.group,
        brokers=brokers,
        port=port,
        recorder=house.history.recorder,
        ca=plan.content(HOUSE / CA).decode(),
        secrets={user: plan.password(user) or "" for user in sorted({*sensors, EYES})},
    )
