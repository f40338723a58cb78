"""Devices that other programs offer as a lock, a cover, a valve or a fan. They show what they are told to show."""

from dataclasses import dataclass
from typing import Any, ClassVar

from bootstrap.contract.payload import Json
from bootstrap.device import Device, Measure, Reading, takes

LOCKS = ("locked", "unlocking", "unlocked", "locking", "jammed", "unknown")
COVERS = ("open", "opening", "closed", "closing", "stopped", "unknown")
ENDS = {"lock": "locked", "unlock": "unlocked", "open": "open", "close": "closed", "stop": "stopped"}


@dataclass(kw_only=True)
class Shown(Device):
    """Wiring: none. Its state is what was commanded, or what it is told to show."""

    every_s: float = 3600.0

    first: ClassVar[str] = "unknown"

    def setup(self) -> None:
        self.shown = self.keep("shown", self.first)

    def read(self) -> Reading:
        return {"state": self.shown.value}

    def show(self, value: Json) -> Reading:
        word = str(value["state"] if isinstance(value, dict) else value)
        self.shown.value = ENDS.get(word, word)
        return self.read()


@dataclass(kw_only=True)
class Strike(Shown):
    """Wiring: none."""

    first: ClassVar = "locked"

    state = Measure(str, words=LOCKS)
    by = Measure(str, event=True)

    @takes("lock", "unlock", sets="state", keys=("state", "for_s", "by"), once=("unlock",), control="lock")
    def act_set(self, value: Any) -> Reading:
        return {**self.show(value), "by": value["by"]}

    @takes(*LOCKS)
    def act_show(self, value: Json) -> Reading:
        return self.show(value)


@dataclass(kw_only=True)
class Shutter(Shown):
    """Wiring: none. One that moves whenever it is told to."""

    shown_as: ClassVar = {"state": "shutter"}

    state = Measure(str, words=COVERS)
    position = Measure("%", low=0, high=100)
    obstructed = Measure(bool)

    @takes("open", "close", "stop", sets="state", low=0, high=100, unit="%", control="cover")
    def act_set(self, value: Any) -> Reading:
        if isinstance(value, str):
            return {**self.show(value), "obstructed": False}
        return {**self.show("open" if value else "closed"), "position": value}

    @takes(*COVERS)
    def act_show(self, value: Json) -> Reading:
        return self.show(value)


@dataclass(kw_only=True)
class Gate(Shown):
    """Wiring: none. One that takes no word without an expiry."""

    shown_as: ClassVar = {"state": "gate"}

    state = Measure(str, words=COVERS)

    @takes("open", "close", sets="state", once=("open", "close"), control="cover")
    def act_set(self, value: Json) -> Reading:
        return self.show(value)

    @takes(*COVERS)
    def act_show(self, value: Json) -> Reading:
        return self.show(value)


@dataclass(kw_only=True)
class Tap(Device):
    """Wiring: none."""

    shown_as: ClassVar = {"open": "water"}

    open = Measure(bool)

    def read(self) -> Reading:
        return {"open": False}

    @takes("open", "close", sets="open", control="valve")
    def act_set(self, value: Json) -> Reading:
        return {"open": value == "open"}


@dataclass(kw_only=True)
class Blower(Device):
    """Wiring: none."""

    level = Measure("%", low=0, high=100)
    mode = Measure(str, words=("manual", "following"))

    def read(self) -> Reading:
        return {"level": 0, "mode": "manual"}

    @takes("on", "off", "auto", sets="level", low=0, high=100, step=5, unit="%", control="fan")
    def act_set(self, value: Any) -> Reading:
        level = {"on": 100, "off": 0, "auto": 55}.get(value, value)
        return {"level": level, "mode": "following" if value == "auto" else "manual"}


@dataclass(kw_only=True)
class Dial(Device):
    """Wiring: none. Meters that count what they are told, over restarts."""

    every_s: float = 3600.0

    energy = Measure("kWh", low=0, counter=True)
    gas = Measure("m³", low=0, counter=True)
    water = Measure("m³", low=0, counter=True)

    def setup(self) -> None:
        self.kept = self.keep("total", 4711.25)

    def read(self) -> Reading:
        return dict.fromkeys(("energy", "gas", "water"), self.kept.value)

    @takes(low=0, high=100)
    def act_add(self, value: Any) -> Reading:
        self.kept.value += value
        return self.read()
