"""The demo's house: its folder, its simulated bus and lines, its supervisor and sensors."""

import json
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Collection, Sequence
from contextlib import ExitStack
from pathlib import Path

from bootstrap.display.bus_port import SimulatedBus
from bootstrap.package_data import folder as data_folder
from bootstrap.pins.simulated_lines import LINES, LINES_VARIABLE, SimulatedLine
from bootstrap.supervisor.control_socket import SOCKET, ControlMessage, ask
from penates.console.supervisor_request import PATIENCE_S, control_request
from penates.demo.broker import HERE, DemoBroker
from penates.demo.own_program import OwnProgram
from penates.fleet.access import Access

PROGRAM = (sys.executable, "-P", "-m", "penates")  # -P: a folder called penates where we are is none of ours
RECORDER = "recorder"
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
UNUSED = ("cabin.toml", "nano.toml", "stick.toml", "transmitter.toml")  # the samples of what this house does not have
CHANGES = {  # what the copy of config/ sets differently: for each file, the settings and their values
    "house.toml": {
        "group": '"{group}"',
        "host": '"127.0.0.1"',
        "port": "{port}",
        "state": '"../state"',
        "heartbeat_s": "10.0",
        "level": '"debug"',  # at which each reading is logged, so that they can be counted
        "recorder": "true",
    },
    "devices/cellar.toml": {"bus": '"../bus"', "every_s": "1.0"},
    "devices/hall.toml": {"hold_s": "3.0"},
    "devices/lcd.toml": {"pages": "{pages}"},
    "devices/pi.toml": {"every_s": "5.0"},
    "devices/recorder.toml": {"every_s": "5.0"},
}


def make_folder(keep: Path | None, stack: ExitStack) -> Path:
    """Return the folder to keep, or one that `stack` removes."""
    if keep:
        return keep
    folder = Path(tempfile.mkdtemp(prefix="penates-demo-"))
    stack.callback(shutil.rmtree, folder, ignore_errors=True)
    return folder


class DemoHouse:
    """A folder and what runs in it. `stack` cleans it up in reverse order."""

    unused: tuple[str, ...] = UNUSED

    def __init__(self, folder: Path, stack: ExitStack, group: str = "home", broker: Sequence[str] = ()) -> None:
        """Start a broker that has these settings, too, and write the configuration of the sensors."""
        self._stack = stack
        self.folder, self.group = folder, group
        self.config, self.state, self.bus = folder / "config", folder / "state", folder / "bus"
        self.log = folder / "supervisor.log"
        self.broker = DemoBroker(folder, broker)
        stack.callback(self.broker.close)
        self.access = Access([HERE], self.broker.port)
        self._furnish()

    def _furnish(self) -> None:
        """Copy the samples for this broker, with a bus and lines of its own; the lines are as on a quiet night."""
        samples = data_folder("config")
        shutil.copytree(samples, self.config, copy_function=shutil.copyfile, ignore=lambda *_: self.unused)
        for folder in (self.config, *self.config.glob("**/")):
            folder.chmod(0o755)  # what is installed may be read-only
        for name in CHANGES:
            if Path(name).name not in self.unused:
                self._change(name)
        self.heat(14.0)
        for number, level in ((DOOR, False), (HALL, False), (BELL, True), (METER, True), (BOLT, False), (LEAF, False)):
            self.line(number).drive(level)
        SimulatedBus(1, self.state / LINES).plug(DISPLAY)

    def _change(self, name: str) -> None:
        file = self.config / name
        text = file.read_text(encoding="utf-8")
        for key, value in CHANGES[name].items():
            text, count = re.subn(rf"^(# )?{key} = .*", f"{key} = {value}", text, count=1, flags=re.MULTILINE)
            if not count:
                raise LookupError(f"{name} has no {key}")
        text = text.replace("{pages}", json.dumps(["\n".join(PAGE)], ensure_ascii=False))
        text = text.replace("{port}", str(self.broker.port)).replace("{group}", self.group)
        file.write_text(text, encoding="utf-8")

    def line(self, number: int) -> SimulatedLine:
        """Return one of the simulated lines."""
        return SimulatedLine(number, self.state / LINES)

    def heat(self, celsius: float | None) -> None:
        """Set the temperature of the probe in the cellar; with None, the probe does not answer."""
        file = self.bus / PROBE / "temperature"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.with_suffix(".next").write_text("" if celsius is None else f"{celsius * 1000:.0f}\n")
        file.with_suffix(".next").replace(file)

    def start_supervisor(self, *names: str) -> None:
        """Start the supervisor with these sensors, or all, and wait until it can be asked."""
        env = {**os.environ, "GPIOZERO_PIN_FACTORY": "simulated", LINES_VARIABLE: str(self.state / LINES)}
        supervisor = OwnProgram([*PROGRAM, "supervisor", "--config", str(self.config), *names], self.log, env)
        self._stack.callback(supervisor.end)
        while supervisor.runs and not (self.state / SOCKET).exists():
            time.sleep(0.02)

    @property
    def sensors(self) -> list[str]:
        """The names of all its sensors but the recorder, which is started first and stopped last."""
        names = (file.stem for file in (self.config / "devices").glob("*.toml"))
        return sorted(name for name in names if name != RECORDER)

    def ask(self, do: str, names: Collection[str] = ()) -> ControlMessage:
        """Ask the supervisor to start or stop these sensors, or all; return its answer once they have settled.

        Raises:
            Unavailable: it does not run, or does not answer.
        """
        return ask(self.state, control_request(do, self.config, names), PATIENCE_S)
