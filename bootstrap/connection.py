"""One paho client on one connected socket, driven by the loop and never used again.

paho resends what it has in flight after a reconnect, so that an old value overwrites a newer one; a fresh client
per connection has nothing to resend. Its callbacks only hand notes to the loop.
"""

import math
import os
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from bootstrap.loop import READABLE, WRITABLE, Loop, Timer
from bootstrap.message import Message

PROTOCOLS = {"5": mqtt.MQTTv5, "3.1.1": mqtt.MQTTv311}
LINGER_S = 2.0
LARGEST = 2_000_000  # bytes of a message we take: enough to refuse it with a reason, not enough to fill a Pi
OVERHEAD = 20  # bytes of a PUBLISH beside topic and payload, at most
UNTOLD = 50  # notes to the owner, above which nothing more is read


@dataclass(frozen=True, kw_only=True)
class Hello:
    """What CONNECT says."""

    client_id: str
    protocol: str
    keepalive_s: int
    will: Message | None
    username: str | None
    password: str | None = field(repr=False)


class Events(Protocol):
    """What a connection tells its owner, always from the loop."""

    def greeted(self, reason: ReasonCode, window: int, largest: float) -> None:
        """The broker has answered CONNECT: it takes so many messages at once, of so many bytes."""

    def answered(self, message_id: int, reason: ReasonCode) -> None:
        """The broker has answered a publish."""

    def subscribed(self, reasons: list[ReasonCode]) -> None:
        """The broker has answered a subscribe, a reason for each topic."""

    def received(self, topic: str, payload: bytes, *, retained: bool) -> None:
        """A message to us."""

    def ended(self, why: str) -> None:
        """The connection is no more."""


class Client(mqtt.Client):
    """paho, on a socket that is already connected: its own connect blocks."""

    def __init__(self, ready: socket.socket, hello: Hello, *, durable: bool = False) -> None:
        """`durable`: its session is to outlive it, and it acknowledges only what it is told to."""
        five = PROTOCOLS[hello.protocol] == mqtt.MQTTv5
        super().__init__(
            CallbackAPIVersion.VERSION2,
            hello.client_id,
            clean_session=None if five else not durable,
            protocol=PROTOCOLS[hello.protocol],
            reconnect_on_failure=False,
            manual_ack=durable,
        )
        self._ready = ready
        self.max_inflight_messages_set(0)  # the outbox counts
        if hello.will is not None:
            self.will_set(hello.will.topic, hello.will.payload, qos=1, retain=hello.will.retain)
        self.username_pw_set(hello.username, hello.password)

    @property
    def pending(self) -> bool:
        """Whether TLS holds decrypted bytes, of which the descriptor knows nothing."""
        return isinstance(self._ready, ssl.SSLSocket) and bool(self._ready.pending())

    def _create_socket(self) -> socket.socket:
        return self._ready


def _limits(protocol: str) -> Properties | None:
    """What we let the broker send us; 3.1.1 cannot say it."""
    if PROTOCOLS[protocol] != mqtt.MQTTv5:
        return None
    limits = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho's own
    limits.MaximumPacketSize = LARGEST
    return limits


