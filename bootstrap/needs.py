"""What a device needs of its machine, the broker and the network, declared by the types of its settings.

The type of a setting carries a `Declares`, or is a class with a method `needs`. Checks, unit files, access rules,
doctor and installer read `needs_of`, and nothing else.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, TypeAlias, Union, get_args, get_origin, get_type_hints

from bootstrap.contract.topic_filters import WILD, a_filter
from bootstrap.contract.topics import Kind
from bootstrap.hosts import a_host, a_page, a_url, host_of
from bootstrap.limits import FromText, Limits
from bootstrap.pins.line_names import BCM_NUMBERS, line_number

HEADERS_BUS = 1  # the number of the I2C bus on the Pi's header


@dataclass(frozen=True)
class GpioLine:
    """A GPIO line by its BCM number.

    `driven` means that the device may make it an output; `timed`, that it is switched at exact times, for which its
    process may ask for real-time scheduling.
    """

    number: int
    driven: bool = True
    timed: bool = False


@dataclass(frozen=True)
class KernelPwm:
    """That the Pi's own PWM drives lines, and not the process: those that the same device may drive."""

    lines: tuple[int, ...] = ()


@dataclass(frozen=True)
class DeviceNode:
    """A device node that is opened, such as `/dev/i2c-1`; `shared` means that other devices may use it, too."""

    path: Path
    shared: bool = False


@dataclass(frozen=True)
class UsbDevice:
    """A USB device that is opened as a whole, not by a node of its own, such as a radio stick.

    Attributes:
        name: by which the device that needs it is told which one; no other device may have the same.
        ids: the numbers of maker and product that it can have, such as `0bda:2838`; empty if nobody knows.
        serial: its serial number, if that tells which one it is.
        driver: the kernel's driver that takes such devices, so that nobody else can open them.
    """

    name: str
    ids: tuple[str, ...] = ()
    serial: str = ""
    driver: str = ""


@dataclass(frozen=True)
class BusAddress:
    """The address of a chip on the shared bus that the same device declares."""

    number: int


@dataclass(frozen=True)
class OneWireBus:
    """The folder in which the kernel lists the devices of its 1-Wire buses.

    Attributes:
        overlay, by_default: as of a `KernelChip`.
        bulk: whether all thermometers on a bus are told to convert at once, which the kernel lets root alone do.
    """

    folder: Path
    overlay: str = "w1-gpio"
    by_default: bool = True
    bulk: bool = False


@dataclass(frozen=True)
class OneWireSerial:
    """The serial number of a device on the 1-Wire bus that the same device declares."""

    serial: str


@dataclass(frozen=True)
class KernelFolder:
    """The folder in which the kernel's drivers offer what they measure."""

    folder: Path


@dataclass(frozen=True)
class KernelChip:
    """A chip that a driver of the kernel reads, and how the kernel comes to know of it.

    Attributes:
        part: the number that is printed on it.
        names: what its driver or its bus calls it.
        place: where it is: an address on I2C such as `0x76`, `spi0.0`, or GPIO lines.
        overlay: the line of config.txt after `dtoverlay=`; empty if Raspberry Pi OS has none.
        new_device: what is written into `new_device` of its I2C bus at each start, where there is no overlay.
        lines: the GPIO lines that its driver holds.
        address: on I2C; None elsewhere.
        bus: the number of its I2C bus.
        shipped: whether Raspberry Pi OS has its driver.
        by_default: whether the overlay without its values says the same.
    """

    part: str
    names: tuple[str, ...]
    place: str
    overlay: str = ""
    new_device: str = ""
    lines: tuple[int, ...] = ()
    address: int | None = None
    bus: int = HEADERS_BUS
    shipped: bool = True
    by_default: bool = True


@dataclass(frozen=True)
class NetworkHost:
    """A host that is connected to, by its name or address."""

    host: str


@dataclass(frozen=True)
class Listened:
    """Topics of others that are subscribed to, by a topic filter."""

    filter: str


@dataclass(frozen=True)
class Told:
    """A topic of others that is published to, or a filter that all such topics match."""

    topic: str


@dataclass(frozen=True)
class ChildProgram:
    """A program that runs as a child process, by its name or path, and the Debian package that it comes from."""

    name: str
    package: str = ""


@dataclass(frozen=True)
class IcmpEcho:
    """That a host is asked by ICMP, which the kernel lets only some groups do without root."""


@dataclass(frozen=True)
class PowerSwitch:
    """That this machine is restarted, or shut down: `reboot` or `shutdown`. No sandboxed unit may do so by itself."""

    word: str


Need: TypeAlias = (
    GpioLine
    | KernelPwm
    | DeviceNode
    | UsbDevice
    | BusAddress
    | OneWireBus
    | OneWireSerial
    | KernelFolder
    | KernelChip
    | NetworkHost
    | Listened
    | Told
    | ChildProgram
    | IcmpEcho
    | PowerSwitch
)  # fmt: skip


