"""ZeroMQ between the threads of one process: tracked sockets, the inbox, and the worker.

Only the loop acts. Another thread does what must not block the loop, and posts a message about it.
"""

import sys
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable
from functools import partial
from typing import Generic, Self, TypeAlias, TypeVar

import zmq

from bootstrap.logs import log

Socket: TypeAlias = "zmq.Socket[bytes]"
T = TypeVar("T")

INBOX = "inproc://inbox"
INBOX_LIMIT = 1000  # messages that may wait on one sender
JOIN_S = 0.5
SHARED = 4  # threads for all calls without a lane: name lookups, connecting, syncs


class Sockets:
    """The process's ZeroMQ context and every socket in it, with the line that created it. Create it after any fork."""

    def __init__(self) -> None:
        self._context = zmq.Context(io_threads=0)  # inproc needs none
        self._created_at: dict[Socket, str] = {}
        self.ended = False

    def open(self, kind: int, depth: int = 1) -> Socket:
        """Create a socket, which belongs to the calling thread. The line responsible is `depth` callers up.

        Raises:
            zmq.ZMQError: the context has ended, that is, the process is stopping.
        """
        socket = self._context.socket(kind)
        socket.setsockopt(zmq.LINGER, 0)
        frame = sys._getframe(depth)  # noqa: SLF001 - a traceback would cost a file read
        self._created_at[socket] = f"{frame.f_code.co_filename}:{frame.f_lineno}"
        return socket

    def close(self, socket: Socket) -> None:
        """Close a socket in the thread that created it."""
        socket.close()
        self._created_at.pop(socket, None)

    def lingering(self) -> list[str]:
        """Return the lines that created the sockets still open."""
        return list(self._created_at.values())

    def end(self) -> None:
        """End the context, which waits for every socket to be closed; those still open are logged first."""
        self.ended = True
        if self._created_at:
            log.error("ZeroMQ sockets are still open", made_at=self.lingering())
        self._context.term()


class Inbox:
    """Receives messages from threads: a PULL socket in the loop, one PUSH socket for each thread that sends."""

    def __init__(self, sockets: Sockets) -> None:
        self._sockets = sockets
        self._readers: dict[bytes, Callable[[bytes], None]] = {}
        self.socket = sockets.open(zmq.PULL)
        self.socket.bind(INBOX)

    def on(self, name: str, reader: Callable[[bytes], None]) -> None:
        """Have `reader` called in the loop with the body of each message of this name."""
        self._readers[name.encode()] = reader

    def sender(self, limit: int = INBOX_LIMIT) -> "Sender":
        """Return the calling thread's end, a context manager. `limit` messages may wait on it; 0 is any number."""
        return Sender(self._sockets, limit)

    def post(self, name: str, body: bytes = b"") -> None:
        """Send one message from a thread that seldom does, by a socket of its own. Once we stop, it is dropped."""
        try:
            with self.sender(limit=0) as sender:
                sender.send(name, body)
        except zmq.ZMQError:
            if not self._sockets.ended:
                raise

    def receive(self, _events: int = zmq.POLLIN) -> None:
        """Read every waiting message. One that nobody reads is a bug (KeyError)."""
        while True:
            try:
                name, body = self.socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            self._readers[name](body)

    def close(self) -> None:
        """Receive no more messages."""
        self._sockets.close(self.socket)


class Sender:
    """One thread's end of the inbox."""

    def __init__(self, sockets: Sockets, limit: int) -> None:
        self._sockets = sockets
        self._socket = sockets.open(zmq.PUSH, depth=3)
        self._socket.setsockopt(zmq.SNDHWM, limit)
        try:
            self._socket.connect(INBOX)
        except zmq.ZMQError:  # the context has just ended, and waits for this socket
            sockets.close(self._socket)
            raise

    def send(self, name: str, body: bytes = b"") -> bool:
        """Send a message without waiting. False: the inbox is full, and the caller must count the lost message."""
        try:
            self._socket.send_multipart([name.encode(), body], zmq.NOBLOCK)
        except zmq.Again:
            return False
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._sockets.close(self._socket)


