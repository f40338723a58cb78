"""What a device needs of the machine, found in its class: nobody has to say it twice, and nothing else is allowed."""

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from types import FunctionType

from bootstrap.config.loader import gpio_lines
from bootstrap.device import Device

# What `Device.opens` names, and lines: the class of device nodes as systemd knows it.
NODES = {"gpio": "char-gpiochip", "i2c": "char-i2c", "spi": "char-spi"}


@dataclass(frozen=True)
class DeviceNeeds:
    """What is to be allowed to one device, or done for it.

    Attributes:
        nodes: classes of device nodes, such as `char-gpiochip`.
        outputs: it owns outputs, which are to be made safe when its process was killed.
        subscribes: it receives what others publish, of which much may wait in its memory.
    """

    nodes: tuple[str, ...]
    outputs: bool
    subscribes: bool


def needs(device: Device) -> DeviceNeeds:
    """Of one device, with its settings."""
    opened = [*(["gpio"] if gpio_lines(device) else []), *device.opens]
    calls = set(_calls(type(device)))
    return DeviceNeeds(tuple(NODES[name] for name in opened), "own" in calls, "subscribe" in calls)


def _calls(kind: type[Device]) -> Iterator[str]:
    """The names that a kind's own functions use."""
    for owner in inspect.getmro(kind):
        if owner is not Device and issubclass(owner, Device):
            for function in vars(owner).values():
                if isinstance(function, FunctionType):
                    yield from function.__code__.co_names
