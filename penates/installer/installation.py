"""The installation of a house on this machine: all steps, from the packages to the sensors that run."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from bootstrap.config.gateway_file import SECTIONS
from bootstrap.config.loader import HOUSE as HOUSE_FILE
from bootstrap.config.loader import device_file
from bootstrap.contract.topics import EYES
from bootstrap.device import this_host
from bootstrap.errors import NOT_DONE, Exit, Fatal
from bootstrap.gateway import Gateway
from penates.files.install_paths import CA, HOUSE, UNITS
from penates.files.planned_file import Planned
from penates.files.toml_edit import split_sections
from penates.fleet.already_running import alive
from penates.fleet.probe import Unreachable
from penates.installer import broker_steps, guest_steps, host_setup, machine_watchdog, systemd_steps, unit_files
from penates.installer.allowed_networks import resolves
from penates.installer.device_needs import must_end, needs
from penates.installer.house_plan import HousePlan
from penates.installer.install_record import InstallRecord, programme, stamp
from penates.installer.steps import Remove, Step, carry_out

SITE = "site"  # the section of house.toml that no sensor reads


class Installation:
    """The steps that bring this machine into the state that the plan of the house needs."""

    def __init__(self, plan: HousePlan, record: InstallRecord) -> None:
        self._plan, self._record = plan, record
        self._devices = plan.devices
        self._processes = plan.configuration.processes
        each = [unit_files.unit(name) for name in self._processes]
        self._wanted = [unit_files.SUPERVISOR] if record.one_unit and each else each
        self._power = sorted({word for one in self._devices.values() for word in needs(one.device).power})
        secrets = {name: plan.secret_of(settings) for name, settings in self._devices.items()}
        self._units = [*unit_files.shipped(UNITS), *(unit_files.for_broker(UNITS) if plan.local else ())]
        self._units += unit_files.for_power(UNITS) if self._power else []
        self._units += machine_watchdog.planned() if record.watchdog else []
        if record.one_unit:
            self._units += unit_files.for_supervisor(UNITS, self._devices, secrets, plan.state)
        else:
            for name in self._processes:
                self._units += self._unit(name, secrets)

    def carry_out(self, *, dry: bool) -> int:
        """Try the broker's files, show the steps and carry them out unless `dry`; return how many there were.

        Raises:
            SettingsError, Unavailable, OSError, LookupError, Fatal: it cannot be done.
        """
        self.require_sole_instances()
        broker_steps.require_success(self._plan, self._record)
        count = carry_out(self.steps(), self._record.begin, dry=dry)
        if not dry:
            self._record.end()
        return count

    def _unit(self, name: str, secrets: dict[str, Path | None]) -> list[Planned]:
        """Return the drop-in of a process's unit."""
        if name not in self._plan.configuration.together:
            return unit_files.for_device(UNITS, self._devices[name], name, secrets[name], self._plan.state)
        found = {one: self._devices[one] for one in self._processes[name]}
        passwords = {one: secrets[one] for one in found}
        return unit_files.for_together(UNITS, name, found, passwords, self._plan.state)

    def _unit_of(self, sensor: str) -> str:
        """Return the unit in which the sensor of this file runs."""
        name = next(name for name, sensors in self._processes.items() if sensor in sensors)
        return unit_files.SUPERVISOR if self._record.one_unit else unit_files.unit(name)

    def steps(self) -> Iterator[Step]:
        """Yield all steps in the order in which they are carried out."""
        planned, ending = self._plan.planned, list[Step]()
        needed = [needs(settings.device) for settings in self._devices.values()]
        programs = [program for one in needed for program in one.programs]
        yield from host_setup.packages(self._record, programs, broker=self._plan.local)
        yield from host_setup.user(group for one in needed for group in one.groups)
        yield from host_setup.echo(needed=any(one.echo for one in needed))
        yield from host_setup.command_link()
        yield from systemd_steps.house_files([*planned, *self._mosquitto_sub(), *self._plan.state_folder])
        yield from map(Remove, self._plan.changes.removed)
        if self._plan.local:
            serving, ending = map(list, broker_steps.broker(self._plan, self._record))
            yield from serving
        else:
            yield from broker_steps.close_broker(self._record)
        if self._plan.beside:
            serving, ending = map(list, guest_steps.guest(self._plan, self._record))
            yield from serving
        elif self._record.shared_files:
            yield from guest_steps.leave(self._record)
        yield from systemd_steps.unwanted_power(self._power)
        yield from systemd_steps.files(self._units, self._wanted, self._record)
        if self._plan.local:
            yield systemd_steps.certificates()
        yield from systemd_steps.power_enabled(self._power)
        yield systemd_steps.enabled(self._wanted)
        yield from self._renewed()
        yield systemd_steps.started(unit_files.TARGET)
        yield from ending

    def _renewed(self) -> Iterator[Step]:
        """Yield the steps that restart what has changed, and reload gateways of which only the sensors have changed."""
        restarts = systemd_steps.RestartStep(self._stamps(), self._record, self._reloads())
        yield from (restarts, systemd_steps.ReloadStep(restarts))

    def _reloads(self) -> dict[str, str]:
        """Return, for each unit with a gateway, a hash over the sensors that it carries."""
        carried: dict[str, list[bytes]] = {}
        for name in self._devices:
            if rest := self._sections(name)[1]:
                carried.setdefault(self._unit_of(name), []).append(rest)
        return {unit: stamp(parts) for unit, parts in carried.items()}

    def _sections(self, name: str) -> tuple[bytes, bytes]:
        """Return the text of a device's file without the sections of sensors that it carries, and these sections."""
        text = self._content(device_file(name)).decode(errors="replace")
        if not isinstance(self._devices[name].device, Gateway):
            return text.encode(), b""
        own, carried = split_sections(text, SECTIONS)
        return own.encode(), carried.encode()

    def _mosquitto_sub(self) -> Iterator[Planned]:
        """Yield the options file of `mosquitto_sub`, unless a password is needed and not known."""
        broker = self._plan.house.broker
        user = (broker.username or EYES) if broker.password_file else None
        password = self._plan.password(user) if user else None
        if user and not password:
            return
        login = [f"-u {user}", f"-P {password}"] if user else []
        trust = [f"--cafile {HOUSE / CA}"] if broker.ca_file else []
        host = next(filter(resolves, broker.hosts), broker.hosts[0])
        options = [f"-h {host}", f"-p {broker.tcp_port}", *trust, *login]
        yield from host_setup.mosquitto_sub_options(self._record, options)

    def _stamps(self) -> dict[str, str]:
        """Return, for each unit, a hash over everything it runs with."""
        settings, _of_no_sensor = split_sections(self._content(HOUSE_FILE).decode(errors="replace"), SITE)
        common = [*programme(), settings.rstrip().encode(), self._content(CA)]
        common += [one.content or b"" for one in unit_files.shipped(UNITS)]
        own = {name: self._own(name, sensors) for name, sensors in self._processes.items()}
        if self._wanted == [unit_files.SUPERVISOR]:
            return {unit_files.SUPERVISOR: stamp([*common, *(part for parts in own.values() for part in parts)])}
        return {unit_files.unit(name): stamp([*common, *parts]) for name, parts in own.items()}

    def _own(self, name: str, sensors: Sequence[str]) -> list[bytes]:
        mine = [one.content or b"" for one in self._units if one.path.parent.name == f"{unit_files.unit(name)}.d"]
        return [*mine, *(part for one in sensors for part in self._of_sensor(one))]

    def _of_sensor(self, name: str) -> list[bytes]:
        file = self._plan.secret_of(self._devices[name])
        secret = self._plan.content(file) if file and file.is_relative_to(HOUSE) else b""
        return [self._sections(name)[0], secret, *self._code(self._devices[name].kind)]

    def _code(self, kind: str) -> list[bytes]:
        """Return the house's own modules, if the kind is a class of its own."""
        return [file.read_bytes() for file in sorted(self._plan.place.glob("*.py"))] if "." in kind else []

    def _content(self, name: str) -> bytes:
        return self._plan.content(HOUSE / name)

    def _watchdog_offered(self) -> bool:
        """Return whether the hardware should restart this machine when it hangs, and is not told to."""
        guarding = any(must_end(one.device) for one in self._devices.values())
        return guarding and machine_watchdog.has_watchdog() and systemd_steps.runtime_watchdog() == 0

    def require_sole_instances(self) -> None:
        """Check that no sensor to be started is alive on another machine.

        Raises:
            Fatal: one is; the message names the machine.
        """
        starting = {
            one.topics.sensor: name
            for name, settings in self._devices.items()
            for one in settings.all_carried
            if not systemd_steps.active(self._unit_of(name))
        }
        if not starting or (access := self._plan.access) is None:
            return
        try:
            found = alive(access, starting)
        except Unreachable as why:
            print(f"cannot check whether these sensors are alive on another machine: {why}", file=sys.stderr)
            return
        taken = {sensor: host for sensor, host in found.items() if host.partition(".")[0] != this_host()}
        if taken:
            advice = "; ".join(
                f"{sensor} is alive on {host}: rename {device_file(starting[sensor])}, or stop it there"
                for sensor, host in taken.items()
            )
            raise Fatal(Exit.RUNNING, advice)

    def report(self) -> int:
        """Print the state of each unit; return 0 if all are active."""
        for unit in self._wanted:
            print(f"  {unit}: {systemd_steps.status(unit)}")
        if self._watchdog_offered():
            print(f"this machine has outputs that must end in time: {machine_watchdog.OFFER}")
        if all(map(systemd_steps.active, self._wanted)):
            return Exit.STOPPED
        print("for details, run: sudo penates doctor")
        return NOT_DONE
