"""The link to the broker: connect, publish from the outbox, and do it all again after an outage.

Nothing here blocks: the device is read whether there is a broker or not.
"""

import socket
import time
from collections import deque
from collections.abc import Callable
from enum import Enum, auto
from functools import partial
from typing import Protocol

from bootstrap.errors import Exit, Fatal
from bootstrap.eventloop.backoff import Backoff
from bootstrap.eventloop.loop import Loop, Timer
from bootstrap.eventloop.threads import Worker
from bootstrap.logs import log
from bootstrap.mqtt.address import BrokerAddress
from bootstrap.mqtt.connect import connect
from bootstrap.mqtt.connection import Connection
from bootstrap.mqtt.delivery import Delivery
from bootstrap.mqtt.session import Connack, Reason
from bootstrap.outbox.outbox import Outbox

FIRST_RETRY_S, LAST_RETRY_S, JITTER = 0.5, 5.0, 0.3
SLOW_RETRY_S = 60.0  # after a refusal by a broker that has accepted us before
CONNACK_S = 10.0
CONNECT_S = 120.0  # for a name server that has no limit of its own, SYNs and the TLS handshake
TRIES = 3  # refusals before it is fatal, if we were never accepted
TAKEOVERS, TAKEOVER_WINDOW_S = 3, 60.0
STEADY_S = 10.0  # after a connection that lasted this long, the next failure counts as the first

# CONNACK reasons that pass by themselves: server unavailable, busy, quota and rate exceeded, move (MQTT 5, 3.2.2.2).
PASSING = frozenset({0x88, 0x89, 0x97, 0x9C, 0x9D, 0x9F})


class Phase(Enum):
    """Where the link is between two attempts to connect."""

    IDLE = auto()
    WAITING = auto()
    CONNECTING = auto()
    AWAITING_CONNACK = auto()
    UP = auto()
    CLOSING = auto()
    CLOSED = auto()


class LinkOwner(Protocol):
    """Receives the events of the link."""

    def on_connected(self) -> None:
        """The broker has accepted us; what is put in the outbox now is part of the birth."""

    def on_disconnected(self, why: str) -> None:
        """There is no broker, or the connection to it is lost."""

    def on_message(self, topic: str, payload: bytes, *, retained: bool) -> None:
        """A message has arrived."""

    def on_denied(self, topic: str, why: str | None) -> None:
        """The broker does not let us publish to this topic; with None it does again."""


