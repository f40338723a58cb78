"""What the sensors of a process share."""

from dataclasses import dataclass, field
from pathlib import Path

from bootstrap.contract.payload import Json
from bootstrap.eventloop.loop import Loop
from bootstrap.eventloop.threads import Inbox, Sockets, Worker


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
