"""Show the sensors on a broker, live: their state, what they measure and how old that is.

On a terminal it is a table, or a paragraph per sensor where it is narrow; h shows the heartbeats, q quits. Otherwise,
and on a terminal that cannot move its cursor (TERM=dumb), it is one line per change, such as
`home/cellar/status/state online`, or with --json an object. Any device that follows the contract (docs/TOPICS.md) is
shown, whoever made it. The history is left out, so that a slow link carries each value only once.
"""

import argparse
import contextlib
import json
import signal
import sys
import time
from contextlib import closing

from rich.console import Console
from rich.live import Live

from bootstrap.contract import timestamps
from bootstrap.contract.payload import decode
from bootstrap.contract.topics import EYES, is_id
from bootstrap.errors import Exit, Refused
from bootstrap.eventloop.loop import STOP_SIGNALS
from penates.console.arguments import output_file
from penates.console.keyboard import keys, pressed
from penates.console.output import is_dumb, shown, to_a_reader
from penates.files.saved_picture import save_picture
from penates.fleet.access import access, access_arguments
from penates.fleet.client import FleetClient
from penates.fleet.fleet_view import Change
from penates.fleet.live_fleet import LiveFleet
from penates.fleet.watch_table import cells, fitting, picture

REDRAW_S = 0.5  # shortest time between two redraws
LOOK_S = 1.0  # longest time between two looks at what only time changes


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    access_arguments(parser)
    parser.add_argument("places", type=_place, nargs="*", metavar="GROUP[/SENSOR]", help="only these (default: all)")
    parser.add_argument("--json", action="store_true", help="print each change as a JSON object on a line")
    parser.add_argument("--svg", type=output_file, metavar="FILE", help="save the table as an SVG picture at the end")


def _place(text: str) -> str:
    """Return a filter for the first two topic levels, for argparse."""
    group, slash, sensor = text.partition("/")
    if not is_id(group) or (slash and not is_id(sensor)):
        raise argparse.ArgumentTypeError(f"enter GROUP or GROUP/SENSOR, not {text!r}")
    return text if slash else f"{group}/+"


def main(given: argparse.Namespace) -> int:
    """Show the sensors until the command is ended."""
    for number in STOP_SIGNALS:  # a shell without job control starts what is in its background with SIGINT ignored
        signal.signal(number, signal.default_int_handler)
    with closing(FleetClient(access(given, EYES))) as client:
        fleet = LiveFleet(client, given.places or ["+/+"])
        as_table = sys.stdout.isatty() and not given.json and not is_dumb()
        with contextlib.suppress(KeyboardInterrupt), to_a_reader():
            watch(fleet) if as_table else follow(fleet, as_json=given.json)
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_IGN)  # a second signal must not interrupt the disconnect
    if given.svg:
        save_picture(given.svg, picture(fleet.view).encode())
    return Exit.REFUSED if fleet.refused else Exit.STOPPED


def follow(fleet: LiveFleet, *, as_json: bool) -> None:
    """Print each change as a line, and on stderr whether there is a broker."""
    reported: str | None = ""
    while not fleet.refused:
        for change in fleet.changes(LOOK_S):
            print(_as_json(change) if as_json else f"{change.topic} {shown(change.payload)}", flush=True)
        if reported != fleet.down:
            reported = fleet.down
            print(f"no broker: {reported}" if reported else "connected", file=sys.stderr, flush=True)


def _as_json(change: Change) -> str:
    try:
        value = decode(change.payload)
    except Refused:
        value = shown(change.payload)
    return json.dumps({"time": timestamps.now(), "topic": change.topic, "value": value}, ensure_ascii=False)


def watch(fleet: LiveFleet) -> None:
    """Redraw the table when it looks different, not too often, and react to keys."""
    console = Console()
    facts = unseen = False
    due = 0.0
    drawn: tuple[object, ...] = ()
    with keys() as keyboard, Live(console=console, auto_refresh=False) as live:
        while not fleet.refused:
            left_s = due - time.monotonic()
            for _change in fleet.changes(left_s if left_s > 0 and unseen else LOOK_S, keyboard):
                unseen = True
            key = pressed(keyboard)
            if key == "q":
                return
            facts ^= key == "h"
            if time.monotonic() < due and not key:
                continue
            unseen = False
            due = time.monotonic() + REDRAW_S
            rows = cells(fleet.view, facts=facts)
            looks = (console.size, facts, fleet.down, *rows)
            if looks != drawn:
                if drawn and console.size != drawn[0]:
                    console.clear()
                drawn = looks
                live.update(fitting(console, fleet.view, fleet.down, rows, facts=facts), refresh=True)
    print(f"penates watch: {fleet.down}", file=sys.stderr)
