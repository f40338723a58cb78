"""The link to the broker: connect, publish from the outbox, and do it all again after an outage.

Nothing here blocks: the device is read whether there is a broker or not.
"""

import socket
import time
from collections.abc import Callable
from enum import Enum, auto
from functools import partial
from typing import Protocol

from bootstrap.errors import Exit, Fatal
from bootstrap.eventloop.loop import Loop, Timer
from bootstrap.eventloop.threads import Worker
from bootstrap.mqtt import outages
from bootstrap.mqtt.address import BrokerAddress, ConnectOptions
from bootstrap.mqtt.attempts import Attempts
from bootstrap.mqtt.connection import OTHERS, OWN, Connection
from bootstrap.mqtt.delivery import Delivery
from bootstrap.mqtt.outages import Outages
from bootstrap.mqtt.requests import Requests
from bootstrap.mqtt.session import Closed, Connack, Reason
from bootstrap.outbox.outbox import Outbox

CONNACK_S = 10.0
LOOK_S = 5.0  # for the broker to send what it retains of us
TAKEN_OVER = 0x8E  # reason code of DISCONNECT: another client has connected with our client id


class Phase(Enum):
    """Where the link is between two attempts to connect."""

    IDLE = auto()
    WAITING = auto()
    CONNECTING = auto()
    AWAITING_CONNACK = auto()
    LOOKING = auto()  # at what the broker retains of us, before we publish anything
    UP = auto()
    CLOSING = auto()
    CLOSED = auto()


class LinkOwner(Protocol):
    """Receives the events of the link."""

    def silent_s(self) -> float:
        """Return for how many seconds we may not publish yet, after the broker has sent what it retains of us."""
        ...

    def on_connected(self) -> None:
        """The broker has accepted us; what is put in the outbox now is part of the birth."""

    def on_disconnected(self, why: str) -> None:
        """There is no broker, or the connection to it is lost."""

    def on_refused(self, why: str) -> None:
        """The broker does not accept us, until the next `on_connected`."""

    def on_flapping(self, why: str | None) -> None:
        """The connection keeps breaking; with None it lasts again."""

    def on_message(self, topic: str, payload: bytes, *, retained: bool) -> None:
        """A message has arrived."""

    def on_denied(self, topic: str, why: str | None) -> None:
        """The broker does not let us publish to this topic; with None it does again."""


class LinkListener(Protocol):
    """Receives the same of a connection as its owner, for a device that listens to what others publish."""

    def on_connected(self) -> None:
        """The broker has accepted us."""

    def on_disconnected(self, why: str) -> None:
        """There is no broker, or the connection to it is lost."""

    def on_message(self, topic: str, payload: bytes, *, retained: bool) -> None:
        """A message has arrived."""


