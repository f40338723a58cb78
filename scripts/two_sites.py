"""A house and a cabin, each with its own broker and recorder; the link between them is cut for a while.

At the end it prints how many readings each site has published, and how many each recorder has.
"""

# ruff: noqa: E402 - as long as there is nothing to clean up, Ctrl-C must not print a traceback
import signal

signal.signal(signal.SIGINT, signal.SIG_DFL)

import argparse
import contextlib
import json
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path

from bootstrap.contract.sites import notification
from penates.console.arguments import new_folder, output_file, seconds
from penates.demo.broker import HERE
from penates.demo.day import begin_day
from penates.demo.house import PROGRAM, RECORDER, UNUSED, DemoHouse, make_folder
from penates.demo.own_program import end
from penates.demo.performance import cleaned_up, started

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from support.faults.wire import Wire
from support.plain_link import CABIN, HOME, Pace, bridge_lines, called_lines, far_files

CUT, MENDED = 0.35, 0.6  # parts of the time
LEAST_S = 15.0  # so that each part is long enough to be seen
CATCH_UP_S = 60.0


def arguments() -> argparse.Namespace:
    """Return the arguments of `scripts/demo --two-sites`."""
    parser = argparse.ArgumentParser(prog="scripts/demo --two-sites", description=__doc__)
    parser.add_argument("--two-sites", action="store_true", required=True, help=argparse.SUPPRESS)
    parser.add_argument(
        "--for", dest="limit_s", type=_long_enough, default=40.0, metavar="SECONDS", help="end after this time (40)"
    )
    keep = "put all files into this new folder, and keep them"
    parser.add_argument("--keep", type=new_folder, metavar="DIR", help=keep)
    parser.add_argument("--picture", type=output_file, metavar="FILE", help="at the end, save the table as an SVG")
    return parser.parse_args()


def _long_enough(text: str) -> float:
    limit_s = seconds(text)
    if limit_s < LEAST_S:
        raise argparse.ArgumentTypeError(f"with two sites it takes at least {LEAST_S:g} seconds, not {text}")
    return limit_s


class Count:
    """How many readings a site publishes, as a stranger to penates hears it at the site's own broker."""

    def __init__(self, house: DemoHouse, stack: ExitStack) -> None:
        self._file = house.folder / "published"
        topic = f"{house.group}/+/data/reading"
        command = ["mosquitto_sub", "-h", HERE, "-p", str(house.broker.port), "-q", "1", "-F", "%t %p", "-t", topic]
        with self._file.open("w") as file:
            listening = subprocess.Popen([*command, "-c", "-i", "count"], stdout=file, start_new_session=True)
        stack.callback(end, listening)

    def published(self) -> int:
        """Return how many different ones there were so far."""
        found = set()
        for line in self._file.read_text().splitlines():
            topic, _, payload = line.partition(" ")
            with contextlib.suppress(ValueError):  # the last line, half written
                value = json.loads(payload)
                found.add((topic, value["run"], value["seq"]))
        return sum(topic.split("/")[1] != RECORDER for topic, *_ in found)


class Site(DemoHouse):
    """A house with fewer sensors, because two of them have to share a machine."""

    unused = (*UNUSED, "doorlock.toml", "lcd.toml", "meter.toml")


