"""Devices of a user's own, which do what devices do on bad days. `kind = "support.odd_devices.Odd"`."""

import contextlib
import json
import os
import subprocess
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gpiozero import LED, DigitalInputDevice, DigitalOutputDevice, LEDBoard, MotionSensor

from bootstrap.contract.payload import Json
from bootstrap.device import Device, Measure, Pin, Reading, takes
from bootstrap.errors import NoReading
from bootstrap.needs import Input, Output
from bootstrap.pins.edge import Edge

ERRORS = {
    "OSError": OSError("odd"),
    "Silent": OSError(),
    "ValueError": ValueError("odd"),
    "NoReading": NoReading("odd"),
    "RuntimeError": RuntimeError("odd"),
    "SystemExit": SystemExit(0),
    "TypeError": TypeError("odd"),
}


def flood() -> None:
    """Much, and never a line end."""
    while True:
        with contextlib.suppress(BlockingIOError):
            os.write(2, b"x" * 10_000)
        time.sleep(0.002)


@dataclass(kw_only=True)
class Odd(Device):
    """Wiring: none. `hook` raises `error`; what is torn down leaves a file."""

    hook: str = ""
    error: str = "RuntimeError"
    diary: Path = Path("diary")
    every_s: float = 0.1

    level = Measure("V", low=0, high=10)
    word = Measure(str)
    flag = Measure(bool)

    def _may_raise(self, hook: str) -> None:
        with self.diary.open("a") as diary:
            diary.write(f"{hook}\n")
        if hook == self.hook:
            raise ERRORS[self.error]

    def setup(self) -> None:
        self._may_raise("setup")
        if self.hook == "hang in setup":
            time.sleep(3600)
        if self.hook == "slow setup":
            time.sleep(1)
        if self.hook == "spawn":
            child = subprocess.Popen(["sleep", "3600"])
            self.diary.with_suffix(".pid").write_text(str(child.pid))
        if self.hook == "flood":
            threading.Thread(target=flood, daemon=True).start()

    def read(self) -> Reading:
        self._may_raise("read")
        return {"level": 5, "word": "open", "flag": True}

    def act_set(self, value: Json) -> Reading | None:
        self._may_raise("act_set")
        if value == "slow":
            time.sleep(0.3)
        if value == "hang":
            time.sleep(3600)
        if value == "wrong":
            return {"unknown": 1}
        return {"level": value} if isinstance(value, float | int) else None

    def teardown(self) -> None:
        self._may_raise("teardown")
        if self.hook == "hang":
            time.sleep(3600)
        if self.hook == "slow":
            time.sleep(1)
        if self.hook == "sluggish":
            time.sleep(4)


@dataclass(kw_only=True)
class HalfOpen(Device):
    """Wiring: none. What its teardown closes and its heartbeats tell of was never opened, because its setup failed."""

    error: str = "OSError"

    level = Measure("V")

    def setup(self) -> None:
        if self.error in ERRORS:
            raise ERRORS[self.error]
        self.port = DigitalOutputDevice(99)

    def read(self) -> Reading:
        return {"level": 1}

    def progress(self) -> Mapping[str, float | None]:
        return {"port": self.port.value}

    def teardown(self) -> None:
        self.port.close()


@dataclass(kw_only=True)
class Moody(Device):
    """Wiring: none. Each read takes its time and every other one fails; its end takes its time, too."""

    diary: Path = Path("diary")
    every_s: float = 0.1

    level = Measure("V")

    def setup(self) -> None:
        self.reads = 0
        with self.diary.open("a") as diary:
            diary.write("setup\n")

    def read(self) -> Reading:
        time.sleep(0.1)
        self.reads += 1
        if self.reads % 2:
            raise OSError("a bad mood")
        return {"level": 1}

    def teardown(self) -> None:
        time.sleep(0.7)


@dataclass(kw_only=True)
class Late(Device):
    """Wiring: none. The third read takes three and a half periods."""

    every_s: float = 0.2
    reads: int = 0

    late = Measure("s")

    def read(self) -> Reading:
        self.reads += 1
        if self.reads == 3:
            time.sleep(0.7)
        return {"late": time.monotonic()}


@dataclass(kw_only=True)
class Failing(Device):
    """Wiring: none. Its first reads fail."""

    failures: int = 1

    level = Measure("V")

    def read(self) -> Reading:
        self.failures -= 1
        if self.failures >= 0:
            raise OSError("it fails")
        return {"level": 1}