class WorkerCall(Generic[T]):
    """Work for another thread, and what the loop does with its outcome."""

    def __init__(
        self, work: Callable[[], T], then: Callable[[T], None], failed: Callable[[BaseException], None]
    ) -> None:
        self._work, self._then, self._failed = work, then, failed
        self._outcome: Callable[[], None]
        self._cancelled = False
        self.thread: threading.Thread | None = None
        self.began: float | None = None  # when its thread has begun it: monotonic, in seconds

    def cancel(self) -> None:
        """Do not run it, if it waits for a thread; one that runs cannot be stopped."""
        self._cancelled = self.thread is None

    @property
    def cancelled(self) -> bool:
        """Whether it will never run."""
        return self._cancelled

    def run(self) -> None:
        """Do the work; for its thread."""
        self.began = time.monotonic()
        try:
            result = self._work()
        except BaseException as error:  # noqa: BLE001 - it is raised again, or handled, in the loop
            self._outcome = partial(self._failed, error)
        else:
            self._outcome = partial(self._then, result)

    def finish(self) -> None:
        """Pass on the outcome; for the loop."""
        self._outcome()


class _Lane:
    """Calls that share threads: those that wait for one, and how many run."""

    def __init__(self, threads: int) -> None:
        self._threads, self._running = threads, 0
        self.waiting: deque[WorkerCall[object]] = deque()

    def next(self) -> WorkerCall[object] | None:
        """Return the call that may start now, if any, and count it as running."""
        while self.waiting and self._running < self._threads:
            call = self.waiting.popleft()
            if not call.cancelled:
                self._running += 1
                return call
        return None

    def ended(self) -> None:
        self._running -= 1


class Worker:
    """Runs calls that may block, each in a thread that ends with it; without calls, there is none.

    Calls of one lane run one after the other, in the order of asking. All others share `SHARED` threads.
    """

    MESSAGE = "worker"

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox
        self._running: dict[bytes, tuple[_Lane, WorkerCall[object]]] = {}
        self._lanes: defaultdict[str, _Lane] = defaultdict(lambda: _Lane(1), {"": _Lane(SHARED)})
        self._threads: list[threading.Thread] = []
        self._count = 0
        inbox.on(self.MESSAGE, self._finished)

    def call(
        self, work: Callable[[], T], then: Callable[[T], None], failed: Callable[[BaseException], None], lane: str = ""
    ) -> WorkerCall[T]:
        """Run `work` in a thread; then, in the loop, `then(its result)` or `failed(its exception)`.

        It waits while another call of its lane runs, or without a lane, while too many others run.
        """
        call = WorkerCall(work, then, failed)
        self._lanes[lane].waiting.append(call)  # type: ignore[arg-type]  # only run and finish are called on it
        self._start_next(self._lanes[lane])
        return call

    def _start_next(self, lane: _Lane) -> None:
        if (call := lane.next()) is None:
            return
        self._count += 1
        ticket = str(self._count).encode()
        call.thread = threading.Thread(target=self._run, args=(ticket, call), name=f"worker-{self._count}", daemon=True)
        self._running[ticket] = lane, call
        self._threads = [*(other for other in self._threads if other.is_alive()), call.thread]
        call.thread.start()

    def _run(self, ticket: bytes, call: WorkerCall[object]) -> None:
        """Run in the thread. The socket is created when there is a result, so that a call that hangs holds none."""
        call.run()
        self._inbox.post(self.MESSAGE, ticket)

    def _finished(self, ticket: bytes) -> None:
        lane, call = self._running.pop(ticket)
        lane.ended()
        self._start_next(lane)
        call.finish()

    def close(self) -> None:
        """Wait a moment for calls that are about to end. One that hangs, such as a name lookup, ends with us."""
        enough = time.monotonic() + JOIN_S
        for thread in self._threads:
            thread.join(max(0.0, enough - time.monotonic()))
            if thread.is_alive():
                log.debug("abandoned a call that does not end", thread=thread.name)
