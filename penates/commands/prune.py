"""Clear what the broker still retains of sensors, measures and Home Assistant announcements that are gone.

  sudo penates prune --dry-run
  sudo penates prune --gone home/shed

A sensor of this house's groups is gone if it has no file in devices/, ran on this host, and is stopped or lost; so is
one of another group that has left a folder in this machine's state folder, as after a change of `group`. One on another
host may only be switched off: it is cleared if you name it with --gone, whatever its group, and it is not alive. The
command prints what it would clear and asks before it does.
"""

import argparse
import socket
import sys
import time
from collections.abc import Collection, Iterator

from bootstrap.config.loader import Configuration, folder_or_default
from bootstrap.config.toml_file import SettingsError
from bootstrap.contract.topics import ADMIN
from bootstrap.errors import NOT_DONE, Exit, Fatal
from bootstrap.paths import Folders
from penates.console.arguments import sensor_name
from penates.console.output import counted, to_a_reader
from penates.fleet.access import access, access_arguments
from penates.fleet.leftover_topics import Leftovers, OwnSensors, find, ran_here
from penates.fleet.probe import MqttProbe, Silent, Unreachable, reach

PATIENCE_S = 10.0
STATUS = ("status/state", "status/about", "status/heartbeat", "status/+", "data/+", "action/+")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    access_arguments(parser)
    gone = "a sensor that is gone, whichever host it ran on"
    parser.add_argument("--gone", action="append", type=sensor_name, default=[], metavar="GROUP/SENSOR", help=gone)
    ask = parser.add_mutually_exclusive_group()
    ask.add_argument("--dry-run", action="store_true", help="clear nothing, only print what would be cleared")
    ask.add_argument("--yes", action="store_true", help="do not ask before clearing")


def main(given: argparse.Namespace) -> int:
    """Find what is to be cleared, print it, ask, and clear it."""
    own = _own(Configuration(folder_or_default(given.config).absolute()))
    named = [sensor.client_id for sensor in given.gone]
    try:
        with reach(access(given, ADMIN), PATIENCE_S) as probe, to_a_reader():
            return _prune(probe, own, named, given)
    except (Unreachable, Silent) as error:
        raise Fatal(Exit.REFUSED, str(error)) from None


def _prune(probe: MqttProbe, own: OwnSensors, named: Collection[str], given: argparse.Namespace) -> int:
    found = find(probe.retained(_filters(own, named)), own, named, time.monotonic())
    _show(found)
    if given.dry_run or not found.clear:
        return NOT_DONE if _refused(found, named) else Exit.STOPPED
    if not given.yes and not _agreed(probe, len(found.clear)):
        return NOT_DONE
    probe.sync()
    still = find(probe.newest(), own, named, time.monotonic()).clear
    left = _clear(probe, [topic for topic in found.clear if topic in still])
    for topic in left:
        print(f"penates prune: {topic} was not cleared; may {ADMIN} publish there?", file=sys.stderr)
    return NOT_DONE if left or _refused(found, named) else Exit.STOPPED


def _filters(own: OwnSensors, named: Collection[str]) -> Iterator[str]:
    """Yield the topic filters to read."""
    others = (one for one in sorted({*own.past, *named}) if one.partition("/")[0] not in own.groups)
    yield from (
        f"{sensors}/{name}" for sensors in (*(f"{one}/+" for one in sorted(own.groups)), *others) for name in STATUS
    )
    yield from (f"{prefix}/device/+/config" for prefix in sorted({"+", own.prefix}))
    yield from sorted({topic for topics in own.past.values() for topic in topics})


def _own(configuration: Configuration) -> OwnSensors:
    """Return what the configuration contains. It must have no faults: a faulty file could be any sensor's.

    Raises:
        SettingsError: it has faults.
    """
    sensors = [one for settings in configuration.all().values() for one in settings.all_carried]
    if configuration.faults or configuration.house is None:
        raise SettingsError(configuration.faults)
    groups = {configuration.house.group, *(settings.topics.group for settings in sensors)}
    known = {settings.topics.client_id: settings for settings in sensors}
    past = ran_here(Folders.usual(configuration.house.state).state)
    return OwnSensors(known, groups, socket.gethostname(), configuration.house.homeassistant.prefix, past)


def _refused(found: Leftovers, named: Collection[str]) -> bool:
    """Return whether a sensor named with --gone is left alone."""
    return any(line.partition(" ")[0] in named for line in found.left)


def _show(found: Leftovers) -> None:
    for topic, why in found.clear.items():
        print(f"{topic}: {why}")
    if not found.clear:
        print("nothing to clear")
    for line in found.left:
        print(f"left alone: {line}")


def _agreed(probe: MqttProbe, count: int) -> bool:
    """Return whether the user agrees. Meanwhile the connection is kept and messages are received."""
    if not sys.stdin.isatty():
        print("penates prune: nothing cleared: stdin is not a terminal to ask on; use --yes", file=sys.stderr)
        return False
    print(f"Clear {counted(count, 'topic')}? [y/N] ", end="", flush=True)
    while not probe.wait(PATIENCE_S, sys.stdin.fileno()):
        pass
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _clear(probe: MqttProbe, topics: Collection[str]) -> list[str]:
    """Clear these topics. Returns those that the broker still retains."""
    for topic in topics:
        probe.publish(topic, retain=True)
    probe.until(lambda: not any(map(probe.newest().get, topics)), PATIENCE_S)
    held = probe.newest()
    return [topic for topic in topics if held.get(topic)]
