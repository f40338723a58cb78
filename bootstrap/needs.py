"""What a device needs of its machine, the broker and the network, declared by the types of its settings.

The type of a setting carries a `Declares`, or is a class with a method `needs`. Checks, unit files, access rules,
doctor and installer read `needs_of`, and nothing else.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, TypeAlias, get_args, get_origin, get_type_hints

from bootstrap.contract.topic_filters import WILD, a_filter
from bootstrap.contract.topics import Kind
from bootstrap.limits import Limits


@dataclass(frozen=True)
class GpioLine:
    """A GPIO line by its BCM number; `driven` means that the device may make it an output."""

    number: int
    driven: bool = True


@dataclass(frozen=True)
class DeviceNode:
    """A device node that is opened, such as `/dev/i2c-1`; `shared` means that other devices may use it, too."""

    path: Path
    shared: bool = False


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
    """A topic of others that is published to."""

    topic: str


@dataclass(frozen=True)
class ChildProgram:
    """A program that runs as a child process, by its name or path."""

    name: str


Need: TypeAlias = GpioLine | DeviceNode | NetworkHost | Listened | Told | ChildProgram


@dataclass(frozen=True)
class Declares:
    """Mark the type of a setting as declaring needs: `Annotated[str, a_filter, Declares(lambda text: …)]`."""

    needs: Callable[[Any], Iterable[Need]]


def a_topic(text: str) -> None:
    """Raise ValueError, saying what is allowed, if `text` is not a topic that one can publish to."""
    a_filter(text)
    if WILD & {*text} or text.startswith("$"):
        raise ValueError("an MQTT topic, without + and # and without $ at the beginning")
    match text.split("/"):
        case [_, _, Kind.DATA | Kind.STATUS, _]:
            raise ValueError("an MQTT topic; data and status of a sensor are published by that sensor alone")


LINES = Limits(0, 27, "BCM number of the GPIO line")
Pin: TypeAlias = Annotated[int, LINES, Declares(lambda number: [GpioLine(number)])]
Input: TypeAlias = Annotated[int, LINES, Declares(lambda number: [GpioLine(number, driven=False)])]
Output: TypeAlias = Annotated[int, LINES, Declares(lambda number: [GpioLine(number)])]
TopicFilter: TypeAlias = Annotated[str, a_filter, Declares(lambda text: [Listened(text)])]
Target: TypeAlias = Annotated[str, a_topic, Declares(lambda text: [Told(text)])]


def needs_of(device: Any) -> list[tuple[str, Need]]:  # noqa: ANN401 - a `Device`, which stands above
    """Return what a device needs with its settings, each with the name of the setting that declares it."""
    hints = get_type_hints(type(device), include_extras=True)
    named = ((one.name, getattr(device, one.name), hints[one.name]) for one in fields(device))
    return [(name, need) for name, value, hint in named for need in _declared(value, hint)]


def _declared(value: object, hint: object) -> Iterator[Need]:
    """Yield what a value needs by its type: an annotation, a choice of types, a list, or a class with `needs`."""
    if hasattr(value, "needs"):
        yield from value.needs()
    elif get_origin(hint) is list and isinstance(value, list):
        for item in value:
            yield from _declared(item, get_args(hint)[0])
    elif get_origin(hint) is Annotated:
        kind, *marks = get_args(hint)
        yield from _declared(value, kind)
        for mark in marks:
            if isinstance(mark, Declares) and value is not None:
                yield from mark.needs(value)
    elif value is not None:
        for choice in get_args(hint):
            yield from _declared(value, choice)
