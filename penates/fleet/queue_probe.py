"""How many messages a broker keeps for a client that is away, found out by being one."""

import socket
from collections.abc import Callable
from dataclasses import replace

from bootstrap.mqtt.address import ConnectOptions
from bootstrap.mqtt.session import Durable
from penates.fleet.probe import PATIENCE_S, MqttProbe, Silent

EXPIRY_S = 60  # of the session, should we die before it is ended
WINDOW = 1000
QUIET_S = 0.5  # without a message, after which no more are expected


def kept_messages(open_socket: Callable[[], socket.socket], options: ConnectOptions, topic: str, count: int) -> int:
    """Return how many of `count` messages to `topic` wait for a client that is away. Nothing of it remains.

    Raises:
        OSError, Silent: the broker cannot be reached, refuses us, or does not let us subscribe and publish there.
    """
    kept = Durable(EXPIRY_S, WINDOW)
    try:
        with _connected(open_socket, options, kept) as away:
            _require(away, topic)
        with _connected(open_socket, replace(options, client_id=f"{options.client_id}-sender")) as sender:
            if (reason := sender.publish(topic, b"1")).failed:
                raise Silent(f"it does not accept {topic}: {reason.text}")
            sender.publish_many(topic, count - 1)
        with _connected(open_socket, options, kept) as back:
            received = 0
            while len(back.received) < count and back.until(lambda: len(back.received) > received, QUIET_S):  # noqa: B023
                received = len(back.received)
            return len(back.received)
    finally:
        _connected(open_socket, options).close()  # a session that is not durable ends the one that was


def _connected(
    open_socket: Callable[[], socket.socket], options: ConnectOptions, durable: Durable | None = None
) -> MqttProbe:
    probe = MqttProbe(open_socket(), options, PATIENCE_S, durable)
    if (reason := probe.greet()).failed:
        probe.close()
        raise Silent(f"it refuses {options.client_id}: {reason.text}")
    return probe


def _require(probe: MqttProbe, topic: str) -> None:
    (reason,) = probe.subscribe(topic)
    if reason.failed:
        raise Silent(f"it does not let us receive {topic}: {reason.text}")
