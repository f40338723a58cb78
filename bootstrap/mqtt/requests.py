"""Subscribing on one connection after another, and what the broker has not answered yet."""

import time
from collections import deque
from collections.abc import Callable, Iterable
from math import inf

from bootstrap.logs import log
from bootstrap.mqtt.connection import Connection
from bootstrap.mqtt.hang_ups import HangUps, subscribing
from bootstrap.mqtt.session import Reason


class Requests:
    """Subscribes to filters: to all at once or, after the broker has hung up, to one at a time."""

    def __init__(self, hang_ups: HangUps) -> None:
        self._hang_ups = hang_ups
        self._connection: Connection | None = None
        self._asked: deque[list[str]] = deque()  # not answered yet, in the order in which they were sent
        self._waiting: deque[str] = deque()  # to be sent one at a time
        self._then: Callable[[], None] | None = None
        self._set_aside: dict[str, float] = {}  # when each may be sent again

    def begin(self, connection: Connection) -> None:
        """Subscribe on this connection."""
        self.end()
        self._connection = connection

    def end(self) -> None:
        """Forget what was asked on a connection that has ended."""
        self._connection, self._then = None, None
        self._asked.clear()
        self._waiting.clear()

    @property
    def unanswered(self) -> list[str]:
        """The subscriptions that the broker has not answered."""
        return [subscribing(one) for filters in self._asked for one in filters]

    def set_aside(self, one: str, for_s: float) -> None:
        """Leave out this filter at the connections of the next `for_s` seconds."""
        log.error("the broker hangs up on a subscription; it is left out", topic=one, again_in_s=for_s)
        self._set_aside[one] = time.monotonic() + for_s

    def subscribe(self, filters: Iterable[str], then: Callable[[], None]) -> None:
        """Subscribe to these, then call `then`; after a hang-up only once the broker has answered."""
        now = time.monotonic()
        wanted = [one for one in filters if self._set_aside.get(one, -inf) <= now]
        if self._hang_ups.cautious:
            self._waiting.extend(wanted)
            self._then = then
            self._next()
        else:
            self._send(wanted)
            then()

    def go_on(self) -> None:
        """Wait no longer for answers: the connection lasts, so nothing that was asked makes the broker hang up."""
        self._send([*self._waiting])
        self._waiting.clear()
        self._call()

    def on_suback(self, reasons: list[Reason]) -> None:
        """Log what was refused. With an ACL file, Mosquitto grants all and delivers nothing; other brokers refuse."""
        filters = self._asked.popleft() if self._asked else []
        for one, reason in zip(filters, reasons, strict=False):
            self._hang_ups.answered(subscribing(one))
            if reason.failed:
                about = "the broker refused a subscription; commands may not reach us"
                log.error(about, topic=one, reason=reason.text)
        self._next()

    def _send(self, filters: list[str]) -> None:
        if filters and self._connection is not None:
            self._asked.append(filters)
            self._connection.subscribe(*filters)

    def _next(self) -> None:
        """Send the next of those that are sent one at a time, or go on after the last."""
        if self._waiting:
            self._send([self._waiting.popleft()])
        elif not self._asked:
            self._call()

    def _call(self) -> None:
        then, self._then = self._then, None
        if then is not None:
            then()
