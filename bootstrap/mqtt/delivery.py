"""Publishing what the outbox holds over an established connection, and waiting for the acknowledgements."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from bootstrap.eventloop.loop import Loop, Timer
from bootstrap.eventloop.threads import Worker
from bootstrap.mqtt.connection import Connection
from bootstrap.mqtt.denials import Denials
from bootstrap.mqtt.hang_ups import HangUps, publishing
from bootstrap.mqtt.session import Connack, Reason
from bootstrap.outbox.flusher import Flusher
from bootstrap.outbox.message import AckOutcome, ack_outcome
from bootstrap.outbox.outbox import WINDOW, Outbox

if TYPE_CHECKING:
    from bootstrap.mqtt.telling import Telling

PUBACK_S = 15.0


class Delivery:
    """Publishes what the outbox holds, over one connection after another."""

    def __init__(
        self,
        loop: Loop,
        worker: Worker,
        outbox: Outbox,
        denied: Callable[[str, str | None], None],
        overdue: Callable[[str], None],
    ) -> None:
        """Call `denied(topic, reason)` as `Denials` does, and `overdue(why)` when a PUBACK has not come in time."""
        self._loop, self._outbox, self._overdue = loop, outbox, overdue
        self.hang_ups = HangUps()
        self._refused: list[str] = []  # topics that were denied on this connection
        self._window = self._limit = WINDOW  # the messages that the broker takes at once, and how many it gets now
        self._flusher = Flusher(loop, worker, outbox.history)
        self.denials = Denials(denied)
        self.telling: Telling | None = None
        self._connection: Connection | None = None
        self._puback_timer: Timer | None = None
        self._rate_timer: Timer | None = None

    @property
    def making_progress(self) -> bool:
        """Whether nothing is unacknowledged, or a timer waits for it."""
        armed = self._puback_timer is not None and self._puback_timer.call is not None
        return armed or self._oldest() is None

    def begin(self, connection: Connection, connack: Connack) -> None:
        """Publish over this connection, within the broker's limits."""
        self._connection = connection
        self._window, self._outbox.largest = min(WINDOW, connack.receive_maximum), connack.largest
        self._limit = self._outbox.window = 1 if self.hang_ups.cautious else self._window

    def widen(self) -> None:
        """Publish as many messages at once as the broker allows."""
        self._limit = self._outbox.window = self._window
        self.pump()

    @property
    def unanswered(self) -> list[str]:
        """What the broker may have hung up on: the topics that it denied, else the messages it did not acknowledge."""
        told = self.telling.unanswered if self.telling else []
        return [publishing(topic) for topic in self._refused or [*self._outbox.unanswered, *told]]

    def set_aside(self, topic: str, for_s: float) -> None:
        """Publish nothing to this topic for `for_s` seconds, because the broker hangs up when that is published."""
        why = "it closes the connection instead of answering"
        self._outbox.set_aside(topic, time.monotonic() + for_s, f"the broker: {why}")
        if self.telling:
            self.telling.set_aside(topic, time.monotonic() + for_s)
        self.denials.hung_up(topic, why, for_s)

    def end(self) -> None:
        """Stop publishing; what is unacknowledged goes back to the outbox."""
        self._connection = None
        self._refused.clear()
        self._cancel()
        self._outbox.connection_lost(time.monotonic())
        if self.telling:
            self.telling.connection_lost()
        self._flusher.check()

    def pause(self) -> None:
        """Stop publishing for good, but leave the outbox as it is."""
        self._connection = None
        self._cancel()

    def pump(self) -> None:
        """Publish what may be published now. Call it whenever something was put in the outbox."""
        self._flusher.check()
        if self._connection is None:
            return
        if self.telling:
            self._outbox.window = self._limit - self.telling.room(self._limit)
        self._outbox.send(self._connection.publish, time.monotonic())
        if self.telling:
            free = self._limit - len(self._outbox.unanswered)
            self.telling.send(self._connection.publish, free, self._outbox.largest)
        self._await_pubacks()
        self._await_rate()

    def on_puback(self, packet_id: int, reason: Reason) -> None:
        """Pass an acknowledgement on to the outbox; a reason of 0x80 and above never means delivered."""
        outcome = ack_outcome(reason.code)
        message = self.telling.acknowledged(packet_id, outcome, reason.text) if self.telling else None
        message = message or self._outbox.acknowledged(packet_id, outcome, reason.text, time.monotonic())
        if message is not None:
            self.denials.note(message, outcome, reason)
            if outcome is AckOutcome.DENIED:
                self._refused.append(message.topic)
            else:
                self.hang_ups.answered(publishing(message.topic))
        self.pump()

    def _cancel(self) -> None:
        if self._puback_timer is not None:
            self._puback_timer.cancel()

    def _oldest(self) -> float | None:
        """Return when the oldest unacknowledged message was sent; None if there is none."""
        oldest = self._outbox.oldest_sent_at()
        told = self.telling.oldest_sent_at() if self.telling else None
        return min((at for at in (oldest, told) if at is not None), default=None)

    def _await_pubacks(self) -> None:
        """Set a timer for the oldest unacknowledged message, or cancel it if there is none."""
        oldest = self._oldest()
        if oldest is None:
            self._cancel()
        elif self._puback_timer is None or self._puback_timer.call is None:
            self._puback_timer = self._loop.call_at(oldest + PUBACK_S, self._check_pubacks)

    def _check_pubacks(self) -> None:
        """Check again after the PUBACKs already read have been handled, in case this process was slow."""
        self._loop.call_soon(self._require_puback)

    def _require_puback(self) -> None:
        oldest = self._oldest()
        if self._connection is None:
            return
        if oldest is not None and time.monotonic() - oldest >= PUBACK_S:
            self._overdue(f"no acknowledgement in {PUBACK_S:g} s")
        else:
            self._await_pubacks()

    def _await_rate(self) -> None:
        wait_s = self._outbox.wait_s(time.monotonic())
        if wait_s is not None:
            self._rate_timer = self._loop.call_earlier(self._rate_timer, wait_s, self.pump)
