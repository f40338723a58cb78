"""Kinds of one's own, as they would be written beside house.toml."""

import time
from dataclasses import dataclass
from typing import ClassVar

from gpiozero import DigitalOutputDevice

from bootstrap import (
    Adopted,
    ChildProcess,
    Device,
    Gateway,
    Heard,
    Json,
    Measure,
    Pin,
    Program,
    Reading,
    TopicFilter,
    takes,
)

SHELL = Program("sh")
AIR = "while :; do echo 1 21.5; echo 2 7.5; sleep 1; done"


@dataclass(kw_only=True)
class Hurt(Device):
    """What hangs and eats as it is told. Wiring: none."""

    level = Measure("1")

    def read(self) -> Reading:
        return {"level": 1}

    def act_hang(self, _value: Json) -> None:
        time.sleep(3600)

    def act_eat(self, _value: Json) -> None:
        self.eaten = [bytearray(b"x" * 1_000_000) for _ in range(500)]


@dataclass(kw_only=True)
class Fan(Device):
    """A relay that another function takes, in a sensor that listens to another. Wiring: none."""

    relay: Pin
    follows: TopicFilter

    on = Measure(bool)
    level = Measure("1")

    def setup(self) -> None:
        self.output = relay(self, self.relay)
        self.listen(self.follows, self.on_level)

    def on_level(self, heard: Heard) -> Reading:
        return {"level": heard.number}

    @takes("on", "off")
    def act_set(self, value: Json) -> Reading:
        self.output.value = value == "on"
        return self.read()

    def read(self) -> Reading:
        return {"on": bool(self.output.value)}


def relay(device: Device, line: Pin) -> DigitalOutputDevice:
    return device.own(DigitalOutputDevice(line))


@dataclass(kw_only=True)
class Far(Adopted):
    """A sensor that the stick hears. Wiring: none."""

    id: int

    temperature = Measure("°C", low=-40, high=70)


@dataclass(kw_only=True)
class Stick(Gateway):
    """A radio that hears two sensors. Wiring: none."""

    program: Program = SHELL

    adopts: ClassVar = Far
    heard = Measure("1", counter=True)

    def setup(self) -> None:
        self.count = 0
        self.lines(ChildProcess([self.program, "-c", AIR]), self.on_line)

    def on_line(self, line: str) -> None:
        number, value = line.split()
        self.count += 1
        if sensor := self.find(id=int(number)):
            self.publish(sensor, {"temperature": float(value)})
        else:
            self.unknown({"id": int(number)}, line)

    def read(self) -> Reading:
        return {"heard": self.count}
