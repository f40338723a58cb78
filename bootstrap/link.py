"""The link to the broker: reach it, greet it, feed it from the outbox, and do it all again when it went away.

Nothing here ever waits: the device is read whether a broker is there or not.
"""

import random
import socket
import time
from collections import deque
from collections.abc import Callable
from enum import Enum, auto
from functools import partial
from pathlib import Path
from typing import Protocol

from paho.mqtt.reasoncodes import ReasonCode

from bootstrap import log
from bootstrap.connection import Connection, Hello
from bootstrap.dial import dial
from bootstrap.errors import Exit, Fatal
from bootstrap.keeper import Keeper
from bootstrap.loop import Loop, Timer
from bootstrap.message import FAILURE, Message, Verdict, verdict
from bootstrap.outbox import WINDOW, Outbox
from bootstrap.sockets import Worker

FIRST_RETRY_S = 0.5
LAST_RETRY_S = 5.0
SLOW_RETRY_S = 60.0  # after a refusal by a broker that knows us
GREETING_S = 10.0  # for CONNACK
ANSWER_S = 15.0  # for PUBACK
DIALLED_S = 120.0  # for a name server that has no limit of its own, SYNs and TLS hands
TRIES = 3  # refusals before it is fatal, if we were never accepted
TAKEOVERS, TAKEOVER_WINDOW_S = 3, 60.0
STEADY_S = 10.0  # a connection that lived as long makes the next failure a first one

# CONNACK reasons that pass by themselves: server unavailable, busy, quota and rate exceeded, move (MQTT 5, 3.2.2.2).
PASSING = frozenset({0x88, 0x89, 0x97, 0x9C, 0x9D, 0x9F})


class Phase(Enum):
    """Where the link is on its way round."""

    IDLE = auto()
    WAITING = auto()
    DIALLING = auto()
    GREETING = auto()
    UP = auto()
    CLOSING = auto()
    CLOSED = auto()


class Listener(Protocol):
    """Whom the link tells."""

    def connected(self) -> None:
        """The broker has accepted us; what is put in the outbox now is part of the birth."""

    def disconnected(self, why: str) -> None:
        """The broker is not there, or no more."""

    def received(self, topic: str, payload: bytes, *, retained: bool) -> None:
        """A message to us."""

    def denied(self, topic: str, why: str | None) -> None:
        """The broker does not let us publish this; with None it does again."""


class Address(Protocol):
    """Where the broker is and how to speak to it."""

    @property
    def hosts(self) -> list[str]:
        """The addresses of one logical broker, tried in turn."""

    @property
    def port(self) -> int:
        """The TCP port."""

    @property
    def ca_file(self) -> Path | None:
        """With TLS, what we trust."""

    def hello(self) -> Hello:
        """What CONNECT says; read anew each time, so that a new password needs no restart.

        Raises:
            OSError: the password cannot be read.
            ValueError: it is empty, or no text.
        """