class Link:
    """Keeps one connection to the broker, or the next attempt at one."""

    def __init__(self, loop: Loop, worker: Worker, address: BrokerAddress, outbox: Outbox) -> None:
        self.owner: LinkOwner  # is set before `start`
        self._loop = loop
        self._attempts = Attempts(worker, address, self._connected, self._lost)
        denied = lambda topic, why: self.owner.on_denied(topic, why)  # noqa: E731, PLW0108 - there is no owner yet
        self.delivery = Delivery(loop, worker, outbox, denied, self._overdue)
        self._outages, self._hang_ups = Outages(), self.delivery.hang_ups
        self.requests = Requests(self._hang_ups)
        self.listener: LinkListener | None = None
        self._phase = Phase.IDLE
        self._connection: Connection | None = None
        self._connack: Connack | None = None
        self._timer: Timer | None = None  # of the phase: a retry, CONNACK, the look, a connection that lasts
        self._up_at = 0.0
        self._connects = 0

    @property
    def begun(self) -> bool:
        """Whether `start` was called."""
        return self._phase is not Phase.IDLE

    @property
    def up(self) -> bool:
        """Whether we may publish, and the connection is not known to be lost."""
        return self._phase is Phase.UP

    @property
    def closed(self) -> bool:
        """Whether the link is closed, after disconnecting if there was a connection."""
        return self._phase is Phase.CLOSED

    @property
    def making_progress(self) -> bool:
        """Whether the link continues by itself. An absent broker does not stop it; a missing timer would."""
        armed = self._timer is not None and self._timer.call is not None
        match self._phase:
            case Phase.WAITING | Phase.AWAITING_CONNACK | Phase.LOOKING:
                return armed
            case Phase.CONNECTING:
                return self._attempts.making_progress
            case Phase.UP:
                return self.delivery.making_progress
            case _:
                return True

    @property
    def reconnects(self) -> int:
        """How often the broker has accepted us again."""
        return max(0, self._connects - 1)

    def start(self) -> None:
        """Connect, and stay connected."""
        self._connect()

    def pump(self) -> None:
        """Publish what may be published now. Call it whenever something was put in the outbox."""
        self.delivery.pump()

    def close(self) -> None:
        """Disconnect if the broker is there. `closed` becomes true at once, or when the broker has closed too."""
        self._disconnect(partial(self._enter, Phase.CLOSED))

    def give_way(self, why: str) -> None:
        """Disconnect, so that the broker publishes no last will, then end with a Fatal (75): another instance runs."""

        def end() -> None:
            raise Fatal(Exit.RUNNING, why)

        self._disconnect(end)

    def _disconnect(self, then: Callable[[], None]) -> None:
        if self._connection is None or self._phase not in (Phase.LOOKING, Phase.UP):
            self.drop()
            then()
            return
        self._enter(Phase.CLOSING)
        self.delivery.pause()
        self._connection.close(then)

    def drop(self) -> None:
        """Close without DISCONNECT; if the link was up, the broker publishes the will."""
        self._attempts.cancel()
        self._enter(Phase.CLOSED)
        self.delivery.pause()
        if self._connection is not None:
            self._connection.drop()

    def move(self, address: BrokerAddress) -> None:
        """Use another address from now on: disconnect from the old one, without a will, then connect to the new one."""
        self._attempts.use(address)
        self._outages.reset()
        self.owner.on_flapping(None)
        connection, self._connection = self._connection, None
        if self._phase is Phase.CLOSING:  # because of an earlier move
            return
        self._enter(Phase.CLOSING)
        self.requests.end()
        self.delivery.end()
        self._report_loss("its settings have changed")
        if connection is None:
            self._connect()
        else:
            connection.close(self._moved)

    def _moved(self) -> None:
        if self._phase is Phase.CLOSING:
            self._connect()

    # From one phase to the next.

    def _enter(self, phase: Phase, after_s: float | None = None, then: Callable[[], None] | None = None) -> None:
        """Change phase; whatever the old one waited for no longer counts."""
        self._phase = phase
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(after_s, then) if after_s is not None and then is not None else None

    def _connect(self) -> None:
        self._enter(Phase.CONNECTING)
        self._attempts.start()

    def _connected(self, ready: socket.socket, options: ConnectOptions) -> None:
        silent = f"{self._attempts.tried}: no answer in {CONNACK_S:g} s"
        self._enter(Phase.AWAITING_CONNACK, CONNACK_S, partial(self._lost, silent))
        self._connection = Connection(self._loop, ready, options, self)

    def _begin(self) -> None:
        """Publish the birth, then what waits."""
        self._enter(Phase.UP, outages.STEADY_S, self._steady)
        self._up_at = time.monotonic()
        self._connects += 1
        self._outages.connected(self._attempts.tried)
        self.owner.on_connected()
        if self.listener:
            self.listener.on_connected()
        self.requests.go_on_with_birth(self._publish)

    def _publish(self) -> None:
        if self._connection is not None and self._connack is not None:
            self.delivery.begin(self._connection, self._connack)
            self.delivery.pump()

    def _steady(self) -> None:
        """Note that the connection lasts."""
        self._hang_ups.steady()
        self.requests.go_on()
        self.delivery.widen()
        self._outages.steady()
        self.owner.on_flapping(None)

    # What the connection reports.

    def on_connack(self, connack: Connack) -> None:
        """Look at what the broker retains of us, or note why it refuses us."""
        if connack.reason.failed:
            self._refused(connack.reason)
        elif self._connection is not None:
            self._connack = connack
            self._enter(Phase.LOOKING, LOOK_S, self._begin)
            self._hang_ups.opened()
            self.requests.begin(self._connection, self._connection.ping)

    def on_pingresp(self) -> None:
        """Begin to publish, unless another instance may be alive."""
        if self._phase is Phase.LOOKING:
            if wait_s := self.owner.silent_s():
                self._enter(Phase.LOOKING, wait_s, self._begin)
            else:
                self._begin()

    def on_puback(self, packet_id: int, reason: Reason) -> None:
        """Go on publishing."""
        self.delivery.on_puback(packet_id, reason)

    def on_suback(self, reasons: list[Reason]) -> None:
        """Go on subscribing."""
        self.requests.on_suback(reasons)

    def on_message(self, topic: str, payload: bytes, *, retained: bool, audience: int) -> None:
        """Pass the message on to those for whom it is."""
        if audience & OWN:
            self.owner.on_message(topic, payload, retained=retained)
        if audience & OTHERS and self.listener:
            self.listener.on_message(topic, payload, retained=retained)

    def on_closed(self, closed: Closed) -> None:
        """Find out why, if that can be known, and connect again later."""
        why = f"{self._attempts.tried}: {closed.why}"
        if closed.code == TAKEN_OVER:
            self._lost(why, self._attempts.taken_over)
        elif self._phase not in (Phase.LOOKING, Phase.UP):
            login = self._attempts.login
            self._lost(f"{why}; is it the right port, does it want TLS (ca_file), does it accept {login}?")
        elif found := self._hang_ups.broken([*self.requests.unanswered, *self.delivery.unanswered]):
            self._lost(why, f"the broker hangs up on: {found}")
            self._set_aside(found)
        else:
            self._lost(why)

    # What goes wrong.

    def _overdue(self, why: str) -> None:
        self._lost(f"{self._attempts.tried}: {why}")

    def _lost(self, why: str, cause: str = "", *, refused: bool = False) -> None:
        """Keep what is unacknowledged, try again later, and log it once."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.drop()
        self.requests.end()
        self.delivery.end()
        lasted_s = time.monotonic() - self._up_at if self.up else None
        self._outages.lost(why, lasted_s, cause, self._attempts.suspicion)
        self._report_loss(why)
        self.owner.on_flapping(self._outages.flapping)
        more_hosts = self._attempts.next_host()
        wait_s = 0.0 if more_hosts else self._outages.retry_s(self._attempts.age_s, refused=refused)
        self._enter(Phase.WAITING, wait_s, self._connect)

    def _report_loss(self, why: str) -> None:
        self.owner.on_disconnected(why)
        if self.listener:
            self.listener.on_disconnected(why)

    def _set_aside(self, request: str) -> None:
        """Go on without the request on which the broker hangs up."""
        for_s = self._hang_ups.hold_s(request)
        verb, _, topic = request.partition(" ")
        if verb == "publish":
            self.delivery.set_aside(topic, for_s)
        else:
            self.requests.set_aside(topic, for_s)
        self._outages.explained()
        self._enter(Phase.WAITING, self._outages.retry_s(0.0, refused=False), self._connect)

    def _refused(self, reason: Reason) -> None:
        """Try again later, whether the broker has ever accepted us or not: the device is read meanwhile."""
        why = f"{self._attempts.tried} refused us: {reason.text} ({self._attempts.login})"
        advice = self._attempts.cure(reason.code)
        self._outages.refused(why, advice)
        self._lost(why, refused=True)
        self.owner.on_refused(f"{why}; {advice}")
