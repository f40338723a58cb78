"""One MQTT session on one connected socket, driven by a loop or a thread: what arrives becomes events.

paho implements the protocol, with two differences. After a reconnect, paho resends what it has in flight, so that an
old value overwrites a newer one: a session is used for one connection only and has nothing to resend. And paho reads a
message in four steps and acknowledges each in a write of its own: a session reads all that has arrived at once, and
acknowledges it in one write.
"""

import math
import socket
import ssl
import time
from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeAlias

from bootstrap.mqtt import packets
from bootstrap.mqtt.address import ConnectOptions
from bootstrap.mqtt.packets import MalformedError, Publish
from bootstrap.mqtt.paho import (
    CallbackAPIVersion,
    MalformedPacket,
    MQTTErrorCode,
    PacketTypes,
    Properties,
    ReasonCode,
    SubscribeOptions,
    client,
)
from bootstrap.outbox.message import FAILURE, Message

VERSIONS = {"5": client.MQTTv5, "3.1.1": client.MQTTv311}
LARGEST = 2_000_000  # bytes of a packet that we accept: enough to refuse it with a reason, too little to fill a Pi
OVERHEAD = 20  # bytes of a PUBLISH besides topic and payload, at most
CHUNK = 32_768  # bytes read at once
LONGEST_REASON = 200  # characters of a text that the broker sends with a reason code


class Reason(NamedTuple):
    """A reason code of the broker, and its meaning; the text is empty for a success."""

    code: int
    text: str

    @property
    def failed(self) -> bool:
        """Whether it is a failure."""
        return self.code >= FAILURE


class Connack(NamedTuple):
    """The broker has answered CONNECT. `largest` is in bytes of topic and payload together."""

    reason: Reason
    receive_maximum: int
    largest: float
    retains: bool = True  # whether it keeps retained messages
    largest_qos: int = 2
    identifies: bool = True  # whether it says which subscriptions a message matches (MQTT 5)


class Puback(NamedTuple):
    """The broker has answered a PUBLISH."""

    packet_id: int
    reason: Reason


class Suback(NamedTuple):
    """The broker has answered a SUBSCRIBE, with a reason for each filter."""

    packet_id: int
    reasons: list[Reason]


class Unsuback(NamedTuple):
    """The broker has answered an UNSUBSCRIBE."""

    packet_id: int


class Pingresp(NamedTuple):
    """The broker has answered a PINGREQ, and everything that was sent to it before."""


class Closed(NamedTuple):
    """The connection has ended, by the broker or the network. `code` is that of a DISCONNECT, if there was one."""

    why: str
    code: int = 0


Event: TypeAlias = Connack | Puback | Suback | Unsuback | Pingresp | Closed | Publish


class Durable(NamedTuple):
    """A session at the broker that outlives its connection, and whose messages the caller acknowledges.

    Attributes:
        expiry_s: how long the broker keeps it, in seconds; MQTT 3.1.1 keeps it for ever.
        receive_maximum: how many unacknowledged messages the broker may send; MQTT 3.1.1 cannot limit that.
        largest: bytes of a packet that we accept; of a larger one, MQTT 3.1.1 lets us keep only the beginning.
    """

    expiry_s: int
    receive_maximum: int
    largest: int = LARGEST


