"""What a device needs is declared by the types of its settings."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import pytest

from bootstrap.config.loader import check
from bootstrap.config.toml_file import SettingsError
from bootstrap.device import Device
from bootstrap.needs import (
    BusAddress,
    ChildProgram,
    DebianPackage,
    DeviceNode,
    GpioLine,
    Host,
    I2CAddress,
    I2CBus,
    Input,
    Listened,
    Need,
    NetworkHost,
    OneWireFolder,
    Pin,
    Program,
    SerialPort,
    ServerUrl,
    SpiDevice,
    Target,
    Told,
    TopicFilter,
    bus_of,
    needs_of,
)
from support.paths import ROOT
from support.world import House


@dataclass(frozen=True)
class Template:
    """Text that names topics."""

    text: str

    def needs(self) -> Iterator[Need]:
        yield from (Listened(word) for word in self.text.split() if "/" in word)


@dataclass(kw_only=True)
class Fan(Device):
    """Follows a temperature."""

    relay: Pin
    tacho: Input | None = None
    follows: list[TopicFilter]
    also: Target = "cm/hall/action/set"
    shows: Template


def test_each_need_is_named_with_its_setting() -> None:
    fan = Fan(relay=17, tacho=4, follows=["a/b", "c/+"], shows=Template("now x/y outside"))
    assert needs_of(fan) == [
        ("relay", GpioLine(17)),
        ("tacho", GpioLine(4, driven=False)),
        ("follows", Listened("a/b")),
        ("follows", Listened("c/+")),
        ("also", Told("cm/hall/action/set")),
        ("shows", Listened("x/y")),
    ]


def test_what_is_not_set_needs_nothing() -> None:
    assert [name for name, _ in needs_of(Fan(relay=17, follows=[], shows=Template("")))] == ["relay", "also"]


@dataclass(frozen=True, kw_only=True)
class Way:
    """A section of a device's file."""

    port: SerialPort
    hosts: list[Host]


@dataclass(kw_only=True)
class Station(Device):
    """Has one of everything."""

    bus: I2CBus = 1
    address: I2CAddress = 0x76
    chip: SpiDevice = "0.1"
    url: ServerUrl = "http://[fe80::1]:8086/x"
    program: Annotated[Program, DebianPackage("rtl-433")] = "rtl_433"
    helper: Program = "/opt/mine/run"
    way: Way = field(default_factory=lambda: Way(port=Path("/dev/ttyUSB0"), hosts=["a.local"]))
    many: Host | list[Host] = field(default_factory=lambda: ["b.local"])


def test_buses_ports_hosts_and_programs_are_declared() -> None:
    assert needs_of(Station()) == [
        ("bus", DeviceNode(Path("/dev/i2c-1"), shared=True)),
        ("address", BusAddress(0x76)),
        ("chip", DeviceNode(Path("/dev/spidev0.1"))),
        ("url", NetworkHost("fe80::1")),
        ("program", ChildProgram("rtl_433", "rtl-433")),
        ("helper", ChildProgram("/opt/mine/run")),
        ("way", DeviceNode(Path("/dev/ttyUSB0"))),
        ("way", NetworkHost("a.local")),
        ("many", NetworkHost("b.local")),
    ]


@dataclass(kw_only=True)
class Probe(Device):
    """On a bus of another kind."""

    folder: OneWireFolder = Path("/sys/bus/w1/devices")


def test_the_bus_of_a_device_is_the_one_that_it_declares() -> None:
    assert [bus_of(device) for device in (Station(), Probe(), Fan(relay=17, follows=[], shows=Template("")))] == [
        Path("/dev/i2c-1"),
        Path("/sys/bus/w1/devices"),
        None,
    ]


