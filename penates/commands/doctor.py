"""Check everything a sensor needs, and report what is wrong and what to do about it.

For the house: its files, the broker's addresses and certificate, the clock, the disk, what a broker on this machine
would lose, and whether hardware restarts a machine that hangs, if it has outputs that must end. For each sensor: its
process, the hardware it needs, what is undelivered, its password, what the broker lets it publish and receive, its last
will, its state, and where it runs. No running sensor is disturbed.

With sudo everything can be checked; without, what could not be checked is reported as unknown. The exit code is 1 if
anything is bad.
"""

import argparse
import errno
import json
import os
import sys
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from bootstrap.config.loader import Configuration, folder_or_default, unknown_names
from bootstrap.config.model import House, SensorSettings
from bootstrap.config.toml_file import Fault, SettingsError
from bootstrap.errors import NOT_DONE, Exit
from bootstrap.mqtt.address import BrokerAddress
from bootstrap.paths import Folders
from bootstrap.supervisor.control_socket import Unavailable
from penates.console.arguments import config_option, json_option
from penates.console.output import counted, to_a_reader
from penates.doctor import broker_checks, machine, reachability
from penates.doctor.adopted_devices import adopted_devices
from penates.doctor.broker_promises import OtherBrokerCheck
from penates.doctor.findings import SUDO, Finding, Verdict, bad, good, unknown
from penates.doctor.hardware import hardware
from penates.doctor.reported_state import on_other_machines, reported
from penates.doctor.site_checks import linked_sites
from penates.doctor.supervision import Supervision, supervision
from penates.installer.device_needs import must_end
from penates.installer.machine_watchdog import has_watchdog
from penates.installer.systemd_steps import runtime_watchdog

AT_ONCE = 16
MARKS = {Verdict.GOOD: ("ok", "32"), Verdict.BAD: ("BAD", "31"), Verdict.UNKNOWN: ("?", "33")}  # mark, ANSI colour
HOUSE = "house"


@dataclass(frozen=True)
class Report:
    """The findings about the house, or about one sensor."""

    about: str
    found: list[Finding]


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    config_option(parser)
    json_option(parser)
    parser.add_argument("names", nargs="*", default=[], metavar="NAME", help="sensor's file in devices/ (default: all)")


def main(given: argparse.Namespace) -> int:
    """Run the checks and print what they found."""
    reports = examine(folder_or_default(given.config), given.names)
    with to_a_reader():
        print(json.dumps(_facts(reports), indent=2, ensure_ascii=False) if given.json else "\n".join(_lines(reports)))
    return NOT_DONE if any(one.verdict is Verdict.BAD for report in reports for one in report.found) else Exit.STOPPED


def examine(folder: Path, names: list[str]) -> list[Report]:
    """Check a house, and the sensors in `names` or, if that is empty, all of them.

    Raises:
        SettingsError: there is no such sensor.
    """
    configuration = Configuration(folder)
    sensors = configuration.all()
    if faults := unknown_names(names, configuration.sensors):
        raise SettingsError(faults)
    files = [*_configuration(configuration)]
    house = configuration.house
    if house is None:
        return [Report(HOUSE, files)]
    chosen = {name: one for name, one in sensors.items() if name in names or not names}
    folders = Folders.usual(house.state)
    processes = supervision(folder, folders.runtime, configuration.processes)
    broker, host = reachability.reach(house.broker)
    each = [(name, one) for name, settings in chosen.items() for one in settings.all_carried]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = pool.map(lambda one: [*_sensor(one[0], one[1], processes, host)], each)
        reports = [Report(one.topics.client_id, rows) for (_, one), rows in zip(each, found, strict=True)]
    here = [one for settings in sensors.values() for one in settings.all_carried]
    others = [] if names or host is None else [*_elsewhere(here, host), *adopted_devices(house, here, host)]
    promised = OtherBrokerCheck(house, folder, host).findings() if host and house.broker.of_others else ()
    about_house = Report(HOUSE, [*files, *broker, *promised, *_machine(house, folders), *_watchdog(here), *others])
    linked = linked_sites(house, [*sensors.values()])
    sites = [Report(f"site {one.site.name}", [*one.findings()]) for one in linked if not names]
    return [about_house, *sites, *reports]


