"""A day in a house: a broker, a bus and GPIO lines of its own, the real daemons, and people who come and go."""

# ruff: noqa: E402 - as long as there is nothing to clean up, Ctrl-C must not print a traceback
import signal

signal.signal(signal.SIGINT, signal.SIG_DFL)

import argparse
import json
import math
import os
import pwd
import re
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

import announced
from bootstrap.contract.topics import Topics
from bootstrap.display.bus_port import SimulatedBus
from bootstrap.eventloop.loop import STOP_SIGNALS
from bootstrap.pins.simulated_lines import LINES, SimulatedLine
from bootstrap.supervisor.control_socket import SOCKET
from penates.commands.send import ask, command
from penates.console.arguments import output_file
from penates.fleet.access import Access

ROOT = Path(__file__).resolve().parent.parent
PENATES = Path(sys.executable).parent / "penates"
HERE = "127.0.0.1"
PROBE = "28-0316a2795fff"
DOOR, HALL, BELL, METER = 17, 23, 24, 16  # as in config/devices/
STRIKE, BOLT, LEAF = 5, 6, 13  # of the lock
DISPLAY = 0x27  # as in config/devices/
PAGE = (
    "Cellar {{group}/cellar/temperature:.1f}°C",
    "measured {{group}/cellar!age} ago",
    "Door {{group}/frontdoor/open:open|shut} {{group}/doorlock/state}",
    "Power {{group}/meter/power:.0f} W",
)
DAY_S = 120.0
SETTLE_S = 10.0
PATIENCE_S = 20.0
HISTORY = ("history", "cellar", "temperature")  # what it draws at the end
UNUSED = ("cabin.toml", "nano.toml", "stick.toml", "transmitter.toml")  # the samples of what this house does not have
CHANGES = {  # what the copy of config/ sets differently: for each file, the settings and their values
    "house.toml": {
        "group": '"{group}"',
        "host": '"127.0.0.1"',
        "port": "{port}",
        "state": '"../state"',
        "heartbeat_s": "10.0",
        "recorder": "true",
    },
    "devices/cellar.toml": {"bus": '"../bus"', "every_s": "1.0"},
    "devices/hall.toml": {"hold_s": "3.0"},
    "devices/lcd.toml": {"pages": "{pages}"},
    "devices/pi.toml": {"every_s": "5.0"},
    "devices/recorder.toml": {"every_s": "5.0"},
}


def arguments() -> argparse.Namespace:
    """Return the arguments of `scripts/demo`."""
    parser = argparse.ArgumentParser(prog="scripts/demo", description=__doc__)
    parser.add_argument("--for", dest="limit_s", type=seconds, metavar="SECONDS", help="end after this time")
    parser.add_argument(
        "--keep", type=new_folder, metavar="DIR", help="put all files into this new folder, and keep them"
    )
    parser.add_argument("--picture", type=output_file, metavar="FILE", help="at the end, save the table as an SVG")
    announce = "print what is announced to Home Assistant, and end; with --picture, draw what the real one makes of it"
    parser.add_argument("--home-assistant", action="store_true", help=announce)
    return parser.parse_args()


def seconds(text: str) -> float:
    """Return a number of seconds, for argparse."""
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not 0 < found < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} must be a number of seconds above 0")
    return found


def new_folder(text: str) -> Path:
    """Return an empty folder, for argparse; make it if it does not exist."""
    folder = Path(text)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        empty = not any(folder.iterdir())
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{text}: {error.strerror}") from None
    if not empty:
        raise argparse.ArgumentTypeError(f"{text} is not empty; use a new folder")
    return folder.resolve()


def main() -> int:
    """Set up the house, let a day go by and show it."""
    given = arguments()
    return cleaned_up(lambda stack: House(make_folder(given.keep, stack), stack).live(given))


def cleaned_up(show: Callable[[ExitStack], int]) -> int:
    """Return what `show` does, or 0 after Ctrl-C; clean up whatever happens."""
    for number in STOP_SIGNALS:
        signal.signal(number, signal.default_int_handler)
    with ExitStack() as stack:
        try:
            return show(stack)
        except KeyboardInterrupt:
            return 0
        finally:
            for number in STOP_SIGNALS:
                signal.signal(number, signal.SIG_IGN)  # cleaning up takes a moment


def make_folder(keep: Path | None, stack: ExitStack) -> Path:
    """Return the folder to keep, or one that `stack` removes."""
    if keep:
        return keep
    folder = Path(tempfile.mkdtemp(prefix="penates-demo-"))
    stack.callback(shutil.rmtree, folder, ignore_errors=True)
    return folder


