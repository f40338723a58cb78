"""The pins of a real kernel, driven from outside: run on the virtual Pi, as a user who may use its lines and sudo.

    python3 tests/pi/pins.py [FACTORY]

FACTORY is `kernel`, or `lgpio` to see the difference, or `rpigpio`: the interface of RPi.GPIO, which the package
`rpi-lgpio` provides on the kernel's lines (`.venv/bin/pip install rpi-lgpio`). Prints what it finds, and ends with 1 if
a promise is not kept.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PYTHON = ROOT / ".venv" / "bin" / "python"
FACTORY = sys.argv[1] if len(sys.argv) > 1 else "kernel"
IDLE_S = 30
PULSES = """
import time
pull = open("/run/vpi/gpio/sim_gpio22/pull", "w", buffering=1)
for _ in range(100):
    for level in ("pull-down", "pull-up"):
        pull.seek(0); pull.write(level); pull.flush(); time.sleep(0.005)
"""

FAN = """
from dataclasses import dataclass

from gpiozero import DigitalOutputDevice

from bootstrap.device import Device, Measure, Pin


@dataclass(kw_only=True)
class Fan(Device):
    relay: Pin

    on = Measure(bool)

    def setup(self):
        self.output = take(self, self.relay)

    def act_set(self, value):
        self.output.value = value == "on"
        return self.read()

    def read(self):
        return {"on": bool(self.output.value)}


def take(device, line):
    return device.own(DigitalOutputDevice(line))
"""

failures: list[str] = []


def world(*words: str) -> str:
    """Drive or read a line from outside."""
    return subprocess.check_output(["sudo", "vpi", "gpio", *words], text=True, stdin=subprocess.DEVNULL).strip()


def verdict(what: str, found: object, promised: object) -> None:
    print(f"{'ok  ' if found == promised else 'FAIL'} {what}: {found}")
    if found != promised:
        failures.append(what)


def wait(true: Callable[[], object], seconds: float = 60) -> bool:
    deadline = time.monotonic() + seconds
    while not true() and time.monotonic() < deadline:
        time.sleep(0.1)
    return bool(true())


class Site:
    """A house of four sensors in a folder, on the machine's own broker."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "devices").mkdir()
        (folder / "house.toml").write_text('group = "pi"\nheartbeat_s = 60\n')
        for sensor, text in {
            "frontdoor": 'kind = "door"\npin = 17',
            "counter": 'kind = "door"\npin = 22\nbounce_s = 0',
            "lamp": 'kind = "lamp"\npin = 27',
            "fan": 'kind = "fan.Fan"\nrelay = "BOARD16"',
        }.items():
            (folder / "devices" / f"{sensor}.toml").write_text(f"{text}\nevery_s = 3600\n")
        (folder / "fan.py").write_text(FAN)
        self.log = folder / "wire.log"
        self.eyes = subprocess.Popen(["mosquitto_sub", "-t", "pi/#", "-F", "%t %p"], stdout=self.log.open("w"))

    def run(self, sensor: str, command: str = "run") -> subprocess.Popen[bytes]:
        env = {**os.environ, "GPIOZERO_PIN_FACTORY": FACTORY, "STATE_DIRECTORY": str(self.folder)}
        words: list[str | Path] = [PYTHON, "-m", "penates", command, sensor, "--config", str(self.folder)]
        return subprocess.Popen(words, env=env, cwd=self.folder, stderr=(self.folder / f"{sensor}.log").open("w"))

    def on(self, topic: str) -> list[str]:
        rows = (line.split(" ", 1) for line in self.log.read_text().splitlines())
        return [payload for name, payload in rows if name == topic]


def wakeups(process: subprocess.Popen[bytes]) -> int:
    counts = (task.read_text().split("\nvoluntary_ctxt_switches:")[1] for task in tasks(process))
    return sum(int(count.split()[0]) for count in counts)