@dataclass(frozen=True)
class TextSetting:
    """The base class of settings whose text is more than a word: `__post_init__` raises ValueError if it means nothing.

    It needs nothing of the machine, unless a subclass says what.
    """

    text: str

    def __str__(self) -> str:
        return self.text

    def needs(self) -> list[Need]:
        """Return what it needs."""
        return []


@dataclass(frozen=True)
class Declares:
    """Mark the type of a setting as declaring needs: `Annotated[str, a_filter, Declares(lambda text: …)]`.

    `what` explains the setting to people if its device does not.
    """

    needs: Callable[[Any], Iterable[Need]]
    what: str = ""


@dataclass(frozen=True)
class DebianPackage:
    """Name the package of a program, for the installer: `Annotated[Program, DebianPackage("rtl-433")]`."""

    name: str


def a_topic(text: str) -> None:
    """Raise ValueError, saying what is allowed, if `text` is not a topic that one can publish to."""
    a_filter(text)
    if WILD & {*text} or text.startswith("$"):
        raise ValueError("an MQTT topic, without + and # and without $ at the beginning")
    match text.split("/"):
        case [_, _, Kind.DATA | Kind.STATUS, _]:
            raise ValueError("an MQTT topic; data and status of a sensor are published by that sensor alone")


def a_program(text: str) -> None:
    """Raise ValueError, saying what is allowed, if `text` is neither a program's name nor its full path."""
    if not text.isprintable() or (text[0] != "/" and not PROGRAM.fullmatch(text)):
        raise ValueError("the name of a program, or its full path, without arguments")


def a_way_to_ask(text: str) -> None:
    """Raise ValueError, saying what is allowed, if `text` is neither ICMP nor a TCP port."""
    name, _, port = text.partition(":")
    if text != ICMP and not (name == TCP and port.isdecimal() and port.isascii() and 0 < int(port[:6]) <= MOST_PORT):
        raise ValueError(f'"{ICMP}", or "{TCP}:443" for a connection to this port')


def a_chip_select(text: str) -> None:
    """Raise ValueError, saying what is allowed, if `text` does not name an SPI device."""
    if not SPI.fullmatch(text):
        raise ValueError('the numbers of bus and chip select, such as "0.0" for /dev/spidev0.0')


PROGRAM = re.compile(r"\w[\w.+-]*", re.ASCII)
SPI = re.compile(r"\d{1,2}\.\d{1,2}", re.ASCII)
HARDWARE = "hardware"
ICMP, TCP, MOST_PORT = "icmp", "tcp", 65_535
DEV = Path("/dev")
NAMED = FromText(line_number)
LINES = Limits(BCM_NUMBERS[0], BCM_NUMBERS[-1], 'GPIO line: its BCM number, "GPIO17", or "BOARD11" for pin 11')
BUSES = Limits(0, 255, "number of the I2C bus: 1 is /dev/i2c-1")
ADDRESSES = Limits(0x03, 0x77, "address on the I2C bus; i2cdetect shows them as hexadecimal numbers, 0x76")
SLAVES = Limits(0, 255, "address on the Modbus, 1 to 247 on a serial line; each device on one bus has another")

A_CHIP = "SPI device: the numbers of its bus and of its chip select"
A_PORT = "path of the serial port; the one in /dev/serial/by-id stays the same"
A_SERIAL_BUS = "path of the serial port that the bus is on, which several devices may share"
A_BUS = "where the kernel lists the bus"
ONE_WIRE = "serial number of the device, the name of its folder: ls /sys/bus/w1/devices"

