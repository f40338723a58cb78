"""What the needs of a device mean on this machine: nodes, groups, hosts, programs, outputs that must end safe."""

import re
from dataclasses import dataclass
from pathlib import Path

from bootstrap.device import Device
from bootstrap.needs import (
    ChildProgram,
    DeviceNode,
    GpioLine,
    IcmpEcho,
    KernelPwm,
    NetworkHost,
    OneWireBus,
    PowerSwitch,
    UsbDevice,
    may_drive,
    needs_of,
)

GPIO = "char-gpiochip"
NUMBERED = re.compile(r"(i2c-|spidev|lirc|tty[A-Za-z]+)[\d.]+")
BUSES = {"i2c-": ("char-i2c", "i2c"), "spidev": ("char-spi", "spi"), "lirc": ("char-lirc", "video")}
SERIAL_GROUP = "dialout"
USB, USB_GROUP = "char-usb_device", "plugdev"
PLUGGED = ("char-ttyUSB", "char-ttyACM")  # what a link in /dev/serial may lead to once its device is plugged in


@dataclass(frozen=True)
class NodeAccess:
    """What lets a sensor open a device node: what its unit must allow, and the group that may open it, if known."""

    allowed: tuple[str, ...]
    group: str


@dataclass(frozen=True)
class DeviceNeeds:
    """What one device must be allowed, and what must be done for it.

    Attributes:
        nodes: what it may open: systemd's classes of device nodes, such as `char-gpiochip`, or a node itself.
        groups: the groups that may open them.
        hosts: the hosts to which it connects besides the broker.
        programs: the programs that it runs.
        outputs: whether it may drive lines, which must be made safe after its process was killed.
        real_time: whether it switches lines at exact times.
        echo: whether it asks hosts by ICMP.
        power: what it may do to this machine: `reboot`, `shutdown`.
        pwm: the lines that the Pi's own PWM drives.
        bulk: the folders of 1-Wire buses whose thermometers it may tell to convert all at once.
    """

    nodes: tuple[str, ...]
    groups: tuple[str, ...]
    hosts: tuple[str, ...]
    programs: tuple[ChildProgram, ...]
    outputs: bool
    real_time: bool
    power: tuple[str, ...] = ()
    echo: bool = False
    bulk: tuple[Path, ...] = ()
    pwm: tuple[int, ...] = ()


def needs(device: Device) -> DeviceNeeds:
    """Return what one device needs, with its settings."""
    needed = [need for _name, need in needs_of(device)]
    lines = any(isinstance(need, GpioLine) for need in needed)
    opened = [access(need.path) for need in needed if isinstance(need, DeviceNode)]
    opened += [NodeAccess((USB,), USB_GROUP) for need in needed if isinstance(need, UsbDevice)]
    return DeviceNeeds(
        (*([GPIO] if lines else []), *(node for one in opened for node in one.allowed)),
        tuple(one.group for one in opened if one.group),
        tuple(need.host for need in needed if isinstance(need, NetworkHost)),
        tuple(need for need in needed if isinstance(need, ChildProgram)),
        may_drive(device),
        any(isinstance(need, GpioLine) and need.timed for need in needed),
        tuple(need.word for need in needed if isinstance(need, PowerSwitch)),
        any(isinstance(need, IcmpEcho) for need in needed),
        tuple(need.folder for need in needed if isinstance(need, OneWireBus) and need.bulk),
        tuple(line for need in needed if isinstance(need, KernelPwm) for line in need.lines),
    )


def must_end(device: Device) -> bool:
    """Return whether a device has an output that must not stay as it is: its kind says so, or it guards something."""
    guards = any(one.once for one in device.commands.values())
    return may_drive(device) and (type(device).must_end is True or guards)  # a setting of that name is a user's own


def access(node: Path) -> NodeAccess:
    """Return what lets a sensor open a node. Of those that are numbered all are allowed: a number may change."""
    found = NUMBERED.fullmatch(node.resolve().name)
    if found and found[1] in BUSES:
        node_class, group = BUSES[found[1]]
        return NodeAccess((node_class,), group)
    if found:
        return NodeAccess((f"char-{found[1]}",), SERIAL_GROUP)
    if node.is_relative_to("/dev/serial"):
        return NodeAccess(PLUGGED, SERIAL_GROUP)
    return NodeAccess((str(node),), "")
