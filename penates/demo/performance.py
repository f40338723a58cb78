"""The demo from its start to the account at its end."""

import argparse
import math
import os
import shlex
import shutil
import signal
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, closing, suppress
from pathlib import Path

from bootstrap.config.loader import HOUSE
from bootstrap.errors import NOT_DONE, Exit
from bootstrap.eventloop.loop import STOP_SIGNALS
from penates.console.output import colours, table, to_a_reader
from penates.demo.animation import SIZE, Animation
from penates.demo.day import begin_day
from penates.demo.ending import MEASURE, SENSOR, history
from penates.demo.house import DOOR, DemoHouse, make_folder
from penates.demo.show import Show
from penates.demo.tally import Account
from penates.files.saved_picture import save_picture
from penates.fleet.client import FleetClient
from penates.fleet.live_fleet import LiveFleet

SHOWN_S = 38.0  # after which the first day has shown all that there is
GOOD, BAD = "\x1b[1;32m{}\x1b[0m", "\x1b[1;31m{}\x1b[0m"
HOUSES = (HOUSE, f"config/{HOUSE}")  # of others, where we are
LEAST_PACE = 0.25  # below which a second of the day has too little time


def cleaned_up(show: Callable[[ExitStack], int]) -> int:
    """Return what `show` does, or 0 after Ctrl-C; clean up whatever happens."""
    for number in STOP_SIGNALS:
        signal.signal(number, signal.default_int_handler)
    with ExitStack() as stack:
        try:
            return show(stack)
        except KeyboardInterrupt:
            return Exit.STOPPED
        finally:
            ignore_signals()


def ignore_signals() -> None:
    """Let nothing interrupt the rest, which takes a moment."""
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def demo(given: argparse.Namespace, stack: ExitStack) -> int:
    """Set up the house, let a day go by and show it; return the exit code. `stack` cleans up."""
    house = DemoHouse(make_folder(given.keep, stack), stack)
    house.start_supervisor()
    if not started(house):
        return NOT_DONE
    print(hints(house, kept=bool(given.keep)), file=sys.stderr, flush=True)
    fleet = LiveFleet(stack.enter_context(closing(FleetClient(house.access))), [f"{house.group}/+"])
    show = Show(house, fleet, Animation() if given.picture else None)
    limit_s = given.limit_s or math.inf
    with ExitStack() as days, suppress(KeyboardInterrupt):
        day = begin_day(house, days, pace=min(1.0, max(LEAST_PACE, limit_s / SHOWN_S)), tell=show.tell)
        if not given.no_outage:
            show.plan_outage(day)
        show.run(time.monotonic() + limit_s)
    ignore_signals()
    account = show.finish()
    width = shutil.get_terminal_size().columns
    with to_a_reader():
        print("\n".join(summary(house, show, account, width, colour=colours())))
    if show.animation:
        show.animation.end(summary(house, show, account, SIZE[0], colour=True))
        save_picture(given.picture, show.animation.svg().encode())
    return Exit.STOPPED if account.whole else NOT_DONE


def started(house: DemoHouse) -> bool:
    """Start the sensors, and wait until none is starting any more; print them if one is not online."""
    answer = house.ask("start")
    rows = answer.get("sensors", [])
    well = "error" not in answer and all(row["state"] == "online" for row in rows)
    if not well:
        print("\n".join([str(answer.get("error", "")), *(table(rows) if rows else [])]).strip(), file=sys.stderr)
    return well


def summary(house: DemoHouse, show: Show, account: Account, width: int, *, colour: bool) -> list[str]:
    """Return what the demo ends with: of the outage, the history, and what has become of the readings."""
    told = [one.words for one in show.captions if one.strong]
    try:
        chart = history(house.config, show.outages, width, colour=colour)
    except OSError:
        chart = []
    paint = GOOD if account.whole else BAD
    return [*told, "", *chart, "", paint.format(account) if colour else str(account)]


def hints(house: DemoHouse, *, kept: bool) -> str:
    """Return what to try meanwhile, and afterwards if the house is `kept`."""
    folder, program = shlex.quote(str(house.folder)), _typed()
    listen = f"mosquitto_sub -p {house.broker.port} -v -t '{house.group}/#'"
    listen = listen if shutil.which("mosquitto_sub") else f"penates watch --config config # on port {house.broker.port}"
    others = any(map(os.path.exists, HOUSES))
    own = f"It is the demo's own house; the one in {Path.cwd()} is not touched.\n" if others else ""
    return f"""
{own}In another terminal:
  cd {folder}{program}
  {listen}
  penates status --config config
  penates send --config config {house.group}/lamp set toggle
  penates send --config config {house.group}/doorlock set unlock
  penates send --config config {house.group}/lcd alert "Dinner is ready"
  penates lcd shot --config config {house.group}/lcd lcd.png  # what the display shows
  penates gpio --config config {DOOR} 1         # opens the front door; 0 closes it
  penates history {SENSOR} {MEASURE} --config config{"  # also works afterwards" * kept}
  nano config/devices/{SENSOR}.toml && penates reload --config config
Ctrl-C ends it, draws that history, and {"leaves the files where they are" if kept else "removes everything"}.
"""


def _typed() -> str:
    """Return what makes a shell find this penates, unless it does already."""
    here = Path(sys.executable).parent
    found = shutil.which("penates")
    return "" if found and Path(found).parent == here else f"; PATH={shlex.quote(str(here))}:$PATH"
