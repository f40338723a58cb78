"""What the sensors of a process share."""

from dataclasses import dataclass

from bootstrap.eventloop.loop import Loop
from bootstrap.eventloop.threads import Inbox, Sockets, Worker


@dataclass(frozen=True, slots=True)
class ProcessParts:
    """A process's event loop, its ZeroMQ sockets, the inbox for its threads, and a worker for blocking calls."""

    loop: Loop
    sockets: Sockets
    inbox: Inbox
    worker: Worker
