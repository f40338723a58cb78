"""Who is measured by benchmarks/outages.py: penates and mqtt-io, each with the same inputs."""

import os
import shutil
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from bootstrap import __version__
from bootstrap.contract.payload import Json
from far_link import link_cut
from outage.inputs import Level
from peers import peer_python, peer_version, running
from picture import Row
from support.world import House, Seen, Wires

HERE = Path(__file__).resolve().parent / "outage"


@dataclass
class Input:
    """One input of a subject: where it is told of, its status when all is `well`, and how the world moves it."""

    history: str
    state: str
    status: str
    well: bytes
    measure: str
    drive: Callable[[bool], None]

    def value(self, one: Seen) -> Json:
        value: Json = one.value[self.measure] if isinstance(one.value, dict) else one.value
        return value


class Subject(ABC):
    """What is measured, in a folder of its own."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port
        self.stack = ExitStack()

    def place(self, name: str) -> Path:
        """The folder of an input."""
        place = self.folder / "inputs" / name
        place.mkdir(parents=True)
        return place

    @staticmethod
    @abstractmethod
    def name() -> str: ...

    @staticmethod
    @abstractmethod
    def link_cut(folder: Path) -> Row | None:
        """What a cut between two sites leaves behind; None if it knows no second site."""

    @abstractmethod
    def counter(self, place: Path) -> Input: ...

    @abstractmethod
    def door(self, name: str, *, opened: bool) -> Input: ...

    @abstractmethod
    def contact(self, place: Path) -> Input: ...


class Penates(Subject):
    """Ours, as in this checkout."""

    @staticmethod
    def name() -> str:
        return f"penates {__version__}"

    @staticmethod
    def link_cut(folder: Path) -> Row | None:
        return link_cut(folder)

    def __init__(self, folder: Path, port: int) -> None:
        super().__init__(folder, port)
        self.house = House(folder)
        self.stack.callback(self.house.close)
        self.house.write(port, log='level = "warning"')
        self.wires = Wires(self.house)
        for file in ("inputs.py", "mine.py"):
            shutil.copy(HERE / file, folder)

    def _run(self, name: str, text: str, measure: str, drive: Callable[[bool], None]) -> Input:
        self.wires.run(name, text)
        top = f"cm/{name}"
        return Input(f"{top}/data/reading", f"{top}/data/{measure}", f"{top}/status/state", b"online", measure, drive)

    def counter(self, place: Path) -> Input:
        return self._run(
            "counter", f'kind = "mine.Counter"\nfolder = "{place}"\nevery_s = 1\n', "count", Level(place).drive
        )

    def door(self, name: str, *, opened: bool) -> Input:
        number = int(name.removeprefix("door"))
        line = self.wires.line(number)
        line.drive(opened)
        return self._run(name, f'kind = "door"\npin = {number}\nevery_s = 3600\n', "open", line.drive)

    def contact(self, place: Path) -> Input:
        text = f'kind = "mine.Contact"\nfolder = "{place}"\nevery_s = 0.1\n'
        return self._run("contact", text, "on", Level(place).drive)


COMMON = """
mqtt: {{host: 127.0.0.1, port: {port}, topic_prefix: {name}, keepalive: 10, reconnect_delay: 1, clean_session: false}}
options: {{install_requirements: false}}
"""
COUNTER = """
sensor_modules: [{{name: world, module: counting_sensor, folder: {place}}}]
sensor_inputs: [{{name: value, module: world, interval: 1, digits: 0, retain: true}}]
"""
PIN = """
gpio_modules: [{{name: world, module: folder_pins, folder: {place}}}]
digital_inputs: [{{name: value, module: world, pin: 1, retain: true, on_payload: "true", off_payload: "false"}}]
"""


class MqttIo(Subject):
    """From PyPI."""

    @staticmethod
    def name() -> str:
        return f"mqtt-io {peer_version()}"

    @staticmethod
    def link_cut(folder: Path) -> None:  # noqa: ARG004 - it would be that of two sites
        return None

    def _run(self, text: str, place: Path, kind: str) -> Input:
        name = place.name
        config = place / "mqtt-io.yml"
        config.write_text((COMMON + text).format(port=self.port, name=name, place=place))
        command = [str(peer_python()), str(HERE / "run_mqtt_io.py"), str(config)]
        self.stack.enter_context(running(command, **os.environ))
        topic = f"{name}/{kind}/value"
        return Input(topic, topic, f"{name}/status", b"running", "value", Level(place).drive)

    def counter(self, place: Path) -> Input:
        return self._run(COUNTER, place, "sensor")

    def door(self, name: str, *, opened: bool) -> Input:
        place = self.place(name)
        Level(place).drive(opened)
        return self._run(PIN, place, "input")

    def contact(self, place: Path) -> Input:
        return self._run(PIN, place, "input")
