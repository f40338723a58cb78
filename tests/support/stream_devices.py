"""Devices that hear streams."""

import json
from dataclasses import dataclass

from gpiozero import DigitalInputDevice

from bootstrap.contract.payload import Json
from bootstrap.device import Device, Measure, Pin, Reading
from bootstrap.errors import NoReading
from bootstrap.needs import Host, Program
from bootstrap.pins.edge import Edge
from bootstrap.streams import ChildProcess, Tcp


@dataclass(kw_only=True)
class Radio(Device):
    """Wiring: none. A program prints readings, or a host sends them."""

    program: str = ""
    shell: Program = "sh"
    host: Host = "127.0.0.1"
    port: int = 0
    pin: Pin | None = None
    goodbye: str = ""
    every_s: float = 3600.0

    level = Measure("V", low=0, high=10)
    pressed = Measure(bool)

    def setup(self) -> None:
        source = ChildProcess([self.shell, "-c", self.program]) if self.program else Tcp(self.host, self.port)
        self.stream = self.lines(source, self.on_line)
        if self.pin is not None:
            self.watch(DigitalInputDevice(self.pin))

    def on_line(self, line: str) -> Reading | None:
        return None if line == "noise" else json.loads(line)

    def on_edge(self, edge: Edge) -> Reading:
        return {"pressed": edge.active}

    def read(self) -> Reading:
        raise NoReading

    def act_say(self, value: Json) -> None:
        self.stream.write(f"{value}\n".encode())

    def teardown(self) -> None:
        if self.goodbye:
            self.stream.write(f"{self.goodbye}\n".encode())
