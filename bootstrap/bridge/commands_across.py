"""Commands to far sensors: delivered now, or answered as `undelivered`; never late, and never twice.

A command that a connection held when it broke may have been executed, without an answer. Then `undelivered` says so in
its reason.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Literal, TypeAlias

from bootstrap.contract import timestamps
from bootstrap.contract.commands import NEEDS_EXPIRY, RETAINED, VALUE, ActionCommand, Outcome, answer
from bootstrap.contract.payload import Json, decode, encode
from bootstrap.contract.topics import Kind
from bootstrap.device import Reading, ThenTold
from bootstrap.errors import Refused
from bootstrap.logs import log

EXPIRES_S = 5.0  # after which a command that says nothing else is refused over there
PERHAPS = "nobody has acknowledged it until it expired; perhaps it was executed before"
UNKNOWN = "nothing is known here of that sensor"
GRACE_S = 1.0  # for an answer that is on its way
MOST_PENDING = 1000

Result: TypeAlias = Literal["refused", "undelivered"]
Deliver: TypeAlias = Callable[[str, bytes, ThenTold], None]
NeedsExpiry: TypeAlias = Callable[[str, str], bool | None]
Later: TypeAlias = Callable[[float, Callable[[], Reading | None], str], object]


def with_expiry(payload: bytes) -> bytes:
    """Return a command that is refused from `EXPIRES_S` seconds after now on, unless it names a time itself.

    Raises:
        Refused: it has no defined meaning.
    """
    value = decode(payload)
    if isinstance(value, dict) and value.get("before") is not None:
        return payload
    before: Json = timestamps.utc((time.time_ns() + round(EXPIRES_S * 1e9)) // 1000)
    return encode({**value, "before": before} if isinstance(value, dict) else {VALUE: value, "before": before})


def _checked(command: ActionCommand, payload: bytes, *, retained: bool) -> bytes:
    """Return the payload of a command, with an expiry. Raise Refused if it must not be executed."""
    if retained:
        raise Refused(RETAINED)
    command.check_expiry()
    return with_expiry(payload)


@dataclass(frozen=True)
class _Pending:
    """A command that was sent; `sensor` is `group/sensor`."""

    sensor: str
    action: str
    identity: Json


def _timer(number: int) -> str:
    return f"command {number}"


class CommandsAcross:
    """Sends commands to the far site, and answers those that did not get there."""

    def __init__(
        self,
        deliver: Deliver,
        trouble: Callable[[], str | None],
        publish: Callable[[str, bytes], None],
        timers: tuple[Later, Callable[[str], object]],
        *,
        fetched: bool,
    ) -> None:
        """Send by `deliver(topic, payload, then)` unless there is `trouble`; `publish(topic, payload)` publishes here.

        `timers` call later by a name, and cancel that. `fetched` means that the far site fetches commands from our
        broker: then only the answer of the sensor shows that one has arrived. `needs_expiry(sensor, action)` tells
        whether a sensor demands `before`: then it must be the sender's, because a command may have waited, for nobody
        knows how long, before it came here. None is for a sensor of which nothing is known.
        """
        self._deliver, self._trouble, self._publish, self._fetched = deliver, trouble, publish, fetched
        self._later, self._cancel = timers
        self._numbers = count(1)
        self._pending: dict[int, _Pending] = {}
        self.needs_expiry: NeedsExpiry = lambda _sensor, _action: False
        self.undelivered = 0

    def on_command(self, topic: str, payload: bytes, *, retained: bool) -> None:
        """Deliver a command that was published here to a far sensor's `action/NAME`."""
        sensor, _, action = topic.partition(f"/{Kind.ACTION}/")
        command = ActionCommand(None)
        try:
            command = ActionCommand.parse(payload)
            stamped = _checked(command, payload, retained=retained)
        except Refused as why:
            self._report(sensor, action, command.id, "refused", str(why))
            return
        trouble = self._trouble() or ("too many commands wait" if len(self._pending) >= MOST_PENDING else None)
        demanded = command.before is None and self.needs_expiry(sensor, action)
        if trouble or demanded is None:
            self._report(sensor, action, command.id, "undelivered", trouble or f"{UNKNOWN}; {NEEDS_EXPIRY}")
        elif demanded:
            self._report(sensor, action, command.id, "refused", NEEDS_EXPIRY)
        else:
            self._send(topic, payload, stamped, _Pending(sensor, action, command.id))

    def _send(self, topic: str, payload: bytes, stamped: bytes, pending: _Pending) -> None:
        number = next(self._numbers)
        before = ActionCommand.parse(stamped).before
        left_s = timestamps.parse(before).timestamp() - time.time() if isinstance(before, str) else EXPIRES_S
        self._pending[number] = pending
        self._later(max(0.0, left_s) + GRACE_S, partial(self._expired, number), _timer(number))
        if not (self._fetched and stamped is payload):  # else the far site fetches what the sender has published
            self._deliver(topic, stamped, partial(self._told, number))

    def _told(self, number: int, outcome: Outcome, why: str) -> Reading | None:
        if outcome == "undelivered":
            self._give_up(number, why)
        elif outcome == "sent" and not self._fetched:
            self._done(number)
        return None  # if nobody knows, the answer of the sensor or the expiry decides

    def _expired(self, number: int) -> Reading | None:
        self._give_up(number, PERHAPS)
        return None

    def on_answer(self, sensor: str, said: Json) -> None:
        """Note the answer of a far sensor."""
        if isinstance(said, dict):
            which = said.get("action"), said.get("id")
            same = (one for one, it in self._pending.items() if (it.sensor, it.action, it.identity) == (sensor, *which))
            if (number := next(same, None)) is not None:
                self._done(number)

    def _done(self, number: int) -> _Pending | None:
        pending = self._pending.pop(number, None)
        if pending:
            self._cancel(_timer(number))
        return pending

    def _give_up(self, number: int, why: str) -> None:
        if pending := self._done(number):
            self._report(pending.sensor, pending.action, pending.identity, "undelivered", why)

    def _report(self, sensor: str, action: str, identity: Json, result: Result, reason: str) -> None:
        self.undelivered += result == "undelivered"
        log.warning(f"command {result}", to=sensor, action=action, reason=reason)
        self._publish(f"{sensor}/{Kind.STATUS}/{Kind.ACTION}", encode(answer(action, identity, result, reason)))
