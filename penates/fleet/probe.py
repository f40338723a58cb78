"""A client of the broker that asks for one thing at a time and waits for the answer."""

import socket
import time
from collections.abc import Callable, Iterable
from typing import Self

from bootstrap.mqtt.address import ConnectOptions
from bootstrap.mqtt.blocking import BlockingConnection
from bootstrap.mqtt.connect import connect
from bootstrap.mqtt.packets import Publish
from bootstrap.mqtt.paho import SubscribeOptions
from bootstrap.mqtt.session import Closed, Connack, Pingresp, Puback, Reason, Suback
from bootstrap.outbox.message import Message
from penates.fleet.access import Access

PATIENCE_S = 2.0
HEARING_S = 1.0  # for a message that is on its way, or will never come
QOS_0 = SubscribeOptions(qos=0)


class Silent(Exception):  # noqa: N818 - it is a fact about the broker
    """The broker has not answered in time, or has closed the connection."""


class Unreachable(Exception):  # noqa: N818 - a broker that is yet to come is no error
    """The broker cannot be asked."""


class MqttProbe:
    """One connection, driven by whoever asks; it ends by `close`, or by `kill` as if its process had died.

    Every method that waits for an answer raises Silent if there is none.
    """

    def __init__(self, ready: socket.socket, options: ConnectOptions, patience_s: float = PATIENCE_S) -> None:
        """Connect over `ready`, a connected socket after any TLS handshake."""
        self._patience_s = patience_s
        self._answers: dict[int, list[Reason]] = {}
        self._connack: Connack | None = None
        self._why = ""
        self._synced = False
        self.heard: list[Publish] = []
        self.tells = options.version_5  # 3.1.1 answers a publish without saying how it went
        self._connection = BlockingConnection(ready, options)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Waiting.

    def wait(self, timeout_s: float, *others: int) -> set[int]:
        """Exchange data until some has come, or for `timeout_s` seconds. Returns which of `others` are readable."""
        ready = self._connection.wait(timeout_s, *others)
        while self._connection.events:
            event = self._connection.events.popleft()
            match event:
                case Publish():
                    self.heard.append(event)
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

    def _answer(self, packet_id: int) -> list[Reason]:
        if not self.until(lambda: packet_id in self._answers, self._patience_s):
            raise Silent(self._why or f"no answer within {self._patience_s:g} s")
        return self._answers[packet_id]

    # What can be asked.

    def greet(self) -> Reason:
        """Return the broker's answer to CONNECT."""
        self.until(lambda: self._connack is not None, self._patience_s)
        if self._connack is None:
            raise Silent(self._why or f"no answer to CONNECT within {self._patience_s:g} s")
        return self._connack.reason

    def subscribe(self, *filters: str) -> list[Reason]:
        """Subscribe to these; returns the answer to each. At QoS 0 what is retained comes before any later answer."""
        return self._answer(self._connection.subscribe((one, QOS_0) for one in filters))

    def publish(self, topic: str, payload: bytes = b"", *, retain: bool = False) -> Reason:
        """Publish a message; returns the broker's answer."""
        return self._answer(self._connection.publish(Message(topic, payload, retain)))[0]

    def hears(self, topic: str, payload: bytes) -> bool:
        """Return whether this message comes soon, or has come already."""
        return self.until(lambda: any(one[:2] == (topic, payload) for one in self.heard), HEARING_S)

    def retained(self, filters: Iterable[str]) -> dict[str, bytes]:
        """Return what the broker holds of `filters`, by topic. They are asked for one by one: its queue is not endless.

        A ping after each is answered once all that is held has come.
        """
        for one in filters:
            self.subscribe(one)
            self.sync()
        return self.newest()

    def sync(self) -> None:
        """Wait until all has come that the broker had to say before."""
        self._synced = False
        self._connection.ping()
        if not self.until(lambda: self._synced, self._patience_s):
            raise Silent(self._why or f"no answer within {self._patience_s:g} s")

    def newest(self) -> dict[str, bytes]:
        """Return the newest payload of each topic that was held, or has been changed since."""
        held: dict[str, bytes] = {}
        for message in self.heard:
            if message.retained or message.topic in held:
                held[message.topic] = message.payload
        return held

    def kill(self) -> None:
        """Close without a word, as the kernel does for a process that was killed."""
        self._connection.kill()

    def close(self) -> None:
        """Disconnect."""
        self._connection.close()


def reach(access: Access, patience_s: float) -> MqttProbe:
    """Return a probe that one of the broker's hosts has accepted.

    Raises:
        Unreachable: none has; the reason is the last one's.
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
        raise Unreachable(f"{access.name} refused us: {reason.text}")
    raise Unreachable(why)