class Connection:
    """Speaks MQTT over `ready` and reports to `owner` until it has ended or was dropped."""

    def __init__(self, loop: Loop, ready: socket.socket, hello: Hello, owner: Events) -> None:
        self._loop = loop
        self._owner: Events | None = owner
        self._socket = ready
        self._descriptor = ready.fileno()
        self._keepalive_s = hello.keepalive_s
        self._last_out = self._last_in = time.monotonic()
        self._keepalive_timer: Timer | None = None
        self._untold = 0
        self._client = self._make_client(hello)
        self._watching = True
        self._client.connect("given", keepalive=hello.keepalive_s, properties=_limits(hello.protocol))
        self._keep_alive()
        self._poll_for()

    def _make_client(self, hello: Hello) -> Client:
        client = Client(self._socket, hello)
        client.on_connect = self._on_connect
        client.on_publish = self._on_publish
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.on_disconnect = self._on_disconnect
        client.on_socket_close = self._on_socket_close
        return client

    # paho's callbacks: note it down, act in the loop.

    def _on_connect(
        self,
        _client: mqtt.Client,
        _data: object,
        _flags: object,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        self._loop.soon(partial(self._adopt, getattr(properties, "ServerKeepAlive", self._keepalive_s)))
        window = getattr(properties, "ReceiveMaximum", 65_535)
        largest = getattr(properties, "MaximumPacketSize", math.inf) - OVERHEAD
        self._tell(lambda owner: owner.greeted(reason, window, largest))

    def _on_publish(
        self, _client: mqtt.Client, _data: object, message_id: int, reason: ReasonCode, _properties: object
    ) -> None:
        self._tell(lambda owner: owner.answered(message_id, reason))

    def _on_subscribe(
        self, _client: mqtt.Client, _data: object, _id: int, reasons: list[ReasonCode], _properties: object
    ) -> None:
        self._tell(lambda owner: owner.subscribed(reasons))

    def _on_message(self, _client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            return  # no topic of ours, whatever the broker means
        payload, retained = bytes(message.payload), message.retain
        self._tell(lambda owner: owner.received(topic, payload, retained=retained))

    def _on_disconnect(
        self,
        _client: mqtt.Client,
        _data: object,
        flags: mqtt.DisconnectFlags,
        reason: ReasonCode,
        _properties: object,
    ) -> None:
        said = f"the broker says: {reason}"
        self._tell(lambda owner: owner.ended(said if flags.is_disconnect_packet_from_server else "it broke off"))

    def _on_socket_close(self, _client: mqtt.Client, _data: object, _socket: object) -> None:
        self._unwatch()

    def _tell(self, what: Callable[[Events], None]) -> None:
        self._untold += 1
        self._loop.soon(partial(self._told, what))

    def _told(self, what: Callable[[Events], None]) -> None:
        self._untold -= 1
        if self._owner is not None:
            what(self._owner)
            self._poll_for()

    # The loop's side.

    def _ready(self, events: int) -> None:
        if events & WRITABLE:
            self._client.loop_write()
        if events & ~WRITABLE:
            self._read()
        self._poll_for()

    def _read(self) -> None:
        self._last_in = time.monotonic()
        self._client.loop_read()
        while self._client.socket() and self._client.pending:
            self._client.loop_read()

    def _poll_for(self) -> None:
        """Write when something waits, and read unless the loop has enough to do with what was read."""
        if self._watching:
            writing = WRITABLE if self._client.want_write() else 0
            reading = READABLE if self._untold < UNTOLD else 0
            self._loop.watch(self._descriptor, self._ready, reading | writing)

    def _adopt(self, keepalive_s: int) -> None:
        """The broker's own keepalive wins over ours (MQTT 5, 3.2.2.3.14)."""
        if keepalive_s != self._keepalive_s and self._keepalive_timer is not None:
            self._keepalive_s = keepalive_s
            self._keepalive_timer.cancel()
            self._keep_alive()

    def _keep_alive(self) -> None:
        """Let paho ping when a ping is due, and not wake before. paho itself gives up after a second keepalive."""
        if self._client.socket() is None or not self._keepalive_s:
            return
        due = min(self._last_out, self._last_in) + self._keepalive_s
        now = time.monotonic()
        if due <= now:
            self._client.loop_misc()
            due = now + self._keepalive_s / 2  # whether paho pinged is its own affair: ask again in time
        self._keepalive_timer = self._loop.at(due, self._keep_alive)

    def publish(self, message: Message) -> int:
        """Send at QoS 1; returns the message id that `answered` will name."""
        self._last_out = time.monotonic()
        sent = self._client.publish(message.topic, message.payload, qos=1, retain=message.retain)
        self._poll_for()
        return sent.mid

    def subscribe(self, *topics: str) -> None:
        """Ask for these, as sent (a retained command must be seen to be one), but not for our own words."""
        if self._client.protocol == mqtt.MQTTv5:
            options = SubscribeOptions(qos=1, noLocal=True, retainAsPublished=True)
            self._client.subscribe([(topic, options) for topic in topics])
        else:
            self._client.subscribe([(topic, 1) for topic in topics])
        self._poll_for()

    def close(self, closed: Callable[[], None]) -> None:
        """Say DISCONNECT, let the broker hang up first, then call `closed`."""
        self._owner = None
        rest = socket.socket(fileno=os.dup(self._descriptor))
        self._client.disconnect()
        self.drop()
        _Farewell(self._loop, rest, closed)

    def drop(self) -> None:
        """Hang up without another word. Unless DISCONNECT was said, the broker publishes the will."""
        self._owner = None
        self._unwatch()
        self._socket.close()
        if self._keepalive_timer is not None:
            self._keepalive_timer.cancel()

    def _unwatch(self) -> None:
        """Once only: the descriptor's number may soon be another's."""
        if self._watching:
            self._watching = False
            self._loop.unwatch(self._descriptor)


class _Farewell:
    """Waits until the broker hangs up: to close on unread data resets the connection.

    The broker would then not read our DISCONNECT, and publish the will of a daemon that stopped in order.
    """

    def __init__(self, loop: Loop, rest: socket.socket, closed: Callable[[], None]) -> None:
        self._loop, self._rest, self._closed = loop, rest, closed
        self._timer = loop.after(LINGER_S, self._finish)
        loop.watch(rest.fileno(), self._read)
        try:
            rest.shutdown(socket.SHUT_WR)
        except OSError:
            self._finish()

    def _read(self, _events: int) -> None:
        try:
            if self._rest.recv(65_536):
                return
        except BlockingIOError:
            return
        except OSError:
            pass
        self._finish()

    def _finish(self) -> None:
        self._timer.cancel()
        self._loop.unwatch(self._rest.fileno())
        self._rest.close()
        self._closed()