class Link:
    """Keeps one connection to the broker, or the next attempt at one."""

    def __init__(self, loop: Loop, worker: Worker, address: BrokerAddress, outbox: Outbox, owner: LinkOwner) -> None:
        self._loop, self._worker, self._address = loop, worker, address
        self._owner = owner
        self._delivery = Delivery(loop, worker, outbox, owner.on_denied, self._overdue)
        self._before_birth: list[str] = []
        self._after_birth: list[str] = []
        self._phase = Phase.IDLE
        self._connection: Connection | None = None
        self._timer: Timer | None = None  # of the phase: a retry, CONNACK
        self._backoff = Backoff(FIRST_RETRY_S, LAST_RETRY_S, JITTER)
        self._host = 0
        self._began_at = self._up_at = 0.0
        self._connects = self._refusals = 0
        self._takeovers: deque[float] = deque(maxlen=TAKEOVERS)
        self._tried = ""  # the last host and port
        self._login = ""  # for the log
        self._outage_logged = False
        self._flapping = False  # the last connection was a short one

    @property
    def begun(self) -> bool:
        """Whether `start` was called."""
        return self._phase is not Phase.IDLE

    @property
    def up(self) -> bool:
        """Whether the broker has accepted us, and the connection is not known to be lost."""
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
            case Phase.WAITING | Phase.AWAITING_CONNACK:
                return armed
            case Phase.CONNECTING:
                return time.monotonic() - self._began_at < CONNECT_S
            case Phase.UP:
                return self._delivery.making_progress
            case _:
                return True

    @property
    def reconnects(self) -> int:
        """How often the broker has accepted us again."""
        return max(0, self._connects - 1)

    def subscribe(self, before_birth: list[str], after_birth: list[str]) -> None:
        """Subscribe to these at every connect from now on, before and after the newest state is published."""
        self._before_birth, self._after_birth = before_birth, after_birth

    def start(self) -> None:
        """Connect, and stay connected."""
        self._connect()

    def pump(self) -> None:
        """Publish what may be published now. Call it whenever something was put in the outbox."""
        self._delivery.pump()

    def close(self) -> None:
        """Disconnect if the broker is there. `closed` becomes true at once, or when the broker has closed too."""
        if self._connection is None or not self.up:
            self.drop()
            return
        self._enter(Phase.CLOSING)
        self._delivery.pause()
        self._connection.close(partial(self._enter, Phase.CLOSED))

    def drop(self) -> None:
        """Close without DISCONNECT; if the link was up, the broker publishes the will."""
        self._enter(Phase.CLOSED)
        self._delivery.pause()
        if self._connection is not None:
            self._connection.drop()

    def move(self, address: BrokerAddress) -> None:
        """Use another address from now on: disconnect from the old one, without a will, then connect to the new one."""
        self._address, self._host, self._refusals = address, 0, 0
        self._backoff.reset()
        self._outage_logged = self._flapping = False
        connection, self._connection = self._connection, None
        if self._phase is Phase.CLOSING:  # because of an earlier move
            return
        self._enter(Phase.CLOSING)
        self._delivery.end()
        self._owner.on_disconnected("its settings have changed")
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
        self._began_at = time.monotonic()
        address = self._address
        host, port = address.hosts[self._host % len(address.hosts)], address.port
        self._tried = f"{host}:{port}"
        then, failed = partial(self._connected, address), partial(self._not_connected, address)
        self._worker.call(partial(connect, host, port, address.ca_file), then, failed)

    def _awaits(self, address: BrokerAddress) -> bool:
        """Return whether we still wait for the outcome of this attempt."""
        return self._phase is Phase.CONNECTING and address is self._address

    def _not_connected(self, address: BrokerAddress, error: Exception) -> None:
        if not isinstance(error, OSError):
            raise error
        if self._awaits(address):
            self._lost(f"{self._tried}: {error}")

    def _connected(self, address: BrokerAddress, ready: socket.socket) -> None:
        if not self._awaits(address):
            ready.close()
            return
        try:
            options = address.connect_options()
        except (OSError, ValueError) as error:
            ready.close()
            self._lost(f"the password: {error}")
            return
        self._login = f"as {options.username or 'nobody'}, with {'a' if options.password else 'no'} password"
        silent = f"{self._tried}: no answer in {CONNACK_S:g} s"
        self._enter(Phase.AWAITING_CONNACK, CONNACK_S, partial(self._lost, silent))
        self._connection = Connection(self._loop, ready, options, self)

    # What the connection reports.

    def on_connack(self, connack: Connack) -> None:
        """Publish the birth, or note why the broker refuses us."""
        if connack.reason.failed:
            self._refused(connack.reason)
            return
        self._enter(Phase.UP)
        self._up_at = time.monotonic()
        self._connects += 1
        self._refusals = 0
        level = log.debug if self._flapping else log.info
        level("connected", broker=self._tried)
        self._owner.on_connected()
        if self._connection is not None:
            self._delivery.begin(self._connection, connack)
            self._connection.subscribe(*self._before_birth)
            self._delivery.pump()
            self._connection.subscribe(*self._after_birth)

    def on_puback(self, packet_id: int, reason: Reason) -> None:
        """Go on publishing."""
        self._delivery.on_puback(packet_id, reason)

    def on_suback(self, reasons: list[Reason]) -> None:
        """Log what was refused. With an ACL file, Mosquitto grants all and delivers nothing; other brokers refuse."""
        for reason in reasons:
            if reason.failed:
                log.error("the broker refused a subscription; commands may not reach us", reason=reason.text)

    def on_message(self, topic: str, payload: bytes, *, retained: bool) -> None:
        """Pass the message on to the owner."""
        self._owner.on_message(topic, payload, retained=retained)

    def on_closed(self, why: str) -> None:
        """Connect again later."""
        hint = "" if self.up else "; is it the right port, and does it want TLS (ca_file)?"
        self._lost(f"{self._tried}: {why}{hint}")

    # What goes wrong.

    def _overdue(self, why: str) -> None:
        self._lost(f"{self._tried}: {why}")

    def _lost(self, why: str) -> None:
        """Keep what is unacknowledged, try again later, and log it once."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.drop()
        now = time.monotonic()
        self._delivery.end()
        if self.up:
            self._flapping = now - self._up_at < STEADY_S
        if self.up and not self._flapping:
            self._backoff.reset()
            self._outage_logged = False
        level = log.debug if self._outage_logged else log.warning
        level("no broker; readings are kept meanwhile", reason=why)
        self._outage_logged = True
        self._owner.on_disconnected(why)
        self._host += 1
        more_hosts = self._host % len(self._address.hosts) != 0
        self._enter(Phase.WAITING, 0 if more_hosts else self._backoff.advance(now - self._began_at), self._connect)

    def _refused(self, reason: Reason) -> None:
        """Try again later; a broker that has never accepted us is fatal after a few refusals."""
        why = f"{self._tried} refused us: {reason.text} ({self._login})"
        if reason.code in PASSING:
            self._lost(why)
            return
        self._refusals += 1
        if not self._connects and self._refusals >= TRIES:
            raise Fatal(Exit.REFUSED, f"{TRIES} times {why}; see username and password_file")
        if self._refusals == 1:
            log.error("the broker refuses us; readings are kept meanwhile", reason=why)
            self._outage_logged = True
        self._lost(why)
        if self._connects:
            self._enter(Phase.WAITING, SLOW_RETRY_S, self._connect)

    def taken_over(self, why: str) -> None:
        """Note that another client with our id has displaced us; the two would displace each other for ever.

        Raises:
            Fatal: it has happened three times in a minute.
        """
        self._takeovers.append(time.monotonic())
        if len(self._takeovers) == TAKEOVERS and self._takeovers[-1] - self._takeovers[0] < TAKEOVER_WINDOW_S:
            raise Fatal(Exit.RUNNING, why)
