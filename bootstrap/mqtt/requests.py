"""Subscribing on one connection after another, and what the broker has not answered yet."""

import time
from collections.abc import Callable, Iterable
from math import inf

from bootstrap.contract.topic_filters import covers
from bootstrap.logs import log
from bootstrap.mqtt.connection import BOTH, OTHERS, OWN, Connection
from bootstrap.mqtt.hang_ups import HangUps, subscribing
from bootstrap.mqtt.session import Reason


class Requests:
    """Subscribes to filters: to all at once or, after the broker has hung up, to one at a time."""

    def __init__(self, hang_ups: HangUps) -> None:
        self._hang_ups = hang_ups
        self._at_first: list[str] = []
        self._before_birth: list[str] = []
        self._after_birth: list[str] = []
        self._heard: list[str] = []  # what others publish, and a device listens to
        self._answered: Callable[[str, str | None], None] = lambda _filter, _why: None
        self._connection: Connection | None = None
        self._asked: list[list[str]] = []  # not answered yet, in the order in which they were sent
        self._waiting: list[str] = []  # to be sent one at a time
        self._then: Callable[[], None] | None = None
        self._set_aside: dict[str, float] = {}  # when each may be sent again

    def plan(self, at_first: list[str], before_birth: list[str], after_birth: list[str]) -> None:
        """Subscribe to these at every connect from now on.

        What is retained on `at_first` arrives before it is decided whether we may publish; the others are subscribed to
        before and after the newest state is published.
        """
        self._at_first, self._before_birth, self._after_birth = at_first, before_birth, after_birth

    def hear(self, filters: list[str], answered: Callable[[str, str | None], None]) -> None:
        """Subscribe to these as well, now and at every connect, in place of those of the last call.

        `answered` is called with a filter and why the broker refuses it, or None.
        """
        own = {*self._at_first, *self._before_birth, *self._after_birth}
        gone = [one for one in self._heard if one not in filters and one not in own]
        before = self._left_out()
        self._heard, self._answered = filters, answered
        left_out = self._left_out()
        self._send([one for one in before if one not in left_out])
        gone += [one for one in left_out if one not in before]
        if self._connection is not None and gone:
            self._connection.unsubscribe(gone)

    def _left_out(self) -> list[str]:
        """Return the sensor's own filters that need not be subscribed to, because what a device hears covers them.

        A broker that does not identify subscriptions would send a command twice that matches two of them.
        """
        if self._connection is None or self._connection.identifies:
            return []
        return [own for own in self._before_birth if any(covers(one, own) for one in self._heard)]

    def begin(self, connection: Connection, then: Callable[[], None]) -> None:
        """Subscribe on this connection, to what shows whether another process runs this sensor; then call `then`."""
        self.end()
        self._connection = connection
        self._subscribe(self._at_first, then)

    def go_on_with_birth(self, publish: Callable[[], None]) -> None:
        """Subscribe to everything else, and call `publish` before what comes after the birth."""
        left_out = self._left_out()
        before = [one for one in self._before_birth if one not in left_out]
        after = [*self._after_birth, *self._heard]
        if left_out:  # commands are subscribed to before the birth
            before, after = [*before, *self._heard], self._after_birth
        if self._hang_ups.cautious:
            self._subscribe([*before, *after], publish)
        else:
            self._subscribe(before, publish)
            self._subscribe(after, lambda: None)

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
        if one in self._heard:
            self._answered(one, "it closes the connection instead of answering")

    def ask(self, filters: Iterable[str]) -> None:
        """Subscribe to these now, if there is a connection; those that were set aside wait."""
        if self._then is None:
            self._subscribe(filters, lambda: None)
        else:
            self._waiting.extend(self._wanted(filters))

    def _wanted(self, filters: Iterable[str]) -> list[str]:
        now = time.monotonic()
        return [one for one in filters if self._set_aside.get(one, -inf) <= now]

    def _subscribe(self, filters: Iterable[str], then: Callable[[], None]) -> None:
        """Subscribe to these, then call `then`; after a hang-up only once the broker has answered."""
        wanted = self._wanted(filters)
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
        filters = self._asked.pop(0) if self._asked else []
        for one, reason in zip(filters, reasons, strict=False):
            self._hang_ups.answered(subscribing(one))
            if one in self._heard:
                self._answered(one, reason.text if reason.failed else None)
            elif reason.failed:
                about = "the broker refused a subscription; commands may not reach us"
                log.error(about, topic=one, reason=reason.text)
        self._next()

    def _send(self, filters: list[str]) -> None:
        if self._connection is None:
            return
        own = {*self._at_first, *self._before_birth, *self._after_birth}
        audience = {one: (BOTH if one in own else OTHERS) if one in self._heard else OWN for one in filters}
        for one_of in (OWN, OTHERS, BOTH):
            if group := [one for one in filters if audience[one] == one_of]:
                self._asked.append(group)
                self._connection.subscribe(group, one_of if self._heard else 0)

    def _next(self) -> None:
        """Send the next of those that are sent one at a time, or go on after the last."""
        if self._waiting:
            self._send([self._waiting.pop(0)])
        elif not self._asked:
            self._call()

    def _call(self) -> None:
        then, self._then = self._then, None
        if then is not None:
            then()