def _elsewhere(sensors: Collection[SensorSettings], host: str) -> Iterator[Finding]:
    """Check the sensors of the same groups that have no file here."""
    here = {one.topics.client_id for one in sensors}
    address = next((BrokerAddress.of(one) for one in sensors), None)
    known = address and broker_checks.fleet(address, host, sorted({one.topics.group for one in sensors}))
    if known:
        yield from on_other_machines({name: one for name, one in known.items() if name not in here})


def _configuration(configuration: Configuration) -> Iterator[Finding]:
    """Report the faults that `penates check` finds, except that we may not read a password."""
    faults = [fault for fault in configuration.faults if not _is_secret(fault)]
    for fault in faults:
        yield bad("files", str(fault), f"sudoedit {configuration.folder / fault.file}; penates check")
    if not faults:
        count = len(configuration.sensors)
        ignored = ", ".join(note.file for note in configuration.notes)
        text = f"{configuration.folder}: {counted(count, 'device')}, no faults"
        yield good("files", f"{text}; ignored: {ignored}" if ignored else text)


def _is_secret(fault: Fault) -> bool:
    return fault.text.startswith("'password_file'") and os.strerror(errno.EACCES) in fault.text


def _machine(house: House, folders: Folders) -> Iterator[Finding]:
    yield machine.clock_is_set()
    yield from _tried("disk", lambda: iter([machine.disk(folders.state)]))
    if any(map(reachability.local, house.broker.hosts)) and not house.broker.of_others:
        yield from _tried("queues", lambda: machine.mosquitto(house))


def _watchdog(sensors: Collection[SensorSettings]) -> Iterator[Finding]:
    """Check the watchdog of a machine that has outputs which must not stay as they are, if it is under systemd."""
    if any(must_end(one.device) for one in sensors):
        with suppress(Unavailable):
            yield machine.watchdog(served=runtime_watchdog(), present=has_watchdog())


def _sensor(name: str, settings: SensorSettings, processes: Supervision, host: str | None) -> Iterator[Finding]:
    """Check one sensor: its process, its hardware, what the broker lets it do, and its state.

    `name` is that of its file. A sensor that a gateway carries has neither process nor hardware of its own.
    """
    user = processes.user(name, settings)
    if not settings.section:
        yield processes.runs(name, settings)
        yield from _tried("devices", lambda: hardware(settings, user))
    yield from _tried("folder", lambda: machine.outbox(settings, user))
    if host is None:
        yield unknown(reachability.BROKER, "not checked, because it cannot be reached")
        return
    found, seen = broker_checks.check_broker(settings, host)
    yield from found
    if any(one.check == reachability.BROKER for one in found):
        return
    if seen is None or not seen.state:
        seen = broker_checks.seen_by_eyes(settings, host) or seen
    if seen:
        yield from reported(settings, seen, processes.logs(name))
    else:
        yield unknown("state", "we may not read its state", SUDO)


def _tried(check: str, look: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """Run a check; what we may not look at is reported as unknown."""
    try:
        yield from look()
    except PermissionError as error:
        yield unknown(check, f"not allowed to read {error.filename}", SUDO)


def _lines(reports: list[Report]) -> Iterator[str]:
    """Yield a line per finding, below the house or sensor that it is about, and a line for any advice."""
    colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    width = max(len(one.check) for report in reports for one in report.found)
    for report in reports:
        yield report.about
        for one in report.found:
            mark, code = MARKS[one.verdict]
            shown = f"\033[{code}m{mark:3}\033[0m" if colour else f"{mark:3}"
            yield f"  {shown}  {one.check:{width}}  {one.text}"
            if one.advice:
                yield f"       {'':{width}}  -> {one.advice}"


def _facts(reports: list[Report]) -> list[dict[str, str]]:
    return [{"about": report.about, **asdict(one)} for report in reports for one in report.found]
