"""What the sensors of a process share."""

import time
from dataclasses import dataclass, field

from bootstrap.eventloop.loop import Loop
from bootstrap.eventloop.threads import Inbox, Sockets, Worker


@dataclass(frozen=True, slots=True)
class ProcessParts:
    """A process's event loop, its ZeroMQ sockets, the inbox for its threads, and a worker for blocking calls.

    `in_step_with` is the time (monotonic, in seconds) from which heartbeats count their periods: those of one process
    are due in the same turn of the loop, which wakes it only once.
    """

    loop: Loop
    sockets: Sockets
    inbox: Inbox
    worker: Worker
    in_step_with: float = field(default_factory=time.monotonic)
