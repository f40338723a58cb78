"""Heartbeats and health of our own sensors, thinned for a metered link: many in one message, once in many minutes.

What cannot wait is sent at once: the first heartbeat of a run, a change of health, and that a topic was cleared.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from bootstrap.contract import timestamps
from bootstrap.contract.heard import CLEARED, Heard, Silence
from bootstrap.contract.payload import Json, decode, encode
from bootstrap.contract.sites import HEARTBEAT, HEARTBEATS, THINNED
from bootstrap.contract.topics import Kind
from bootstrap.device import Context, Reading

GATHER_S = 1.0  # for what belongs together
MOST_SENSORS = 1000
MOST_BYTES = 30_000  # in one message, of at most 64 KiB

Facts: TypeAlias = dict[str, Json]  # of one sensor, by the name below its `status`; None if that was cleared


@dataclass(slots=True)
class _OwnSensor:
    """What is known of a sensor of ours.

    Attributes:
        payloads: by the name below its `status`; empty if the topic was cleared.
        unsent: the names of those that the far site has to be sent.
        essence: of each, what the far site has to know at once.
    """

    payloads: dict[str, bytes] = field(default_factory=dict)
    unsent: set[str] = field(default_factory=set)
    essence: dict[str, Json] = field(default_factory=dict)


class OwnHeartbeats:
    """Sends the heartbeats and the health of our own sensors, once it is told how often."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._listens = False
        self.every_s = 0.0  # 0: the link is not metered
        self.asks = False  # the far site to do the same
        self._flows = self._first = False
        self._sensors: dict[str, _OwnSensor] = {}
        self._urgent: set[str] = set()

    def begin(self, groups: Iterable[str], every_s: float, *, asks: bool) -> None:
        """Send what the sensors of these groups say every so many seconds, and ask the far site to do the same."""
        self.every_s, self.asks = every_s, asks
        for one in [f"{group}/+/{Kind.STATUS}/{name}" for group in groups for name in THINNED if not self._listens]:
            self._context.listen(one, self._on_message, self._on_silence)
        self._listens = True

    def begin_anew(self) -> None:
        """Forget what is known of our sensors: our broker tells it again."""
        self._sensors.clear()

    def set_flow(self, *, up: bool) -> None:
        """Send everything when the link comes up."""
        self._flows = up
        if up:
            self.repeat()

    def repeat(self) -> None:
        """Send everything, because the far site may have none of it."""
        self._first = True
        for one in self._sensors.values():
            one.unsent = {*one.payloads}
        if self.every_s:
            self._context.after(GATHER_S, self._send_all, "heartbeats")

    # What our sensors say.

    def _on_message(self, heard: Heard) -> None:
        """Note a heartbeat, or the health, of one of our sensors."""
        sensor, _, name = heard.topic.partition(f"/{Kind.STATUS}/")
        self._note(sensor, name, heard.payload, heard.value)

    def _on_silence(self, silence: Silence) -> None:
        """Note that one of our sensors says nothing any more."""
        if silence.why == CLEARED:
            sensor, _, name = silence.topic.partition(f"/{Kind.STATUS}/")
            self._note(sensor, name, b"", None)

    def _note(self, sensor: str, name: str, payload: bytes, value: Json) -> None:
        """Note what a sensor says; of the health only a change of more than its times is sent."""
        if sensor not in self._sensors and len(self._sensors) >= MOST_SENSORS:
            return
        one = self._sensors.setdefault(sensor, _OwnSensor())
        essence = _essence(name, value)
        urgent = name not in one.essence or one.essence[name] != essence
        one.payloads[name], one.essence[name] = payload, essence
        if urgent or name == HEARTBEAT:
            one.unsent.add(name)
        if urgent:
            if not self._urgent:
                self._context.after(GATHER_S, self._send_urgent, "urgent heartbeats")
            self._urgent.add(sensor)

    # What is sent.

    def _send_all(self) -> Reading | None:
        """Send all that is new, and again after a while."""
        if self._flows and self.every_s:
            for name in THINNED:  # ours, which we do not hear
                if payload := self._context.said(name):
                    self._note(self._context.sensor, name, payload, decode(payload))
            self._send(self._sensors)
            self._context.after(self.every_s, self._send_all, "heartbeats")
        return None

    def _send_urgent(self) -> Reading | None:
        urgent, self._urgent = self._urgent, set()
        if self._flows and self.every_s and not self._first:
            self._send(sensor for sensor in urgent if sensor in self._sensors)
        return None

    def _send(self, sensors: Iterable[str]) -> None:
        """Send what is new of these sensors."""
        news = {sensor: _news(self._sensors[sensor]) for sensor in sensors}
        for some in _in_parts({sensor: facts for sensor, facts in news.items() if facts}):
            head = {"time": timestamps.now(), "every_s": self.every_s, "asks": self.asks, "first": self._first}
            self._context.tell(f"{self._context.sensor}/{Kind.STATUS}/{HEARTBEATS}", {**head, "sensors": some})
            self._first = False


def _essence(name: str, value: Json) -> Json:
    """Return of a heartbeat the run, of the health what is no time, and of anything else whether it was cleared."""
    if not isinstance(value, dict):
        return value is None
    if name == HEARTBEAT:
        return value.get("run")
    return {
        measure: [facts.get("health"), facts.get("why")] if isinstance(facts, dict) else None
        for measure, facts in value.items()
    }


def _news(one: _OwnSensor) -> Facts:
    """Return what was not sent yet, as sent from now on."""
    names, one.unsent = sorted(one.unsent), set()
    return {name: decode(one.payloads[name]) if one.payloads[name] else None for name in names}


def _in_parts(news: dict[str, Facts]) -> Iterator[dict[str, Facts]]:
    """Yield sensors so few at a time that they fit into a message."""
    some: dict[str, Facts] = {}
    size = 0
    for sensor, facts in news.items():
        more = len(encode(facts))
        if some and size + more > MOST_BYTES:
            yield some
            some, size = {}, 0
        some[sensor] = facts
        size += more
    if some:
        yield some
