"""What the sensors of a process share, and the parts of one sensor."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bootstrap.contract.payload import Json
from bootstrap.contract.timestamps import MachineClock
from bootstrap.device import Reading
from bootstrap.eventloop.loop import Loop
from bootstrap.eventloop.threads import Inbox, Sockets, Worker
from bootstrap.mqtt.link import Link
from bootstrap.runtime.reporter import Reporter


@dataclass(frozen=True, slots=True)
class ProcessParts:
    """A process's event loop, its ZeroMQ sockets, the inbox for its threads, and a worker for blocking calls.

    Attributes:
        unsaved: what devices wanted to keep and no disk has taken, by file (see `KeptValues`).
    """

    loop: Loop
    sockets: Sockets
    inbox: Inbox
    worker: Worker
    unsaved: dict[Path, dict[str, Json]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SensorParts:
    """What a device may use of its sensor for talking to others.

    Attributes:
        sensor: the sensor's name, `group/sensor`.
        publish: makes a call of the device, and publishes what it returns.
    """

    sensor: str
    loop: Loop
    link: Link
    reporter: Reporter
    clock: MachineClock
    publish: Callable[[Callable[[], Reading | None]], None]
