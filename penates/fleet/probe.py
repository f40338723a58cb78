"""A broker client that sends one request at a time and waits for the answer."""

import socket
import time
from collections.abc import Callable, Iterable
from typing import Self

from bootstrap.mqtt.address import ConnectOptions
from bootstrap.mqtt.blocking import BlockingConnection
from bootstrap.mqtt.connect import connect
from bootstrap.mqtt.packets import Publish
from bootstrap.mqtt.paho import SubscribeOptions
from bootstrap.mqtt.session import Closed, Connack, Durable, Pingresp, Puback, Reason, Suback
from bootstrap.outbox.message import Message
from penates.fleet.access import Access

PATIENCE_S = 2.0
RECEIVE_S = 1.0  # longest wait for a message that may never arrive
QOS_0, QOS_1 = SubscribeOptions(qos=0), SubscribeOptions(qos=1)
AT_ONCE = 20  # messages on the way: what every broker takes


class Silent(Exception):  # noqa: N818 - it is a fact about the broker
    """The broker has not answered in time, or has closed the connection."""


class HungUp(Silent):
    """The broker has closed the connection."""


class Unreachable(Exception):  # noqa: N818 - a broker that is not running yet is not an error
    """The broker cannot be reached, or refused us."""


class NotLetIn(Unreachable):
    """The broker has refused us."""


class MqttProbe:
    """One connection, driven by its caller. `close` disconnects; `kill` ends it as if its process had died.

    Methods that wait for an answer raise Silent if there is none.
    """

    def __init__(
        self,
        ready: socket.socket,
        options: ConnectOptions,
        patience_s: float = PATIENCE_S,
        durable: Durable | None = None,
    ) -> None:
        """Connect over `ready`, a connected socket after any TLS handshake; in a session that is kept if `durable`."""
        self._patience_s = patience_s
        self._answers: dict[int, list[Reason]] = {}
        self._connack: Connack | None = None
        self._why = ""
        self._synced = False
        self.received: list[Publish] = []
        self.reports_denial = options.version_5  # 3.1.1 acknowledges a denied publish like any other
        self._options, self._durable = options, durable
        self._connection = BlockingConnection(ready, options, durable)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def open(self) -> bool:
        """Whether the broker has not closed the connection, as far as is known."""
        return self._connection.open

    def reopen(self, ready: socket.socket) -> None:
        """Connect again over `ready`. What was received before is kept."""
        self._connection.close()
        self._connack, self._why = None, ""
        self._answers.clear()
        self._connection = BlockingConnection(ready, self._options, self._durable)
        if (reason := self.greet()).failed:
            raise Silent(f"connecting again: {reason.text}")

    # Waiting.

    def wait(self, timeout_s: float, *others: int) -> set[int]:
        """Exchange data until some arrives, or for `timeout_s` seconds. Returns which of `others` are readable."""
        ready = self._connection.wait(timeout_s, *others)
        while self._connection.events:
            event = self._connection.events.popleft()
            match event:
                case Publish():
                    self.received.append(event)
                    if self._durable:
                        self._connection.acknowledge([event.packet_id])
                case Connack():
                    self._connack = event
                case Puback(packet_id, reason):
                    self._answers[packet_id] = [reason]
                case Suback(packet_id, reasons):
                    self._answers[packet_id] = reasons
                case Pingresp():
                    self._synced = True
                case Closed(why):
                    self._why = why
        return ready

    def until(self, met: Callable[[], bool], patience_s: float) -> bool:
        """Wait until `met()`, for at most `patience_s` seconds. Returns whether it was."""
        deadline = time.monotonic() + patience_s
        while not met():
            left_s = deadline - time.monotonic()
            if left_s <= 0 or not self._connection.open:
                return False
            self.wait(left_s)
        return True

    def _silent(self, what: str = "") -> Silent:
        """Return the exception for an answer that is missing."""
        return HungUp(self._why) if self._why else Silent(f"no answer{what} within {self._patience_s:g} s")

    def _answer(self, packet_id: int) -> list[Reason]:
        if not self.until(lambda: packet_id in self._answers, self._patience_s):
            raise self._silent()
        return self._answers[packet_id]

    # Requests.

    @property
    def connack(self) -> Connack | None:
        """The broker's answer to CONNECT, with what it offers; None before it came."""
        return self._connack

    def greet(self) -> Reason:
        """Return the broker's answer to CONNECT."""
        self.until(lambda: self._connack is not None, self._patience_s)
        if self._connack is None:
            raise self._silent(" to CONNECT")
        return self._connack.reason

    def subscribe(self, *filters: str) -> list[Reason]:
        """Subscribe and return the answer to each filter. At QoS 0, retained messages arrive before later answers."""
        how = QOS_1 if self._durable else QOS_0
        return self._answer(self._connection.subscribe((one, how) for one in filters))

    def publish(self, topic: str, payload: bytes = b"", *, retain: bool = False) -> Reason:
        """Publish a message; returns the broker's answer."""
        return self._answer(self._connection.publish(Message(topic, payload, retain)))[0]

    def publish_many(self, topic: str, count: int) -> None:
        """Publish this many messages of one byte to a topic, not retained, and wait until the broker has them all."""
        for first in range(0, count, AT_ONCE):
            some = [self._connection.publish(Message(topic, b"1")) for _ in range(min(AT_ONCE, count - first))]
            for one in some:
                self._answer(one)

    def receives(self, topic: str, payload: bytes) -> bool:
        """Return whether this message has arrived or arrives soon."""
        return self.until(lambda: any(one[:2] == (topic, payload) for one in self.received), RECEIVE_S)

    def retained(self, filters: Iterable[str]) -> dict[str, bytes]:
        """Return the retained payloads of `filters`, by topic. One at a time, because the broker's queue is limited.

        A ping after each filter is answered once all its retained messages have arrived.
        """
        for one in filters:
            self.subscribe(one)
            self.sync()
        return self.newest()

    def sync(self) -> None:
        """Wait until everything that the broker sent before has arrived."""
        self._synced = False
        self._connection.ping()
        if not self.until(lambda: self._synced, self._patience_s):
            raise self._silent()

    def newest(self) -> dict[str, bytes]:
        """Return the newest payload of each topic that was retained, including later changes."""
        held: dict[str, bytes] = {}
        for message in self.received:
            if message.retained or message.topic in held:
                held[message.topic] = message.payload
        return held

    def kill(self) -> None:
        """Close the socket without a DISCONNECT, as the kernel does for a process that was killed."""
        self._connection.kill()

    def close(self) -> None:
        """Disconnect."""
        self._connection.close()


def reach(access: Access, patience_s: float) -> MqttProbe:
    """Return a probe connected to the first of the broker's hosts that answers.

    Raises:
        Unreachable: none answers, or (NotLetIn) one refuses us. The reason is that of the last one tried.
    """
    why = f"{access.name} does not answer"
    for host in access.hosts:
        try:
            probe = MqttProbe(connect(host, access.port, access.trust), access.connect_options(), patience_s)
            reason = probe.greet()
        except (OSError, Silent) as error:
            why = f"{access.name}: {error}"
            continue
        if not reason.failed:
            return probe
        probe.close()
        raise NotLetIn(f"{access.name} refused us: {reason.text}")
    raise Unreachable(why)
