"""A connection to a broker that is restored whenever it breaks, driven by the caller that asks for its events."""

import itertools
import os
import queue
import select
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from bootstrap.eventloop.backoff import Retry
from bootstrap.mqtt.blocking import BlockingConnection
from bootstrap.mqtt.connect import connect
from bootstrap.mqtt.packets import Publish
from bootstrap.mqtt.paho import SubscribeOptions
from bootstrap.mqtt.refusals import PASSING
from bootstrap.mqtt.session import Closed, Connack, Event, Suback
from bootstrap.outbox.message import Message
from penates.fleet.access import Access

if TYPE_CHECKING:
    import socket

FIRST_RETRY_S, LAST_RETRY_S = 1.0, 5.0
ALL = SubscribeOptions(qos=0)


@dataclass(frozen=True)
class Connected:
    """The broker has accepted us."""


@dataclass(frozen=True)
class Disconnected:
    """There is no connection; `why` tells the reason. `refused` means that the broker refused us for good."""

    why: str
    refused: bool = False


@dataclass(frozen=True)
class Subscribed:
    """The broker has acknowledged a subscription, so its messages arrive from now on."""


@dataclass(frozen=True)
class MessageReceived:
    """A message has arrived; `at` is monotonic, in seconds."""

    topic: str
    payload: bytes
    retained: bool
    at: float


FleetEvent: TypeAlias = Connected | Disconnected | Subscribed | MessageReceived


class FleetClient:
    """Keeps one connection, and restores it. Only connecting, which blocks, has a thread of its own."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._events: deque[FleetEvent] = deque()
        self._connection: BlockingConnection | None = None
        self._hosts = itertools.cycle(access.hosts)
        self._retry = Retry(FIRST_RETRY_S, LAST_RETRY_S)
        self._attempts: queue.SimpleQueue[socket.socket | OSError] = queue.SimpleQueue()
        self._wake, self._wake_writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._attempting = False
        self._begin_attempt()

    # Connecting.

    def _begin_attempt(self) -> None:
        self._attempting = True
        threading.Thread(target=self._attempt, args=(next(self._hosts),), daemon=True).start()

    def _attempt(self, host: str) -> None:
        try:
            self._attempts.put(connect(host, self._access.port, self._access.trust))
        except OSError as error:
            self._attempts.put(error)
        os.write(self._wake_writer, b".")

    def _end_attempt(self) -> None:
        os.read(self._wake, 1)
        self._attempting = False
        outcome = self._attempts.get()
        if isinstance(outcome, OSError):
            self._lost(str(outcome))
        else:
            self._connection = BlockingConnection(outcome, self._access.connect_options())

    def _lost(self, why: str) -> None:
        if self._connection is not None:
            self._connection.kill()
        self._connection = None
        self._events.append(Disconnected(f"{self._access.name}: {why}"))
        self._retry.failed()

    # Events.

    def events(self, wait_s: float, *others: int) -> Iterator[FleetEvent]:
        """Yield the events so far. If there are none, wait `wait_s` seconds, or until one of `others` is readable."""
        self._exchange(0 if self._events else max(0.0, wait_s), *others)
        while self._events:
            yield self._events.popleft()

    def _exchange(self, wait_s: float, *others: int) -> None:
        if self._connection is not None:
            self._connection.wait(wait_s, *others)
            self._translate(self._connection)
            return
        if not (self._attempting or self._retry.wait_s):
            self._begin_attempt()
        patience_s = wait_s if self._attempting else min(wait_s, self._retry.wait_s)
        ready, _, _ = select.select([self._wake, *others], [], [], patience_s)
        if self._wake in ready:
            self._end_attempt()

    def _translate(self, connection: BlockingConnection) -> None:
        while connection.events and self._connection is connection:
            self._handle(connection.events.popleft())

    def _handle(self, event: Event) -> None:
        match event:
            case Publish(topic, payload, retained):
                self._events.append(MessageReceived(topic, payload, retained, time.monotonic()))
            case Suback():
                self._events.append(Subscribed())
            case Connack(reason) if reason.failed:
                refused = reason.code not in PASSING
                self._events.append(Disconnected(f"{self._access.name} refused us: {reason.text}", refused=refused))
            case Connack():
                self._retry.succeeded()
                self._events.append(Connected())
            case Closed(why):
                self._lost(why)

    # Called by the owner.

    def subscribe(self, *filters: str) -> None:
        """Subscribe to these filters; the event `Subscribed` confirms it. Without a connection nothing happens."""
        if self._connection is not None:
            self._connection.subscribe((one, ALL) for one in filters)

    def publish(self, topic: str, payload: bytes) -> None:
        """Publish once, at QoS 0. Without a connection nothing happens."""
        if self._connection is not None:
            self._connection.publish(Message(topic, payload), qos=0)

    def close(self) -> None:
        """Disconnect, if there is a connection; an attempt in progress is abandoned."""
        if self._connection is not None:
            self._connection.close()
        if not self._attempting:  # else its thread could write to a descriptor that has been reused
            os.close(self._wake_writer)
            os.close(self._wake)
