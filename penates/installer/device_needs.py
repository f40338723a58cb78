"""What a device needs from the machine, read from its class: it is declared only once, and nothing else is allowed."""

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from types import FunctionType

from bootstrap.config.conflicts import gpio_lines
from bootstrap.device import Device

# systemd's class of device nodes for each name in `Device.opens`, and for GPIO lines.
NODES = {"gpio": "char-gpiochip", "i2c": "char-i2c", "spi": "char-spi"}


@dataclass(frozen=True)
class DeviceNeeds:
    """What one device must be allowed, and what must be done for it.

    Attributes:
        nodes: the classes of device nodes it opens, such as `char-gpiochip`.
        outputs: whether it owns outputs, which must be made safe after its process was killed.
        subscribes: whether it subscribes to topics, so that many messages may wait in its memory.
    """

    nodes: tuple[str, ...]
    outputs: bool
    subscribes: bool


def needs(device: Device) -> DeviceNeeds:
    """Return what one device needs, with its settings."""
    opened = [*(["gpio"] if gpio_lines(device) else []), *device.opens]
    calls = set(_calls(type(device)))
    return DeviceNeeds(tuple(NODES[name] for name in opened), "own" in calls, "subscribe" in calls)


def _calls(kind: type[Device]) -> Iterator[str]:
    """Yield the names used in the functions of a kind and of its bases below `Device`."""
    for owner in inspect.getmro(kind):
        if owner is not Device and issubclass(owner, Device):
            for function in vars(owner).values():
                if isinstance(function, FunctionType):
                    yield from function.__code__.co_names
