"""An MQTT session driven by the event loop. Its owner receives events from the loop, never from within paho."""

import os
import socket
from collections.abc import Callable, Sequence
from functools import partial, reduce
from operator import or_
from typing import Protocol

from bootstrap.eventloop.loop import READABLE, WRITABLE, Loop, Timer
from bootstrap.mqtt.address import ConnectOptions
from bootstrap.mqtt.packets import Publish
from bootstrap.mqtt.paho import SubscribeOptions
from bootstrap.mqtt.session import Closed, Connack, Event, Pingresp, Puback, Reason, Session, Suback
from bootstrap.outbox.message import Message

LINGER_S = 2.0
BACKLOG = 50  # events not yet handled, above which nothing more is read

# With the retain flag as published, so that retained commands are recognised, and without our own messages.
COMMANDS = SubscribeOptions(qos=1, noLocal=True, retainAsPublished=True)
# Of what others publish, the flag marks what the broker had stored; as published, it would mark live copies, too.
HEARD = SubscribeOptions(qos=1, noLocal=True)

# For whom a subscription is, as its identifier in MQTT 5: the sensor itself, a device that listens, or both of them.
OWN, OTHERS = 1, 2
BOTH = OWN | OTHERS


class ConnectionOwner(Protocol):
    """Receives the events of a connection, always from the loop."""

    def on_connack(self, connack: Connack) -> None:
        """The broker has answered CONNECT."""

    def on_puback(self, packet_id: int, reason: Reason) -> None:
        """The broker has answered a publish."""

    def on_suback(self, reasons: list[Reason]) -> None:
        """The broker has answered a subscribe, with a reason for each topic."""

    def on_message(self, topic: str, payload: bytes, *, retained: bool, audience: int) -> None:
        """A message has arrived, for OWN, OTHERS or BOTH: who subscribes twice to a topic gets a copy for each."""

    def on_pingresp(self) -> None:
        """The broker has answered a ping, and everything that was sent before it."""

    def on_closed(self, closed: Closed) -> None:
        """The connection has ended."""


class Connection:
    """Speaks MQTT over `ready` and reports to `owner` until it has ended or was dropped."""

    def __init__(self, loop: Loop, ready: socket.socket, options: ConnectOptions, owner: ConnectionOwner) -> None:
        self._loop = loop
        self._owner: ConnectionOwner | None = owner
        self._socket, self._descriptor = ready, ready.fileno()
        self._keepalive_timer: Timer | None = None
        self._unhandled = 0
        self._watching = True
        self.identifies = options.version_5  # whether the broker says for which subscription a message is
        self._session = Session(ready, options, self._note)
        self._session.on_socket_close = lambda *_: self._stop_watching()
        self._session.begin()
        self._keep_alive()
        self._watch()

    # Events: noted while paho runs, handled by the loop.

    def _note(self, event: Event) -> None:
        self._unhandled += 1
        self._loop.call_soon(partial(self._handle, event))

    def _handle(self, event: Event) -> None:
        self._unhandled -= 1
        if self._owner is not None:
            self._dispatch(self._owner, event)
            self._watch()

    def _dispatch(self, owner: ConnectionOwner, event: Event) -> None:
        match event:
            case Puback(packet_id, reason):
                owner.on_puback(packet_id, reason)
            case Connack():
                self._keep_alive()  # the broker may have set another keepalive
                self.identifies = event.identifies
                owner.on_connack(event)
            case Suback(_, reasons):
                owner.on_suback(reasons)
            case Closed():
                owner.on_closed(event)
            case Pingresp():
                owner.on_pingresp()
            case Publish(topic, payload, retained):
                audience = reduce(or_, event.subscriptions, 0) or (OWN if self.identifies else BOTH)
                owner.on_message(topic, payload, retained=retained, audience=audience)
            case _:
                return

    # Reading and writing, called by the loop.

    def _on_ready(self, events: int) -> None:
        if events & ~WRITABLE:  # first, because a DISCONNECT tells more than a write that fails
            self._read()
        if events & WRITABLE and self._session.socket():
            self._session.loop_write()
        self._watch()

    def _read(self) -> None:
        self._session.loop_read()
        while self._session.socket() and self._session.pending:
            self._session.loop_read()

    def _watch(self) -> None:
        """Wait for room to write if something waits, and for data unless enough of it is still unhandled."""
        if self._watching:
            writing = WRITABLE if self._session.want_write() else 0
            reading = READABLE if self._unhandled < BACKLOG else 0
            self._loop.add_reader(self._descriptor, self._on_ready, reading | writing)

    def _keep_alive(self) -> None:
        """Ping if a ping is due, and set a timer for the next one."""
        if self._keepalive_timer is not None:
            self._keepalive_timer.cancel()
        due = self._session.keep_alive()
        self._keepalive_timer = None if due is None else self._loop.call_at(due, self._keep_alive)

    def publish(self, message: Message) -> int:
        """Send at QoS 1; returns the packet id that `on_puback` will name."""
        packet_id = self._session.send(message)
        self._watch()
        return packet_id

    def subscribe(self, filters: Sequence[str], audience: int) -> None:
        """Subscribe to these filters for OWN, OTHERS or BOTH, or for 0: for OWN, without saying so to the broker."""
        options = HEARD if audience & OTHERS else COMMANDS
        # Who passes the commands of others on must know which of them are retained, and pass on none of those.
        wanted = [(one, COMMANDS if one.split("/")[2:3] == ["action"] else options) for one in filters]
        self._session.subscribe_to(wanted, audience if self.identifies else 0)
        self._watch()

    def unsubscribe(self, filters: Sequence[str]) -> None:
        """Unsubscribe from these filters."""
        self._session.unsubscribe_from(filters)
        self._watch()

    def ping(self) -> None:
        """Ask for a `Pingresp`, which arrives after everything that the broker has sent before."""
        self._session.ping()
        self._watch()

    def close(self, closed: Callable[[], None]) -> None:
        """Send DISCONNECT, let the broker close first, then call `closed`."""
        self._owner = None
        rest = socket.socket(fileno=os.dup(self._descriptor))
        self._session.disconnect()
        self.drop()
        _Farewell(self._loop, rest, closed)

    def drop(self) -> None:
        """Close at once. Unless DISCONNECT was sent, the broker publishes the will."""
        self._owner = None
        self._stop_watching()
        self._socket.close()
        if self._keepalive_timer is not None:
            self._keepalive_timer.cancel()

    def _stop_watching(self) -> None:
        """Stop only once: the descriptor's number may soon be reused."""
        if self._watching:
            self._watching = False
            self._loop.remove_reader(self._descriptor)


class _Farewell:
    """Waits until the broker closes, because closing on unread data resets the connection.

    The broker would then not read our DISCONNECT, and publish the will of a sensor that has stopped in order.
    """

    def __init__(self, loop: Loop, rest: socket.socket, closed: Callable[[], None]) -> None:
        self._loop, self._rest, self._closed = loop, rest, closed
        self._timer = loop.call_later(LINGER_S, self._finish)
        loop.add_reader(rest.fileno(), self._read)
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
        self._loop.remove_reader(self._rest.fileno())
        self._rest.close()
        self._closed()