MINE = """
from dataclasses import dataclass, field
from typing import Annotated

from bootstrap.device import Device, Measure
from bootstrap.needs import *
from bootstrap.needs import Listened

@dataclass(frozen=True)
class Text:
    text: str

    def __post_init__(self):
        if "/" not in self.text:
            raise ValueError("text with a topic")

    def needs(self):
        return [Listened(word) for word in self.text.split() if "/" in word]

@dataclass(kw_only=True)
class Mine(Device):
    relay: Pin | None = None
    inputs: list[Input] = field(default_factory=list)
    text: Text = Text("a/b")
    bus: I2CBus = 1
    address: I2CAddress = 0x40
    chip: SpiDevice = "0.0"
    host: Host = "localhost"
    filter: TopicFilter = "a/b"
    target: Target = "a/b"
    program: Program = "true"

    level = Measure("1")

    def read(self):
        return {}
"""


@pytest.fixture
def mine(house: House) -> House:
    house.write(1)
    (house.folder / "needy.py").write_text(MINE)
    return house


def test_lines_are_named_in_a_file_as_on_the_chip_or_the_header(mine: House) -> None:
    mine.device("a", 'kind = "needy.Mine"\nrelay = "BOARD11"\ninputs = ["GPIO5", 6, "BOARD7"]\ntext = "show x/y now"\n')
    (found,) = check(mine.folder)
    assert needs_of(found.device)[:5] == [
        ("relay", GpioLine(17)),
        *(("inputs", GpioLine(number, driven=False)) for number in (5, 6, 4)),
        ("text", Listened("x/y")),
    ]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ('relay = "BOARD1"', "'relay' must be a GPIO line (BOARD1 is 3V3), not \"BOARD1\""),
        ('relay = "GPIO99"', "'relay' must be a BCM number up to 27, a line (GPIO0 to GPIO27) or a pin of the header"),
        ("relay = 28", "'relay' must be at least 0 and at most 27, not 28"),
        ('inputs = [5, "BOARD6"]', "'inputs' must be a GPIO line (BOARD6 is GND)"),
        ('text = "no topic"', "'text' must be text with a topic, not \"no topic\""),
        ("bus = -1", "'bus' must be at least 0 and at most 255, not -1"),
        ("address = 0x78", "'address' must be at least 3 and at most 119, not 120"),
        ('chip = "/dev/spidev0.0"', "'chip' must be the numbers of bus and chip select, such as \"0.0\""),
        ('host = "http://a"', "'host' must be a host name or address alone"),
        ('filter = "a/#/b"', "'filter' must be an MQTT topic filter"),
        ('target = "a/+"', "'target' must be an MQTT topic, without + and #"),
        ('program = "rtl_433 -F json"', "'program' must be the name of a program, or its full path, without arguments"),
        ('program = "../x"', "'program' must be the name of a program"),
    ],
)
def test_what_cannot_be_is_refused_with_what_can(mine: House, line: str, fault: str) -> None:
    mine.device("a", f'kind = "needy.Mine"\n{line}\n')
    with pytest.raises(SettingsError) as error:
        check(mine.folder)
    (found,) = map(str, error.value.faults)
    assert found.startswith(f"devices/a.toml:2: {fault}")


SHOWN = """
import re
from dataclasses import dataclass

from bootstrap.device import Device, Measure
from bootstrap.needs import Listened

{template}

@dataclass(kw_only=True)
class Shown(Device):
    shows: Template = Template("{{a/b}}")
    level = Measure("1")

    def read(self):
        return {{}}
"""


def test_the_text_with_topics_of_the_documentation_is_one(house: House) -> None:
    house.write(1)
    (code,) = (part for part in (ROOT / "docs" / "ADDING.md").read_text().split("```") if "class Template" in part)
    (house.folder / "shown.py").write_text(SHOWN.format(template=code.removeprefix("python\n")))
    house.device("a", 'kind = "shown.Shown"\nshows = "in {x/y}, out {x/z} °C"\n')
    (one,), (again,) = check(house.folder), check(house.folder)
    assert needs_of(one.device) == [("shows", Listened("x/y")), ("shows", Listened("x/z"))]
    assert (one.device == again.device, f"{one.device.settings()['shows']}") == (True, "in {x/y}, out {x/z} °C")