Pin: TypeAlias = Annotated[int, NAMED, LINES, Declares(lambda number: [GpioLine(number)])]
Input: TypeAlias = Annotated[int, NAMED, LINES, Declares(lambda number: [GpioLine(number, driven=False)])]
Output: TypeAlias = Annotated[int, NAMED, LINES, Declares(lambda number: [GpioLine(number)])]
TimedOutput: TypeAlias = Annotated[int, NAMED, LINES, Declares(lambda number: [GpioLine(number, timed=True)])]
PwmSource: TypeAlias = Annotated[
    Literal["software", "hardware"],
    Declares(lambda word: [KernelPwm()] if word == HARDWARE else [], "who switches the line"),
]
I2CBus: TypeAlias = Annotated[int, BUSES, Declares(lambda number: [DeviceNode(DEV / f"i2c-{number}", shared=True)])]
I2CAddress: TypeAlias = Annotated[int, ADDRESSES, Declares(lambda number: [BusAddress(number)])]
SpiDevice: TypeAlias = Annotated[str, a_chip_select, Declares(lambda text: [DeviceNode(DEV / f"spidev{text}")], A_CHIP)]
SerialPort: TypeAlias = Annotated[Path, Declares(lambda path: [DeviceNode(path)], A_PORT)]
SerialBus: TypeAlias = Annotated[Path, Declares(lambda path: [DeviceNode(path, shared=True)], A_SERIAL_BUS)]
ModbusAddress: TypeAlias = Annotated[int, SLAVES, Declares(lambda number: [BusAddress(number)])]
UsbName: TypeAlias = Annotated[str, Declares(lambda text: [UsbDevice(text)], "what its program calls the USB device")]
OneWireFolder: TypeAlias = Annotated[Path, Declares(lambda path: [OneWireBus(path)], A_BUS)]
OneWireBulk: TypeAlias = Annotated[Path, Declares(lambda path: [OneWireBus(path, bulk=True)], A_BUS)]
OneWireDevice: TypeAlias = Annotated[str, Declares(lambda text: [OneWireSerial(text)], ONE_WIRE)]
Sysfs: TypeAlias = Annotated[Path, Declares(lambda path: [KernelFolder(path)], "where the kernel shows its devices")]
Host: TypeAlias = Annotated[str, a_host, Declares(lambda text: [NetworkHost(text)], "name or address of the host")]
ServerUrl: TypeAlias = Annotated[str, a_url, Declares(lambda text: [NetworkHost(host_of(text))], "URL of the server")]
PageUrl: TypeAlias = Annotated[str, a_page, Declares(lambda text: [NetworkHost(host_of(text))], "URL of the page")]
TopicFilter: TypeAlias = Annotated[str, a_filter, Declares(lambda text: [Listened(text)], "topic, or topic filter")]
Target: TypeAlias = Annotated[str, a_topic, Declares(lambda text: [Told(text)], "topic to publish to")]
WayToAsk: TypeAlias = Annotated[
    str, a_way_to_ask, Declares(lambda text: [IcmpEcho()] if text == ICMP else [], "how a host is asked")
]
PowerAction: TypeAlias = Annotated[
    Literal["reboot", "shutdown"], Declares(lambda word: [PowerSwitch(word)], "what may be done to this machine")
]
Program: TypeAlias = Annotated[str, a_program, Declares(lambda text: [ChildProgram(text)], "program: its name or path")]


def needs_of(device: Any) -> list[tuple[str, Need]]:  # noqa: ANN401 - a `Device`, which stands above
    """Return what a device needs with its settings, each with the name of the setting that declares it.

    What its owner derives from other sensors' measures is in a section of its own.
    """
    hints = get_type_hints(type(device), include_extras=True)
    named = ((one.name, getattr(device, one.name), hints[one.name]) for one in fields(device))
    own = [(name, need) for name, value, hint in named for need in declared(value, hint)]
    return [*with_lines(own), *(("derive", Listened(topic)) for topic in getattr(device, "also_listens", ()))]


def with_lines(found: Iterable[tuple[str, Need]]) -> list[tuple[str, Need]]:
    """Return the needs of one device, with the lines that it drives in those that are about them."""
    needed = [*found]
    driven = tuple(need.number for _name, need in needed if isinstance(need, GpioLine) and need.driven)
    return [(name, replace(need, lines=driven) if isinstance(need, KernelPwm) else need) for name, need in needed]


def bus_of(device: Any) -> Path | None:  # noqa: ANN401 - as above
    """Return the node, or the folder, of the shared bus that a device declares; None if it declares none."""
    needed = [need for _name, need in needs_of(device)]
    nodes = [need.path for need in needed if isinstance(need, DeviceNode) and need.shared]
    return next(iter([*nodes, *(need.folder for need in needed if isinstance(need, OneWireBus))]), None)


def may_drive(device: Any) -> bool:  # noqa: ANN401 - as above
    """Return whether a device declares a line that it may drive, which must be made safe after a kill."""
    return any(isinstance(need, GpioLine) and need.driven for _name, need in needs_of(device))


def declared(value: Any, hint: object) -> Iterator[Need]:  # noqa: ANN401 - of any setting
    """Yield what a value needs by its type: an annotation, a choice of types, a list, a section or a class."""
    if hasattr(value, "needs"):
        yield from value.needs()
    elif is_dataclass(value):
        yield from (need for _name, need in needs_of(value))
    elif get_origin(hint) is list and isinstance(value, list):
        for item in value:
            yield from declared(item, get_args(hint)[0])
    elif get_origin(hint) is Annotated:
        kind, *marks = get_args(hint)
        yield from declared(value, kind)
        yield from _marked(value, marks)
    elif get_origin(hint) in (Union, UnionType):
        for choice in get_args(hint):
            if _fits(value, choice):
                yield from declared(value, choice)


def _fits(value: object, choice: object) -> bool:
    """Return whether a value can be of this one of several types."""
    kind = get_args(choice)[0] if get_origin(choice) is Annotated else choice
    kind = get_origin(kind) or kind
    return isinstance(kind, type) and isinstance(value, kind)


def _marked(value: object, marks: list[object]) -> Iterator[Need]:
    """Yield what a value needs by the marks of its type."""
    package = next((mark.name for mark in marks if isinstance(mark, DebianPackage)), "")
    for need in (need for mark in marks if isinstance(mark, Declares) for need in mark.needs(value)):
        yield replace(need, package=package) if isinstance(need, ChildProgram) else need