class Retry:
    """When to try again: twice as late each time, jittered so that a whole house does not call at once."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """The next failure is a first one."""
        self._delay_s = FIRST_RETRY_S

    def next(self, already_s: float) -> float:
        """Seconds to wait after an attempt that itself took `already_s`: the rhythm counts from its start."""
        delay = self._delay_s * random.uniform(0.7, 1.0)  # noqa: S311 - no secret
        self._delay_s = min(LAST_RETRY_S, self._delay_s * 2)
        return max(FIRST_RETRY_S, delay - already_s)


class Link:
    """Keeps one connection to the broker, or the next attempt at one."""

    def __init__(self, loop: Loop, worker: Worker, address: Address, outbox: Outbox, listener: Listener) -> None:
        self._loop, self._worker, self._address = loop, worker, address
        self._outbox, self._listener = outbox, listener
        self._keeper = Keeper(loop, worker, outbox.history)
        self._before_birth: list[str] = []
        self._after_birth: list[str] = []
        self._phase = Phase.IDLE
        self._connection: Connection | None = None
        self._timer: Timer | None = None  # of the phase: a retry, CONNACK, PUBACK
        self._drain_timer: Timer | None = None
        self._retry = Retry()
        self._host = 0
        self._began_at = self._up_at = 0.0
        self._connects = self._refusals = 0
        self._takeovers: deque[float] = deque(maxlen=TAKEOVERS)
        self._called = ""  # the address last tried
        self._who = ""
        self._quiet = False  # this outage has been reported
        self._flapping = False  # the last connection was a short one
        self._denied: set[str] = set()
        self._put_off: set[str] = set()

    @property
    def begun(self) -> bool:
        """Whether `start` was called."""
        return self._phase is not Phase.IDLE

    @property
    def up(self) -> bool:
        """Whether the broker has accepted us and nothing says it went away."""
        return self._phase is Phase.UP

    @property
    def closed(self) -> bool:
        """Whether we have said goodbye, or had nobody to say it to."""
        return self._phase is Phase.CLOSED

    @property
    def moves(self) -> bool:
        """Whether it goes on by itself: an absent broker is no lack of progress, a retry that nobody armed is one."""
        armed = self._timer is not None and self._timer.call is not None
        match self._phase:
            case Phase.WAITING | Phase.GREETING:
                return armed
            case Phase.DIALLING:
                return time.monotonic() - self._began_at < DIALLED_S
            case Phase.UP:
                return armed or self._outbox.oldest_sent_at() is None
            case _:
                return True

    @property
    def reconnects(self) -> int:
        """How often the broker accepted us again."""
        return max(0, self._connects - 1)

    def hear(self, before_birth: list[str], after_birth: list[str]) -> None:
        """On every connect from now on subscribe to these, before and after the newest state is published."""
        self._before_birth, self._after_birth = before_birth, after_birth

    def start(self) -> None:
        """Begin."""
        self._dial()

    def pump(self) -> None:
        """Publish what may be published now. To be called whenever the outbox was put something."""
        self._keeper.look()
        if self._connection is None or not self.up:
            return
        self._outbox.send(self._connection.publish, time.monotonic())
        self._await_answers()
        self._await_rate()

    def close(self) -> None:
        """Say goodbye if there is somebody to say it to. `closed` comes true at once or when the broker hung up."""
        if self._connection is None or not self.up:
            self.drop()
            return
        self._enter(Phase.CLOSING)
        self._connection.close(partial(self._enter, Phase.CLOSED))

    def drop(self) -> None:
        """Hang up without a word: if we were up, the broker publishes the will."""
        self._enter(Phase.CLOSED)
        if self._connection is not None:
            self._connection.drop()

    def move(self, address: Address) -> None:
        """Go by another address from now on: take leave where we are, without a will, then call there."""
        self._address, self._host, self._refusals = address, 0, 0
        self._retry.reset()
        self._quiet = self._flapping = False
        connection, self._connection = self._connection, None
        if self._phase is Phase.CLOSING:  # for the move before this one
            return
        self._enter(Phase.CLOSING)
        self._outbox.renew(time.monotonic())
        self._listener.disconnected("its settings have changed")
        if connection is None:
            self._dial()
        else:
            connection.close(self._moved)

    def _moved(self) -> None:
        if self._phase is Phase.CLOSING:
            self._dial()

    # The way round: waiting, dialling, greeting, up.

    def _enter(self, phase: Phase, after_s: float | None = None, then: Callable[[], None] | None = None) -> None:
        """Change phase; what the old one waited for no longer counts."""
        self._phase = phase
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.after(after_s, then) if after_s is not None and then is not None else None

    def _dial(self) -> None:
        self._enter(Phase.DIALLING)
        self._began_at = time.monotonic()
        hosts = self._address.hosts
        host, port = hosts[self._host % len(hosts)], self._address.port
        self._called = f"{host}:{port}"
        address = self._address
        then, failed = partial(self._dialled, address), partial(self._not_dialled, address)
        self._worker.call(partial(dial, host, port, address.ca_file), then, failed)

    def _awaits(self, address: Address) -> bool:
        """Whether the outcome of a call there is what we wait for."""
        return self._phase is Phase.DIALLING and address is self._address

    def _not_dialled(self, address: Address, error: Exception) -> None:
        if not isinstance(error, OSError):
            raise error
        if self._awaits(address):
            self._lost(f"{self._called}: {error}")

    def _dialled(self, address: Address, ready: socket.socket) -> None:
        if not self._awaits(address):
            ready.close()
            return
        try:
            hello = self._address.hello()
        except (OSError, ValueError) as error:
            ready.close()
            self._lost(f"the password: {error}")
            return
        self._who = f"as {hello.username or 'nobody'}, with {'a' if hello.password else 'no'} password"
        self._enter(Phase.GREETING, GREETING_S, self._silent)
        self._connection = Connection(self._loop, ready, hello, self)

    def _silent(self) -> None:
        self._lost(f"{self._called}: no answer in {GREETING_S:g} s")

    def greeted(self, reason: ReasonCode, window: int, largest: float) -> None:
        """CONNACK."""
        if reason.value >= FAILURE:
            self._refused(reason)
            return
        self._enter(Phase.UP)
        self._up_at = time.monotonic()
        self._connects += 1
        self._refusals = 0
        self._outbox.window, self._outbox.largest = min(WINDOW, window), largest
        level = log.debug if self._flapping else log.info
        level("connected", broker=self._called)
        self._listener.connected()
        if self._connection is not None:
            self._connection.subscribe(*self._before_birth)
            self.pump()
            self._connection.subscribe(*self._after_birth)

    def answered(self, message_id: int, reason: ReasonCode) -> None:
        """PUBACK: 0x80 and above is never delivery."""
        found = verdict(reason.value)
        why = str(reason) if reason.value >= FAILURE else ""
        message = self._outbox.answered(message_id, found, why, time.monotonic())
        if message is not None:
            self._note(message, found, why)
        self.pump()

    def _note(self, message: Message, found: Verdict, reason: str) -> None:
        """Say once what the broker does not take, and once that it does again."""
        put_off = found in (Verdict.LATER, Verdict.FULL)
        if put_off and message.topic not in self._put_off:
            log.warning("the broker refused a message", topic=message.topic, reason=reason)
        (self._put_off.add if put_off else self._put_off.discard)(message.topic)
        denied = found is Verdict.DENIED
        if denied != (message.topic in self._denied) and found in (Verdict.DENIED, Verdict.DELIVERED, Verdict.NOBODY):
            self._denied ^= {message.topic}
            if denied:
                log.error("the broker refused a message", topic=message.topic, reason=reason)
            self._listener.denied(message.topic, reason if denied else None)

    def subscribed(self, reasons: list[ReasonCode]) -> None:
        """SUBACK. Mosquitto's ACL files grant everything here and stay silent; other brokers say what they mean."""
        for reason in reasons:
            if reason.value >= FAILURE:
                log.error("the broker refused a subscription; commands may not reach us", reason=str(reason))

    def received(self, topic: str, payload: bytes, *, retained: bool) -> None:
        """A message to us."""
        self._listener.received(topic, payload, retained=retained)

    def ended(self, why: str) -> None:
        """The connection is no more, by the broker or the network."""
        hint = "" if self.up else "; is it the right port, and does it want TLS (ca_file)?"
        self._lost(f"{self._called}: {why}{hint}")

    # What goes wrong.

    def _lost(self, why: str) -> None:
        """Keep what is unanswered, try again later, and say so once."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.drop()
        now = time.monotonic()
        self._outbox.renew(now)
        self._keeper.look()
        if self.up:
            self._flapping = now - self._up_at < STEADY_S
        if self.up and not self._flapping:
            self._retry.reset()
            self._quiet = False
        level = log.debug if self._quiet else log.warning
        level("no broker; readings are kept meanwhile", reason=why)
        self._quiet = True
        self._listener.disconnected(why)
        self._host += 1
        more_hosts = self._host % len(self._address.hosts) != 0
        self._enter(Phase.WAITING, 0 if more_hosts else self._retry.next(now - self._began_at), self._dial)

    def _refused(self, reason: ReasonCode) -> None:
        """The broker does not want us: fatal if it never did."""
        why = f"{self._called} refused us: {reason} ({self._who})"
        if reason.value in PASSING:
            self._lost(why)
            return
        self._refusals += 1
        if not self._connects and self._refusals >= TRIES:
            raise Fatal(Exit.REFUSED, f"{TRIES} times {why}; see username and password_file")
        if self._refusals == 1:
            log.error("the broker refuses us; readings are kept meanwhile", reason=why)
            self._quiet = True
        self._lost(why)
        if self._connects:
            self._enter(Phase.WAITING, SLOW_RETRY_S, self._dial)

    def taken_over(self, why: str) -> None:
        """Another client was let in under our id, which threw us out: two would do that for ever."""
        self._takeovers.append(time.monotonic())
        if len(self._takeovers) == TAKEOVERS and self._takeovers[-1] - self._takeovers[0] < TAKEOVER_WINDOW_S:
            raise Fatal(Exit.RUNNING, why)

    def _await_answers(self) -> None:
        """While up, the phase's timer waits for the oldest answer, and is unset while none is owed."""
        oldest = self._outbox.oldest_sent_at()
        if oldest is None:
            self._enter(Phase.UP)
        elif self._timer is None or self._timer.call is None:
            self._enter(Phase.UP, oldest + ANSWER_S - time.monotonic(), self._check_answers)

    def _check_answers(self) -> None:
        """After the notes of answers that have been read already, if we were slow to hear them."""
        self._loop.soon(self._judge)

    def _judge(self) -> None:
        oldest = self._outbox.oldest_sent_at()
        if not self.up:
            return
        if oldest is not None and time.monotonic() - oldest >= ANSWER_S:
            self._lost(f"{self._called}: no acknowledgement in {ANSWER_S:g} s")
        else:
            self._await_answers()

    def _await_rate(self) -> None:
        wait_s = self._outbox.wait_s(time.monotonic())
        if wait_s is not None:
            self._drain_timer = self._loop.sooner(self._drain_timer, wait_s, self.pump)


def will(state_topic: str) -> Message:
    """What the broker says of us when we cannot."""
    return Message(state_topic, b"lost", retain=True)
