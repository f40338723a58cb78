"""A gateway for tests: what its radio hears are lines in a file. `kind = "support.radio.Radio"`."""

import json
import os
from collections.abc import Mapping  # noqa: TC003 - dataclasses read it
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from bootstrap.contract.payload import Json
from bootstrap.device import Measure, Reading, takes
from bootstrap.gateway import Adopted, Gateway


@dataclass(kw_only=True)
class RadioSensor(Adopted):
    """Wiring: none. While the file `absent` is there, its setup fails; `unit` sets a measure of its own."""

    id: int
    model: str = "AlectoV1"
    absent: Path = Path("absent")
    unit: str = ""

    identity: ClassVar = ("model", "id")
    temperature = Measure("°C", low=-40, high=70)

    def __post_init__(self) -> None:
        if self.unit:
            self.measures: Mapping[str, Measure] = {**self.measures, "level": Measure(self.unit)}  # type: ignore[misc]

    def setup(self) -> None:
        if self.absent.exists():
            raise OSError(2, "there is no such sensor")

    @takes("on", "off")
    def act_set(self, value: Json) -> Reading | None:
        self.gateway.send(self, value)
        return None


@dataclass(kw_only=True)
class Radio(Gateway):
    """Wiring: none. Each line that is appended to `air` is an object with `id` and values; `sent` takes commands."""

    air: Path = Path("air")
    sent: Path = Path("sent")
    babble_s: float = 0.0  # between two values that it makes up for each sensor
    look_every_s: float = 0.01
    every_s: float = 60.0

    adopts: ClassVar = RadioSensor
    heard = Measure("1", counter=True)

    def setup(self) -> None:
        self.count = self.offset = 0
        if self.babble_s:
            self.after(self.babble_s, self.babble)
        else:
            self.after(0, self.receive)

    def receive(self) -> None:
        self.after(self.look_every_s, self.receive)
        with suppress(FileNotFoundError), self.air.open("rb") as air:
            air.seek(self.offset)
            *lines, _rest = air.read().split(b"\n")
            self.offset += sum(len(line) + 1 for line in lines)
            for line in lines:
                self.take(json.loads(line))

    def babble(self) -> None:
        self.after(self.babble_s, self.babble)
        for sensor in self.sensors.values():
            self.take({**sensor.key, "temperature": self.count % 40})

    def take(self, heard: dict[str, Any]) -> None:
        self.count += 1
        key = {"model": heard.pop("model", "AlectoV1"), "id": heard.pop("id")}
        at = heard.pop("at", None)
        if sensor := self.find(**key):
            self.publish(sensor, heard, at)
        else:
            self.unknown(key, json.dumps(heard))

    def send(self, sensor: RadioSensor, value: Json) -> None:
        with self.sent.open("a") as sent:
            print(sensor.id, value, file=sent)

    def read(self) -> Reading:
        return {"heard": self.count}


def radio(count: int, more: str = "") -> str:
    """The file of a gateway that carries so many sensors, `s1` to `sN`."""
    sections = "".join(f"\n[sensors.s{number}]\nid = {number}\n" for number in range(1, count + 1))
    return f'kind = "support.radio.Radio"\nair = "air"\nsent = "sent"\n{more}\n{sections}'


def say(folder: Path, **heard: Any) -> None:
    """Let the radio hear something."""
    descriptor = os.open(folder / "air", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.write(descriptor, json.dumps(heard).encode() + b"\n")
    os.close(descriptor)