def tasks(process: subprocess.Popen[bytes]) -> list[Path]:
    return list(Path(f"/proc/{process.pid}/task").glob("*/status"))


def inputs(site: Site) -> None:
    opened = "pi/frontdoor/data/open"
    world("pull", "17", "0")
    verdict("a pull closes the door", wait(lambda: site.on(opened)[-1:] == ["false"]), promised=True)
    before = len(site.on(opened))
    world("bounce", "17", "1", "2", "3")
    wait(lambda: site.on(opened)[-1] == "true")
    time.sleep(1)
    verdict("five edges in 15 ms are one settled change", site.on(opened)[before:], ["true"])
    before = len(site.on("pi/counter/data/reading"))
    subprocess.run(["sudo", "python3", "-c", PULSES], check=True, stdin=subprocess.DEVNULL)
    history = "pi/counter/data/reading"
    wait(lambda: len(site.on(history)) - before >= 200)
    edges = [json.loads(record)["open"] for record in site.on(history)[before:]]
    if FACTORY == "rpigpio":
        print(f"     100 pulses of 5 ms are {len(edges)} edges; RPi.GPIO tells no level with an edge: none is promised")
        return
    verdict("100 pulses of 5 ms are this many edges in the history", len(edges), 200)
    verdict("in order", edges == [False, True] * 100, promised=True)


def outputs(site: Site, lamp: subprocess.Popen[bytes]) -> None:
    subprocess.run(["mosquitto_pub", "-t", "pi/lamp/action/set", "-m", "on"], check=True)
    verdict("the lamp's line is high after on", wait(lambda: world("value", "27") == "1", 10), promised=True)
    lamp.send_signal(signal.SIGTERM)
    verdict("the lamp stops in order", lamp.wait(30), 0)
    verdict("its line after SIGTERM", world("value", "27"), "0")
    killed(site, "lamp", "27", site.run("lamp"))


def killed(site: Site, sensor: str, line: str, running: subprocess.Popen[bytes]) -> None:
    """One whose output is on is killed, and what its unit does then is done."""
    wait(lambda: site.on(f"pi/{sensor}/status/state")[-1] == "online")
    subprocess.run(["mosquitto_pub", "-t", f"pi/{sensor}/action/set", "-m", "on"], check=True)
    verdict(f"the line of the {sensor} is high", wait(lambda: world("value", line) == "1", 10), promised=True)
    running.kill()
    running.wait()
    print(f"     its line after SIGKILL alone: {world('value', line)} (the hardware's pull decides)")
    verdict("the unit's stop action ends well", site.run(sensor, "safe").wait(60), 0)
    verdict("the line after SIGKILL and the unit's stop action", world("value", line), "0")


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        world("pull", "17", "1")
        world("pull", "22", "1")
        site = Site(Path(folder))
        daemons = {sensor: site.run(sensor) for sensor in ("frontdoor", "counter", "lamp", "fan")}
        try:
            ready = wait(lambda: all(site.on(f"pi/{sensor}/status/state")[-1:] == ["online"] for sensor in daemons))
            verdict("four sensors are online", ready, promised=True)
            inputs(site)
            before = wakeups(daemons["frontdoor"])
            time.sleep(IDLE_S)
            rate = (wakeups(daemons["frontdoor"]) - before) * 60 / IDLE_S
            print(f"     wake-ups a minute of an idle door, {FACTORY}: {rate:g}")
            if FACTORY == "kernel":
                verdict("at most 6", rate <= 6, promised=True)
            outputs(site, daemons["lamp"])
            killed(site, "fan", "23", daemons["fan"])
        finally:
            for process in (*daemons.values(), site.eyes):
                process.kill()
            for log in Path(folder).glob("*.log"):
                faults = [line for line in log.read_text().splitlines() if " error " in line or "Traceback" in line]
                print("\n".join(faults[:5]), end="\n" if faults else "")
    print(f"{len(failures)} promises not kept" if failures else "all promises kept")
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
