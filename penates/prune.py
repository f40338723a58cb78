"""Clear what the broker still holds of sensors, measures and Home Assistant's announcements that are gone.

  sudo penates prune --dry-run
  sudo penates prune --gone cm/shed

A sensor of this house's groups is gone if it has no file in devices/, ran on this host, and is stopped or lost. One of
another host may only be switched off: it is cleared if you name it with --gone, and it is not alive. What is to be
cleared is shown first, and asked about.
"""

import argparse
import socket
import sys
import time
from collections.abc import Collection, Iterator
from contextlib import closing

from bootstrap.config import Configuration, folder_or_default
from bootstrap.errors import NOT_DONE, Exit, Fatal
from bootstrap.settings import SettingsError
from bootstrap.topics import Topics
from penates.common import to_a_reader
from penates.orphans import Findings, Own, find
from penates.send import USER, sensor_name
from penates.wire import Down, Granted, Heard, Up, Wire, access, access_arguments

PATIENCE_S = 10.0
MARK = USER  # no sensor has this id


def arguments(parser: argparse.ArgumentParser) -> None:
    """What this command takes."""
    access_arguments(parser)
    gone = "a sensor that is gone, whatever host it was on"
    parser.add_argument("--gone", action="append", type=sensor_name, default=[], metavar="GROUP/SENSOR", help=gone)
    ask = parser.add_mutually_exclusive_group()
    ask.add_argument("--dry-run", action="store_true", help="clear nothing; say what would be cleared")
    ask.add_argument("--yes", action="store_true", help="ask nothing")


def main(given: argparse.Namespace) -> int:
    """Look, show, ask, clear."""
    own = _own(Configuration(folder_or_default(given.config).absolute()))
    named = [sensor.client_id for sensor in given.gone]
    with closing(Wire(access(given, USER))) as wire, to_a_reader():
        broker = Broker(wire)
        broker.look(own)
        found = find(broker.held, own, named, time.monotonic())
        _show(found)
        if given.dry_run or not found.clear:
            return NOT_DONE if _refused(found, named) else Exit.STOPPED
        if not given.yes and not _agreed(len(found.clear)):
            return NOT_DONE
        broker.drain()
        still = find(broker.held, own, named, time.monotonic()).clear
        left = broker.clear([topic for topic in found.clear if topic in still])
    for topic in left:
        print(f"penates prune: {topic} is not cleared; may {USER} write there?", file=sys.stderr)
    return NOT_DONE if left or _refused(found, named) else Exit.STOPPED


def _own(configuration: Configuration) -> Own:
    """What the files say; one that is faulty may be any sensor's.

    Raises:
        SettingsError: with every fault.
    """
    sensors = configuration.all().values()
    if configuration.faults or configuration.house is None:
        raise SettingsError(configuration.faults)
    groups = {configuration.house.group, *(settings.topics.group for settings in sensors)}
    known = {settings.topics.client_id: settings for settings in sensors}
    return Own(known, groups, socket.gethostname(), configuration.house.homeassistant.prefix)


def _refused(found: Findings, named: Collection[str]) -> bool:
    """Whether something that was named is left."""
    return any(line.partition(" ")[0] in named for line in found.left)


def _show(found: Findings) -> None:
    for topic, why in found.clear.items():
        print(f"{topic}: {why}")
    if not found.clear:
        print("nothing is to be cleared")
    for line in found.left:
        print(f"left alone: {line}")


def _agreed(count: int) -> bool:
    """Whether a person says so."""
    if not sys.stdin.isatty():
        print("penates prune: nothing is cleared: nobody is there to be asked; say --yes", file=sys.stderr)
        return False
    return input(f"Clear these {count}? [y/N] ").strip().lower() in ("y", "yes")


class Broker:
    """What it holds, and what it lets go of."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self.held: dict[str, bytes] = {}

    def look(self, own: Own) -> None:
        """Ask for all it holds, one kind after the other: a queue on its way to us is not endless.

        Raises:
            Fatal: there is no broker, or it does not let us ask.
        """
        self._until(Up, "it does not answer")
        for group in sorted(own.groups):
            mark = Topics(group, MARK).status("mark")  # after what is held comes what is said now
            for kind in ("status/state", "status/about", "status/heartbeat", "status/+", "data/+", "action/+"):
                self._ask(f"{group}/+/{kind}", mark)
            for prefix in sorted({"+", own.prefix}):
                self._ask(f"{prefix}/device/+/config", mark)

    def _ask(self, wanted: str, mark: str) -> None:
        self._wire.subscribe(wanted, mark)
        self._until(Granted, "it grants no subscription")
        self._wire.publish(mark, b"mark")
        self._until(mark, f"may {USER} read and write there?")

    def _until(self, awaited: type | str, trouble: str) -> None:
        """Until there is such an event, or a message on this topic."""
        deadline = time.monotonic() + PATIENCE_S
        while (left_s := deadline - time.monotonic()) > 0:
            events = [*self._events(left_s)]
            if awaited in [*events, *map(type, events)]:
                return
        raise Fatal(Exit.REFUSED, f"the broker: {trouble}")

    def _events(self, wait_s: float) -> Iterator[object]:
        """What happens; of what is heard the topic. What is held is kept in mind."""
        for event in self._wire.events(wait_s):
            match event:
                case Down(why):
                    raise Fatal(Exit.REFUSED, why)
                case Heard(topic, payload, retained):
                    if retained or topic in self.held:
                        self.held[topic] = payload
                    yield topic
                case _:
                    yield event

    def drain(self) -> None:
        """Take in what was said meanwhile."""
        for _ in self._events(0):
            pass

    def clear(self, topics: Collection[str]) -> list[str]:
        """Have it let go of these; returns those it did not."""
        for topic in topics:
            self._wire.clear(topic)
        deadline = time.monotonic() + PATIENCE_S
        while left := [topic for topic in topics if self.held[topic]]:
            if (left_s := deadline - time.monotonic()) <= 0:
                break
            for _ in self._events(left_s):
                pass
        return left
