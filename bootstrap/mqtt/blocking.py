"""An MQTT session driven by a thread that blocks while it waits for data."""

import select
import socket
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress

from bootstrap.mqtt.address import ConnectOptions
from bootstrap.mqtt.paho import SubscribeOptions
from bootstrap.mqtt.session import Durable, Event, Session
from bootstrap.outbox.message import Message

LONGEST_S = 3600.0  # longest wait
CLOSE_S = 1.0  # to send what still waits to be written when closing


class BlockingConnection:
    """Speaks MQTT over `ready`. Whatever arrives is appended to `events`, from which the caller removes it."""

    def __init__(self, ready: socket.socket, options: ConnectOptions, durable: Durable | None = None) -> None:
        self._socket = ready
        self.events: deque[Event] = deque()
        self._session = Session(ready, options, self.events.append, durable)
        self._session.begin()
        self._ping_at = self._session.keep_alive()

    @property
    def open(self) -> bool:
        """Whether the connection is still open, as far as is known."""
        return self._session.socket() is not None

    def fileno(self) -> int:
        """Return the descriptor to wait for; only while it is `open`."""
        return self._socket.fileno()

    @property
    def wants_to_write(self) -> bool:
        """Whether data waits until the socket accepts it."""
        return self._session.want_write()

    @property
    def ping_in_s(self) -> float:
        """Seconds until `keep_alive` has something to do."""
        return LONGEST_S if self._ping_at is None else max(0.0, self._ping_at - time.monotonic())

    def keep_alive(self) -> None:
        """Ping the broker if a ping is due, and notice if it did not answer the last one."""
        self._ping_at = self._session.keep_alive()

    def wait(self, timeout_s: float, *others: int) -> set[int]:
        """Exchange data until some has come, or for `timeout_s` seconds. Returns which of `others` are readable."""
        readers = [*others, *([self.fileno()] if self.open else [])]
        writers = [self.fileno()] if self.open and self.wants_to_write else []
        timeout_s = 0 if self._session.pending or self.events else max(0.0, min(timeout_s, self.ping_in_s))
        readable, writable, _ = select.select(readers, writers, [], timeout_s)
        if self.open:
            own = self.fileno()
            self.exchange(readable=own in readable or self._session.pending, writable=own in writable)
        return {*readable} & {*others}

    def exchange(self, *, readable: bool, writable: bool, enough: Callable[[], bool] = bool) -> None:
        """Write what waits and read all there is, until there is `enough`."""
        if writable:
            self._session.loop_write()
        poller = select.poll()
        if readable:
            poller.register(self.fileno(), select.POLLIN)
        while readable and self.open and not enough():
            self._session.loop_read()
            readable = self.open and (self._session.pending or bool(poller.poll(0)))
        if self.ping_in_s == 0:
            self.keep_alive()

    def subscribe(self, wanted: Iterable[tuple[str, SubscribeOptions]]) -> int:
        """Subscribe to these filters; returns the packet id that the SUBACK will name."""
        return self._session.subscribe_to(wanted)

    def unsubscribe(self, filters: list[str]) -> None:
        """Unsubscribe from `filters`."""
        self._session.unsubscribe(filters)

    def publish(self, message: Message, qos: int = 1) -> int:
        """Publish a message; returns the packet id that the PUBACK will name."""
        return self._session.send(message, qos)

    def acknowledge(self, packet_ids: Iterable[int]) -> None:
        """Acknowledge messages of a durable session, in one write."""
        self._session.acknowledge(packet_ids)

    def ping(self) -> None:
        """Ask for a `Pingresp`, which arrives after everything that the broker has sent before."""
        self._session.ping()

    def close(self) -> None:
        """Send what waits, then DISCONNECT, and close."""
        with suppress(OSError, ValueError):
            deadline = time.monotonic() + CLOSE_S
            while self.open and self.wants_to_write and time.monotonic() < deadline:
                select.select([], [self.fileno()], [], CLOSE_S)
                self._session.loop_write()
            self._session.disconnect()
        self._socket.close()

    def kill(self) -> None:
        """Close without DISCONNECT, as the kernel does for a killed process, so that the broker publishes the will."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
