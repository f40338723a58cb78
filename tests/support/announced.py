"""A device with one of each sort, and what Home Assistant is told of a device."""

import json
from dataclasses import dataclass
from typing import Any, ClassVar

from bootstrap.contract.payload import Json
from bootstrap.contract.topics import Topics
from bootstrap.device import Device, Measure, takes
from bootstrap.homeassistant import announcement


def announced(device: type[Device], kind: str = "one", host: str = "pi", heartbeat_s: float = 60) -> dict[str, Any]:
    measures = {name: {**measure.facts, "every_s": 60.0} for name, measure in device.measures.items()}
    measures |= {name: {**measures[name], "shown_as": what} for name, what in device.shown_as.items()}
    actions = {name: command.facts for name, command in device.commands.items()}
    about = {"kind": kind, "measures": measures, "actions": actions, "version": "1", "host": host}
    found: dict[str, Any] = json.loads(
        announcement.announcement(Topics("cm", "some"), {**about, "heartbeat_s": heartbeat_s})
    )
    return found


@dataclass(kw_only=True)
class Everything(Device):
    """Wiring: none. One of each."""

    shown_as: ClassVar = {"open": "window", "flag": "mdi:flag", "load": "mdi:gauge", "ring": "doorbell"}

    outside_temperature = Measure("°C")
    humidity = Measure("%")
    power = Measure("W")
    energy = Measure("kWh", counter=True)
    rain = Measure("mm")
    load = Measure("1")
    odd = Measure("smoots")
    word = Measure(str)
    open = Measure(bool)
    flag = Measure(bool)
    ring = Measure(str, event=True)
    level = Measure("%", low=0, high=100)
    target = Measure("°C", low=5, high=30)
    phase = Measure(str, words=("idle", "heating"))
    gesture = Measure(str, words=("up", "down"), event=True)
    scene = Measure(dict)

    @takes("on", "off", sets="level", unit="%", low=0, high=100)
    def act_dim(self, value: Json) -> None: ...

    @takes("on", "off", "toggle", sets="flag")
    def act_turn(self, value: Json) -> None: ...

    @takes(sets="target", unit="°C", low=5, high=30, step=0.5)
    def act_heat(self, value: Json) -> None: ...

    @takes("low", "high")
    def act_mode(self, value: Json) -> None: ...

    @takes("reset")
    def act_reset(self, value: Json) -> None: ...

    @takes(unit="s", low=1, sets="load")
    def act_wait(self, value: Json) -> None: ...

    def act_say(self, value: Json) -> None: ...