class House:
    """A folder and what runs in it. `stack` cleans it up in reverse order."""

    unused: tuple[str, ...] = UNUSED

    def __init__(self, folder: Path, stack: ExitStack, group: str = "cm", broker: Sequence[str] = ()) -> None:
        """Start a broker that has these settings, too, and write the configuration of the sensors."""
        self._stack, self.began = stack, time.monotonic()
        self.folder, self.group = folder, group
        self.config, self.state, self.bus = folder / "config", folder / "state", folder / "bus"
        self.port = self._start_broker(broker)
        self._furnish()

    def _start_broker(self, lines: Sequence[str]) -> int:
        """Start a broker on a free port, and return the port; try again if another program takes it first."""
        for _ in range(5):
            with socket.socket() as probe:
                probe.bind((HERE, 0))
                port: int = probe.getsockname()[1]
            file = self.folder / "mosquitto.conf"
            # Started by root it would become another user, who may not read its files here.
            user = pwd.getpwuid(os.getuid()).pw_name
            usual = [f"listener {port} {HERE}", "allow_anonymous true", "set_tcp_nodelay true", f"user {user}"]
            file.write_text("\n".join([*usual, *lines, ""]))
            with (self.folder / "mosquitto.log").open("w") as log:
                # In a session of its own, so that Ctrl-C does not end it before the sensors have stopped.
                broker = subprocess.Popen(["mosquitto", "-c", file], stdout=log, stderr=log, start_new_session=True)
            self._stack.callback(end, broker)
            if self._answers(broker, port):
                return port
        raise SystemExit(f"scripts/demo: mosquitto does not start:\n{(self.folder / 'mosquitto.log').read_text()}")

    def _answers(self, broker: "subprocess.Popen[bytes]", port: int) -> bool:
        deadline = time.monotonic() + SETTLE_S
        while broker.poll() is None and time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex((HERE, port)) == 0:
                    return True
            time.sleep(0.02)
        return False

    def _furnish(self) -> None:
        """Copy config/ for this broker, with a bus and lines of its own; the lines are as on a quiet night."""
        shutil.copytree(ROOT / "config", self.config, copy_function=shutil.copyfile, ignore=lambda *_: self.unused)
        for folder in (self.config, *self.config.glob("**/")):
            folder.chmod(0o755)  # the checkout may be read-only
        for name, changes in CHANGES.items():
            file = self.config / name
            if file.name in self.unused:
                continue
            text = file.read_text()
            for key, value in changes.items():
                text, count = re.subn(rf"^(# )?{key} = .*", f"{key} = {value}", text, count=1, flags=re.MULTILINE)
                assert count == 1, f"{name} has no {key}"
            text = text.replace("{pages}", json.dumps(["\n".join(PAGE)], ensure_ascii=False))
            file.write_text(text.replace("{port}", str(self.port)).replace("{group}", self.group))
        self.heat(14.0)
        for number, level in ((DOOR, False), (HALL, False), (BELL, True), (METER, True)):
            self.line(number).drive(level)
        for number in (BOLT, LEAF):
            self.line(number).drive(False)
        SimulatedBus(1, self.state / LINES).plug(DISPLAY)

    def line(self, number: int) -> SimulatedLine:
        """Return one of the simulated lines."""
        return SimulatedLine(number, self.state / LINES)

    def heat(self, celsius: float | None) -> None:
        """Set the temperature of the probe in the cellar; with None, the probe does not answer."""
        file = self.bus / PROBE / "temperature"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.with_suffix(".next").write_text("" if celsius is None else f"{celsius * 1000:.0f}\n")
        file.with_suffix(".next").replace(file)

    def start_supervisor(self) -> None:
        """Start the supervisor as a child of ours, in a session of its own, so that Ctrl-C does not end it."""
        env = {**os.environ, "GPIOZERO_PIN_FACTORY": "simulated"}
        command: list[str | Path] = [PENATES, "supervisor", "--config", self.config]
        with (self.folder / "supervisor.log").open("w") as log:
            supervisor = subprocess.Popen(command, env=env, stderr=log, start_new_session=True)
        self._stack.callback(end, supervisor)
        while supervisor.poll() is None and not (self.state / SOCKET).exists():
            time.sleep(0.02)

    def penates(self, *arguments: str, quiet: bool = False) -> int:
        """Run a sub-command as a user would, without its output if it is to be `quiet`; return its exit code."""
        out = subprocess.DEVNULL if quiet else None
        return subprocess.run([PENATES, *arguments, "--config", self.config], stdout=out, check=False).returncode

    def start(self) -> bool:
        """Start the sensors, and wait until none is starting any more; print them if one is not online."""
        starting = subprocess.run(
            [PENATES, "start", "--config", self.config], stdout=subprocess.PIPE, text=True, check=False
        )
        if starting.returncode != 0:
            print(starting.stdout, end="", file=sys.stderr)
        return starting.returncode == 0

    def live(self, given: argparse.Namespace) -> int:
        """Start the sensors, let the day go by, and show it with `penates watch`."""
        self.start_supervisor()
        if not self.start():
            return 1
        if given.home_assistant:
            return self.show_announcements(given.picture)
        print(self.hints(kept=bool(given.keep)), file=sys.stderr)
        self._stack.callback(self.penates, *HISTORY)
        self.begin_day(self._stack)
        return self.watch(given.picture, given.limit_s and self.began + given.limit_s)

    def begin_day(self, stack: ExitStack) -> None:
        """Let things happen from now on, until `stack` is unwound."""
        over = threading.Event()
        day = threading.Thread(target=Day(self, over).run)
        day.start()
        stack.callback(day.join)
        stack.callback(over.set)

    def watch(self, picture: Path | None, deadline: float | None) -> int:
        """Show the sensors until this moment (monotonic), and return the exit code of `penates watch`."""
        drawn: list[str | Path] = ["--svg", picture] if picture else []
        watching = subprocess.Popen([PENATES, "watch", "--config", self.config, *drawn])
        self._stack.callback(end, watching)
        try:
            return watching.wait(None if deadline is None else max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            end(watching)
            return 0

    def show_announcements(self, picture: Path | None) -> int:
        """Print the device and the entities of each announcement to Home Assistant."""
        found = announced.announcements(Access([HERE], self.port), len([*(self.config / "devices").iterdir()]))
        print("\n\n".join("\n".join(announced.described(one)) for one in found))
        if picture:
            picture.write_text(announced.picture(self.folder / "assistant", self.port))
        return 0

    def hints(self, *, kept: bool) -> str:
        """Return what to try meanwhile, and afterwards if the house is `kept`."""
        end = "leaves the files where they are" if kept else "removes everything"
        return f"""
In another terminal:
  cd {shlex.quote(str(self.folder))}; PATH={shlex.quote(str(PENATES.parent))}:$PATH
  mosquitto_sub -p {self.port} -v -t 'cm/#'
  penates status --config config
  penates send --config config cm/lamp set toggle
  penates send --config config cm/doorlock set unlock
  penates send --config config cm/lcd alert "Dinner is ready"
  penates lcd shot --config config cm/lcd lcd.png  # what the display shows
  penates gpio --config config {DOOR} 1         # opens the front door; 0 closes it
  penates {" ".join(HISTORY)} --config config{"  # also works afterwards" * kept}
  nano config/devices/cellar.toml && penates reload --config config
Ctrl-C ends it, draws that history, and {end}.
"""


def end(process: "subprocess.Popen[bytes]") -> None:
    """End a process of ours: in order, else at once, else by force."""
    for signalled in (process.terminate, process.terminate, process.kill):
        signalled()
        try:
            process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            continue
        return


class Day:
    """The events in the house, second by second, repeated until it is over."""

    def __init__(self, house: House, over: threading.Event) -> None:
        self._house, self._over = house, over
        self._access = Access([HERE], house.port)
        self._events: dict[int, Callable[[], None]] = {
            3: lambda: self.ring(1),
            4: self.unlock,
            5: lambda: self.door(open_=True),
            6: lambda: self.move(still=False),
            7: lambda: self.lamp("on"),
            9: lambda: self.door(open_=False),
            10: lambda: self.move(still=True),
            16: lambda: self.lamp("off"),
            22: lambda: self.ring(2),
            24: lambda: self._house.heat(None),
        }
        self._unplugged = range(24, 30)

    def run(self) -> None:
        """Play the events until it is over."""
        began = time.monotonic()
        second = 0
        while not self._over.wait(max(0.0, began + second - time.monotonic())):
            if second % 40 not in self._unplugged:
                self._house.heat(14 + 3 * math.sin(2 * math.pi * second / DAY_S))
            self._events.get(second % 40, lambda: None)()
            self.turn_bolt()
            self.pulse()
            second += 1

    def ring(self, times: int) -> None:
        """Press the bell, as somebody at the gate does."""
        for _ in range(times):
            for level in (False, True):
                self._house.line(BELL).drive(level)
                self._over.wait(0.1)

    def unlock(self) -> None:
        """Unlock the front door for some seconds, as a client of the broker does."""
        if "doorlock.toml" not in self._house.unused:
            ask(self._access, Topics(self._house.group, "doorlock"), "set", command("unlock", 2.0), 2.0)

    def turn_bolt(self) -> None:
        """Have the bolt follow its strike; its contact is closed while it is thrown."""
        self._house.line(BOLT).drive(bool(self._house.line(STRIKE).level()))

    def pulse(self) -> None:
        """Have the meter count a watt hour."""
        for level in (False, True):
            self._house.line(METER).drive(level)
            self._over.wait(0.05)

    def door(self, *, open_: bool) -> None:
        """Move the magnet away from the contact, or near it; the lock has a contact of its own."""
        for number in (DOOR, LEAF):
            self._house.line(number).drive(open_)

    def move(self, *, still: bool) -> None:
        """Have somebody walk in the hall, or stand still."""
        self._house.line(HALL).drive(not still)

    def lamp(self, state: str) -> None:
        """Switch the lamp, as a wall switch does that is a client of the broker."""
        ask(self._access, Topics(self._house.group, "lamp"), "set", command(state, 2.0), 2.0)


if __name__ == "__main__":
    sys.exit(main())