class Sites:
    """Both, with the link between them."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        for name in (HOME, CABIN):
            (folder / name).mkdir()
        self.home = Site(folder / HOME, stack, HOME, called_lines(folder / HOME))
        self.wire = Wire(self.home.broker.port)
        stack.callback(self.wire.close)
        self.cabin = Site(folder / CABIN, stack, CABIN, bridge_lines(HERE, self.wire.port, Pace()))
        self.both = (self.home, self.cabin)
        for house in self.both:
            far_files(house.config, caller=house is self.cabin, called_at=(HERE, self.wire.port))
        self.counts = [Count(house, stack) for house in self.both]

    def start(self) -> bool:
        """Start all sensors: first the recorders, since none may miss the first readings of the other site."""
        for house in self.both:
            house.start_supervisor(RECORDER)
        if not _wait(lambda: all(f"{RECORDER}: subscribed" in house.log.read_text() for house in self.both)):
            return False
        # What is measured at home before the cabin has called for the first time is not kept for it.
        if not _wait(self._has_called):
            return False
        # Until each site records the other's readings there is nothing to be cut.
        return all(started(house) for house in self.both) and _wait(lambda: all(all(row[1:]) for row in self.rows()))

    def _has_called(self) -> bool:
        """Return whether the cabin's history is connected."""
        topic = notification(CABIN, "history")
        command = ["mosquitto_sub", "-h", HERE, "-p", str(self.home.broker.port), "-t", topic, "-C", "1", "-W", "1"]
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False).stdout == b"1\n"

    def cut_and_mend(self, limit_s: float, over: threading.Event) -> None:
        """Cut the link, and mend it, within this time."""
        began = time.monotonic()
        self._at(began + CUT * limit_s, over)
        self.wire.refuse()
        self._say("THE LINK IS CUT")
        self._at(began + MENDED * limit_s, over)
        self.wire.accept()
        self._say("THE LINK IS BACK")

    def _at(self, moment: float, over: threading.Event) -> None:
        over.wait(max(0.0, moment - time.monotonic()))

    def _say(self, words: str) -> None:
        if not sys.stdout.isatty():  # there the table says it
            print(words, flush=True)

    def recorded(self, house: DemoHouse, group: str) -> int:
        """Return how many readings of a group a recorder has."""
        query = "SELECT COUNT(*) FROM reading JOIN sensor ON id = sensor WHERE name LIKE ? AND name != ?"
        database = sqlite3.connect(f"file:{house.state / 'history.sqlite'}?mode=ro", uri=True)
        with closing(database):
            found: int = database.execute(query, (f"{group}/%", f"{group}/{RECORDER}")).fetchone()[0]
        return found

    def rows(self) -> list[list[int]]:
        """Return the numbers of each site: published, recorded at home, recorded at the cabin."""
        return [
            [count.published(), *(self.recorded(at, house.group) for at in self.both)]
            for house, count in zip(self.both, self.counts, strict=True)
        ]

    def finish(self) -> int:
        """Stop what reads, wait until everything is recorded, and print the numbers; return 1 if they differ."""
        for house in self.both:
            house.ask("stop", house.sensors)
        equal = _wait(lambda: _equal(self.rows()))
        rows = self.rows()
        print("\nreadings   published   recorded at home   recorded at the cabin")
        for house, numbers in zip(self.both, rows, strict=True):
            print(f"{house.group:8} {numbers[0]:11} {numbers[1]:18} {numbers[2]:23}")
        print("equal" if equal else "NOT EQUAL")
        return int(not equal)


def _wait(true: Callable[[], bool]) -> bool:
    """Wait until something is true, but not for ever; return whether it is."""
    deadline = time.monotonic() + CATCH_UP_S
    while not (found := true()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return found


def _equal(rows: list[list[int]]) -> bool:
    return all(len(set(numbers)) == 1 for numbers in rows)


def main() -> int:
    """Set up both sites, let the time go by with a cut in its middle, and compare."""
    given = arguments()
    return cleaned_up(lambda stack: _live(Sites(make_folder(given.keep, stack), stack), given))


def _live(sites: Sites, given: argparse.Namespace) -> int:
    if not sites.start():
        return 1
    limit_s, over = given.limit_s, threading.Event()
    hints = f"The link is cut after {CUT * limit_s:.0f} s, and back after {MENDED * limit_s:.0f} s.\n"
    print(hints + "\n".join(f"  mosquitto_sub -p {one.broker.port} -v -t '#'    # {one.group}" for one in sites.both))
    with ExitStack() as days:
        for house in sites.both:
            begin_day(house, days)
        cutting = threading.Thread(target=sites.cut_and_mend, args=(limit_s, over))
        cutting.start()
        days.callback(cutting.join)
        days.callback(over.set)
        watch(sites.home, given.picture, limit_s)
    return sites.finish()


def watch(house: DemoHouse, picture: Path | None, limit_s: float) -> None:
    """Show the sensors by `penates watch` for so long."""
    drawn = ["--svg", str(picture)] if picture else []
    watching = subprocess.Popen([*PROGRAM, "watch", "--config", str(house.config), *drawn])
    try:
        with contextlib.suppress(subprocess.TimeoutExpired):
            watching.wait(limit_s)
    finally:
        end(watching)


if __name__ == "__main__":
    sys.exit(main())