@dataclass(kw_only=True)
class Outputs(Device):
    """Wiring: none. Two outputs that are on, and a bad day on `action/go`."""

    first_pin: Pin
    second_pin: Pin
    how: str = "not at all"

    on = Measure(bool)

    def setup(self) -> None:
        if self.how.startswith("hang after ") and Path(self.how.removeprefix("hang after ")).exists():
            time.sleep(3600)
        self.first = self.own(DigitalOutputDevice(self.first_pin, initial_value=True))
        self.second = self.own(DigitalOutputDevice(self.second_pin, initial_value=True))

    def act_go(self, _value: Json) -> None:
        if self.how == "a thread dies":
            threading.Thread(target=lambda: 1 // 0).start()
            return
        if self.how.startswith("exit "):
            os._exit(int(self.how.removeprefix("exit ")))
        self.first.close()
        raise RuntimeError("a bug")

    def read(self) -> Reading:
        return {"on": bool(self.second.value)}


@dataclass(kw_only=True)
class Helped(Device):
    """Wiring: none. It has another function take its lines, some of them otherwise than it declares."""

    relay: Output
    button: Input
    how: str = "as declared"

    on = Measure(bool)

    def setup(self) -> None:
        self.taken = take_lines(self)

    def act_set(self, value: Json) -> Reading:
        self.taken[0].value = value
        return self.read()

    def read(self) -> Reading:
        return {"on": bool(self.taken[0].value)}


def take_lines(device: Helped) -> list[Any]:
    if device.how == "drives an input":
        device.own(LEDBoard(device.relay, device.button))
    if device.how == "drives a line of nobody":
        device.own(LED(26))
    if device.how == "watches a line of nobody":
        device.watch(DigitalInputDevice(26))
    return [device.own(LED(device.relay)), device.watch(DigitalInputDevice(device.button))]


@dataclass(kw_only=True)
class Queued(Device):
    """Wiring: none. gpiozero's own MotionSensor, which tells of edges from a thread of its own."""

    pin: Pin
    fails: bool = False

    thread = Measure(str)

    def setup(self) -> None:
        self.sensor = self.watch(MotionSensor(self.pin))

    def on_edge(self, _edge: Edge) -> Reading:
        if self.fails:
            raise OSError("odd")
        return {"thread": threading.current_thread().name}

    def read(self) -> Reading:
        return {}


@dataclass(kw_only=True)
class Told(Device):
    """Wiring: none. It reads what a file of JSON says: a reading, an errno to fail with, or nothing."""

    file: Path = Path("told.json")
    every_s: float = 3600.0

    level = Measure("V", low=0, high=10)
    depth = Measure("m", step=2)
    word = Measure(str)
    clicks = Measure("1", low=1, event=True)

    def read(self) -> Reading:
        match json.loads(self.file.read_text()):
            case None:
                raise NoReading
            case int(number):
                raise OSError(number, os.strerror(number))
            case dict(reading):
                return reading
            case other:
                raise TypeError(other)

    def act_set(self, value: Any) -> Reading:
        return {"level": value}


@dataclass(kw_only=True)
class Flapping(Device):
    """Wiring: none. Every second read fails."""

    every_s: float = 0.02
    reads: int = 0

    level = Measure("V")

    def read(self) -> Reading:
        self.reads += 1
        if self.reads % 2 == 0:
            raise OSError("it flaps")
        return {"level": 1}


@dataclass(kw_only=True)
class Panel(Device):
    """Wiring: none. A command of each sort; what was asked for is what it then measures."""

    level = Measure("%", low=0, high=100)
    target = Measure("°C", low=5, high=30)
    mode = Measure(str)
    said = Measure(str, event=True)

    def read(self) -> Reading:
        return {"level": 0, "target": 20, "mode": "low"}

    @takes("on", "off", sets="level", unit="%", low=0, high=100)
    def act_dim(self, value: Any) -> Reading:
        return {"level": {"on": 100, "off": 0}.get(value, value)}

    @takes(sets="target", unit="°C", low=5, high=30, step=0.5)
    def act_heat(self, value: Any) -> Reading:
        return {"target": value}

    @takes("low", "high", sets="mode")
    def act_choose(self, value: Any) -> Reading:
        return {"mode": value}

    def act_say(self, value: Json) -> Reading:
        return {"said": json.dumps(value)}


@dataclass(kw_only=True)
class Meter(Device):
    """Wiring: none. Counts what it is told, over restarts."""

    every_s: float = 3600.0

    count = Measure("1", low=0, counter=True)

    def setup(self) -> None:
        self.kept = self.keep("count", 0)

    def read(self) -> Reading:
        return {"count": self.kept.value}

    @takes(low=1, high=100)
    def act_add(self, value: Any) -> Reading:
        self.kept.value += value
        return self.read()


@dataclass(kw_only=True)
class Shutter(Device):
    """Wiring: none. A measure that is one of some words, and one that is an object, as a file of JSON says."""

    file: Path = Path("told.json")
    every_s: float = 0.1

    position = Measure(str, words=("open", "half", "shut"))
    motor = Measure(dict)

    def read(self) -> Reading:
        found: Reading = json.loads(self.file.read_text())
        return found

    @takes("open", "shut", sets="position")
    def act_set(self, value: Any) -> Reading:
        return {"position": value}

    @takes(unit="%", low=0, high=100, step=5)
    def act_tilt(self, value: Any) -> Reading:
        return {"motor": {"tilt": value}}


@dataclass(kw_only=True)
class Opener(Device):
    """Wiring: none. It counts how often it was told to unlock."""

    unlocked = Measure("1")

    def setup(self) -> None:
        self.count = self.keep("count", 0)

    @takes("lock", "unlock", keys=("state",), once=("unlock",), control="lock")
    def act_set(self, value: Json) -> Reading:
        """Count."""
        self.count.value += "unlock" in (value, value.get("state") if isinstance(value, dict) else "")
        return self.read()

    def read(self) -> Reading:
        return {"unlocked": self.count.value}