class Session(client.Client):
    """Speaks MQTT over a socket that is already connected, and hands every event to `on_event`."""

    def __init__(
        self,
        ready: socket.socket,
        options: ConnectOptions,
        on_event: Callable[[Event], None],
        durable: Durable | None = None,
    ) -> None:
        super().__init__(
            CallbackAPIVersion.VERSION2,
            options.client_id,
            clean_session=None if options.version_5 else durable is None,
            protocol=VERSIONS[options.protocol],
            reconnect_on_failure=False,
        )
        self._ready, self._options, self._on_event, self._durable = ready, options, on_event, durable
        self._buffer = bytearray()
        self._largest = durable.largest if durable else LARGEST
        self._surplus = 0  # bytes still to come, and to be thrown away, of a packet that was too large
        self.keepalive_s = options.keepalive_s
        self._last_out = self._last_in = time.monotonic()
        self.max_inflight_messages_set(0)  # no limit of paho's own: the caller limits them
        self.username_pw_set(options.username, options.password)
        if options.will is not None:
            self.will_set(options.will.topic, options.will.payload, qos=1, retain=options.will.retain)
        self.on_connect, self.on_disconnect = self._connected, self._disconnected
        self.on_publish, self.on_subscribe = self._published, self._subscribed
        self.on_unsubscribe = self._unsubscribed

    def begin(self) -> None:
        """Send CONNECT. If that fails, the session is closed before this returns."""
        if self._options.version_5:
            fresh = self._durable is None
            self.connect("given", keepalive=self.keepalive_s, clean_start=fresh, properties=self._properties())
        else:
            self.connect("given", keepalive=self.keepalive_s)

    def _properties(self) -> Properties:
        """Return the limits on what the broker may send, which MQTT 3.1.1 does not have."""
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho's own
        properties.MaximumPacketSize = self._largest
        if self._durable is not None:
            properties.SessionExpiryInterval = self._durable.expiry_s
            properties.ReceiveMaximum = self._durable.receive_maximum
        return properties

    def _create_socket(self) -> socket.socket:
        """Return the connected socket, instead of paho's own connect, which blocks."""
        return self._ready

    # paho's callbacks, passed on as events. An exception in one of them would end the session silently.

    def _connected(self, _client: object, _data: object, _flags: object, code: ReasonCode, more: object) -> None:
        self.keepalive_s = getattr(more, "ServerKeepAlive", self.keepalive_s)  # it overrides ours (MQTT 5, 3.2.2.3.14)
        window = getattr(more, "ReceiveMaximum", 65_535)
        largest = getattr(more, "MaximumPacketSize", math.inf) - OVERHEAD
        retains, qos = getattr(more, "RetainAvailable", 1), getattr(more, "MaximumQoS", 2)
        identifies = self._options.version_5 and bool(getattr(more, "SubscriptionIdentifierAvailable", 1))
        self._on_event(Connack(_reason(code, more), window, largest, bool(retains), qos, identifies))

    def _published(self, _client: object, _data: object, packet_id: int, code: ReasonCode, more: object) -> None:
        self._on_event(Puback(packet_id, _reason(code, more)))

    def _subscribed(
        self, _client: object, _data: object, packet_id: int, codes: list[ReasonCode], more: object
    ) -> None:
        self._on_event(Suback(packet_id, [_reason(code, more) for code in codes]))

    def _unsubscribed(self, _client: object, _data: object, packet_id: int, _codes: object, _more: object) -> None:
        self._on_event(Unsuback(packet_id))

    def _disconnected(
        self, _client: object, _data: object, flags: client.DisconnectFlags, code: ReasonCode, more: object
    ) -> None:
        if flags.is_disconnect_packet_from_server:
            self._on_event(Closed(f"the broker disconnected us: {_described(code, more)}", code.value))
        else:
            self._on_event(Closed(f"the connection broke: {code}"))

    def _handle_pingresp(self) -> MQTTErrorCode:
        outcome = super()._handle_pingresp()
        self._on_event(Pingresp())
        return outcome

    # Reading.

    @property
    def pending(self) -> bool:
        """Whether TLS holds decrypted bytes, which the descriptor does not show."""
        return isinstance(self._ready, ssl.SSLSocket) and bool(self._ready.pending())

    def _packet_read(self) -> MQTTErrorCode:
        """Read what has come and handle each whole packet, instead of paho's own reading of one."""
        try:
            chunk = self._sock_recv(CHUNK)
        except BlockingIOError:
            return MQTTErrorCode.MQTT_ERR_AGAIN
        except OSError:
            return MQTTErrorCode.MQTT_ERR_CONN_LOST
        if not chunk:
            return MQTTErrorCode.MQTT_ERR_CONN_LOST
        self._buffer += chunk[self._surplus :]
        self._surplus = max(0, self._surplus - len(chunk))
        self._last_in = self._last_bytes_received = time.monotonic()
        try:
            return self._handle_packets()
        except (MalformedError, MalformedPacket):
            return MQTTErrorCode.MQTT_ERR_PROTOCOL

    def _handle_packets(self) -> MQTTErrorCode:
        buffer, done, received = self._buffer, 0, list[int]()
        for head, start, done in packets.split(buffer):
            if head & packets.TYPE == packets.PUBLISH:
                message = packets.publish(head, buffer[start:done], version_5=self._options.version_5)
                received.append(message.packet_id)
                self._on_event(message)
            else:
                self._in_packet |= {"command": head, "packet": buffer[start:done], "remaining_length": done - start}
                if error := self._packet_handle():
                    return error
        del buffer[:done]
        if len(buffer) > self._largest:
            received.append(self._cut_off())
        if self._durable is None:
            self.acknowledge(received)
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    def _cut_off(self) -> int:
        """Handle the beginning of a message that is too large, so that it is refused; returns its packet id.

        MQTT 3.1.1 cannot ask the broker not to send it.
        """
        buffer = self._buffer
        length, start = packets.variable_length(buffer, 1)
        if buffer[0] & packets.TYPE != packets.PUBLISH:
            raise MalformedError
        message = packets.publish(buffer[0], buffer[start:], version_5=self._options.version_5)
        self._surplus = start + length - len(buffer)
        buffer.clear()
        self._on_event(message)
        return message.packet_id

    # Writing.

    def acknowledge(self, packet_ids: Iterable[int]) -> None:
        """Acknowledge these messages in one write; 0 stands for one that needs no acknowledgement."""
        if answer := packets.pubacks(packet_ids):
            self._packet_queue(packets.PUBACK, answer, 0, 1)

    def send(self, message: Message, qos: int = 1) -> int:
        """Publish a message; returns the packet id that its PUBACK will name."""
        self._last_out = time.monotonic()
        return self.publish(message.topic, message.payload, qos=qos, retain=message.retain).mid

    def subscribe_to(self, wanted: Iterable[tuple[str, SubscribeOptions]], identifier: int = 0) -> int:
        """Subscribe to these filters; returns the packet id that the SUBACK will name.

        In MQTT 5, an `identifier` other than 0 is in each message that matches them.
        """
        if self._options.version_5:
            properties = Properties(PacketTypes.SUBSCRIBE) if identifier else None  # type: ignore[no-untyped-call]
            if properties:
                properties.SubscriptionIdentifier = identifier
            return self.subscribe([*wanted], properties=properties)[1] or 0
        return self.subscribe([(one, options.QoS) for one, options in wanted])[1] or 0

    def unsubscribe_from(self, filters: Iterable[str]) -> None:
        """Unsubscribe from these filters."""
        self.unsubscribe([*filters])

    def ping(self) -> None:
        """Send PINGREQ now. The answer arrives after everything that the broker has sent before."""
        self._send_pingreq()

    def keep_alive(self) -> float | None:
        """Let paho ping if a ping is due. Returns when to ask again (monotonic, in seconds), or None for never.

        paho itself gives up after a second keepalive without an answer.
        """
        if self.socket() is None or not self.keepalive_s:
            return None
        due = min(self._last_out, self._last_in) + self.keepalive_s
        now = time.monotonic()
        if due > now:
            return due
        self.loop_misc()
        return now + self.keepalive_s / 2  # paho may have decided not to ping


def _reason(code: ReasonCode, more: object) -> Reason:
    return Reason(code.value, _described(code, more) if code.value >= FAILURE else "")


def _described(code: ReasonCode, more: object) -> str:
    """Return a reason code in words, with what the broker adds: its own text, and the server to use instead."""
    added = (getattr(more, name, None) for name in ("ReasonString", "ServerReference"))
    return ": ".join([str(code), *(text[:LONGEST_REASON] for text in added if isinstance(text, str) and text)])
