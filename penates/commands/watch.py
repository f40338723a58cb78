"""Show the sensors on a broker, live: their state, what they measure and how old that is.

On a terminal it is a table; h shows what the heartbeats tell, q quits. Elsewhere it is a line for each change, such as
`cm/cellar/status/state online`, or with --json an object. Any device that speaks the contract (docs/TOPICS.md) is
shown, whoever made it. The history is not asked for, so that a slow link carries each value once.
"""

import argparse
import contextlib
import json
import os
import select
import signal
import sys
import termios
import time
import tty
from collections.abc import Iterator
from contextlib import closing

from rich.console import Console
from rich.live import Live

from bootstrap.contract import timestamps
from bootstrap.contract.payload import decode
from bootstrap.contract.topics import EYES, is_id
from bootstrap.errors import Exit, Refused
from bootstrap.eventloop.loop import STOP_SIGNALS
from penates.console.arguments import output_file
from penates.console.output import shown, to_a_reader
from penates.fleet.access import access, access_arguments
from penates.fleet.client import Connected, Disconnected, FleetClient, FleetEvent, MessageHeard
from penates.fleet.fleet_view import Change, FleetView
from penates.fleet.watch_table import cells, picture, table

STATUS = ("state", "about", "heartbeat", "health")
REDRAW_S = 0.5  # at the most so often
LOOK_S = 1.0  # for what only time changes
FRAME = 6  # lines of a terminal that the table's frame takes, and the cursor


def arguments(parser: argparse.ArgumentParser) -> None:
    """What this command takes."""
    access_arguments(parser)
    parser.add_argument("places", type=_place, nargs="*", metavar="GROUP[/SENSOR]", help="only these (default: all)")
    parser.add_argument("--json", action="store_true", help="an object for each change, a line each")
    parser.add_argument("--svg", type=output_file, metavar="FILE", help="at the end, save the table as a picture")


def _place(text: str) -> str:
    """As a filter of the first two levels."""
    group, slash, sensor = text.partition("/")
    if not is_id(group) or (slash and not is_id(sensor)):
        raise argparse.ArgumentTypeError(f"say GROUP or GROUP/SENSOR, not {text!r}")
    return text if slash else f"{group}/+"


def main(given: argparse.Namespace) -> int:
    """Until somebody ends it."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    with closing(FleetClient(access(given, EYES))) as client:
        house = LiveFleet(client, given.places or ["+/+"])
        as_table = sys.stdout.isatty() and not given.json
        with contextlib.suppress(KeyboardInterrupt), to_a_reader():
            watch(house) if as_table else follow(house, as_json=given.json)
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_IGN)  # saying goodbye takes its moment
    if given.svg:
        given.svg.write_text(picture(house.view))
    return Exit.REFUSED if house.refused else Exit.STOPPED


class LiveFleet:
    """What comes from the client, taken into the view."""

    def __init__(self, client: FleetClient, places: list[str]) -> None:
        self._client, self._places = client, places
        self._asked: set[str] = set()
        self.view = FleetView()
        self.down: str | None = "connecting"
        self.refused = False

    def changes(self, wait_s: float, *others: int) -> Iterator[Change]:
        """What has changed, at the latest after `wait_s`."""
        for event in self._client.events(wait_s, *others):
            yield from self._take(event)
        if self.down is None and (new := self.view.declared - self._asked):
            self._asked |= new
            self._client.subscribe(*sorted(new))

    def _take(self, event: FleetEvent) -> Iterator[Change]:
        match event:
            case Connected():
                self.down = None
                self._asked.clear()
                self._client.subscribe(*(f"{place}/status/{name}" for place in self._places for name in STATUS))
            case Disconnected(why, refused) if not self.refused:
                self.down, self.refused = why, refused
            case MessageHeard(topic, payload, retained, at):
                yield from self.view.hear(topic, payload, retained=retained, at=at)


def follow(house: LiveFleet, *, as_json: bool) -> None:
    """Print what changes, a line each; on stderr, how we stand with the broker."""
    told: str | None = ""
    while not house.refused:
        for change in house.changes(LOOK_S):
            print(_as_json(change) if as_json else f"{change.topic} {shown(change.payload)}", flush=True)
        if told != house.down:
            told = house.down
            print(f"no broker: {told}" if told else "connected", file=sys.stderr, flush=True)


def _as_json(change: Change) -> str:
    try:
        value = decode(change.payload)
    except Refused:
        value = shown(change.payload)
    return json.dumps({"time": timestamps.now(), "topic": change.topic, "value": value}, ensure_ascii=False)


def watch(house: LiveFleet) -> None:
    """Draw again what looks different, not too often, and heed the keys."""
    console = Console()
    facts = unseen = False
    due = 0.0
    drawn: tuple[object, ...] = ()
    with _keys() as keyboard, Live(console=console, auto_refresh=False) as live:
        while not house.refused:
            left_s = due - time.monotonic()
            for _change in house.changes(left_s if left_s > 0 and unseen else LOOK_S, keyboard):
                unseen = True
            key = _pressed(keyboard)
            if key == "q":
                return
            facts ^= key == "h"
            if time.monotonic() < due and not key:
                continue
            unseen = False
            due = time.monotonic() + REDRAW_S
            rows = cells(house.view, facts=facts)
            looks = (console.size, facts, house.down, *rows)
            if looks != drawn:
                if drawn and console.size != drawn[0]:
                    console.clear()
                drawn = looks
                room = console.size.height - FRAME
                live.update(table(house.view, house.down, rows, facts=facts, room=room), refresh=True)
    print(f"penates watch: {house.down}", file=sys.stderr)


@contextlib.contextmanager
def _keys() -> Iterator[int]:
    """A descriptor that is readable when a key is pressed, or, without a keyboard, never."""
    if not sys.stdin.isatty():
        never, writer = os.pipe()
        yield never
        os.close(never)
        os.close(writer)
        return
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    tty.setcbreak(descriptor)
    signal.signal(signal.SIGCONT, lambda *_: tty.setcbreak(descriptor))  # the shell took it back meanwhile
    try:
        yield descriptor
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def _pressed(keyboard: int) -> str:
    ready, _, _ = select.select([keyboard], [], [], 0)
    return os.read(keyboard, 1).decode(errors="replace").lower() if ready else ""
