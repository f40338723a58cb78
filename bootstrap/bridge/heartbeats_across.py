"""Heartbeats and health over a metered link: the newest of all sensors in one message, once in many minutes.

What cannot wait is sent at once: the first heartbeat of a run, a change of health, and that a topic was cleared.
"""

import socket
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from bootstrap.bridge.newest_told import NewestTold
from bootstrap.contract import timestamps
from bootstrap.contract.payload import Json, decode, encode
from bootstrap.contract.sites import HEARTBEATS, THINNED
from bootstrap.contract.topics import Kind, Topics
from bootstrap.device import Reading

HEARTBEAT = "heartbeat"
GATHER_S = 1.0  # for what belongs together
MOST_SENSORS = 1000
MOST_BYTES = 30_000  # in one message, of at most 64 KiB

Later: TypeAlias = Callable[[float, Callable[[], Reading | None], str], object]
Facts: TypeAlias = dict[str, Json]  # of one sensor, by the name below its `status`; None if that was cleared


@dataclass(slots=True)
class _OwnSensor:
    """What is known of a sensor of ours.

    Attributes:
        payloads: by the name below its `status`; empty if the topic was cleared.
        unsent: the names of those that the far site does not have.
        essence: of each, what the far site has to know at once.
    """

    payloads: dict[str, bytes] = field(default_factory=dict)
    unsent: set[str] = field(default_factory=set)
    essence: dict[str, Json] = field(default_factory=dict)


class OwnHeartbeats:
    """Sends the heartbeats and the health of our own sensors, once it is told how often."""

    def __init__(self, sensor: str, tell: Callable[[str, bytes], None], later: Later) -> None:
        """Publish by `tell(topic, payload)`, below `sensor`, which is the bridge's own name; call later by a name."""
        self._sensor, self._tell, self._later = sensor, tell, later
        self.every_s = 0.0  # 0: the link is not metered
        self.asks = False  # the far site to do the same
        self._flows = self._first = False
        self._sensors: dict[str, _OwnSensor] = {}
        self._urgent: set[str] = set()

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
            self._later(GATHER_S, self._send_all, "heartbeats")

    def note(self, sensor: str, name: str, payload: bytes, value: Json) -> None:
        """Note what a sensor of ours says, or that it was cleared: then there is neither payload nor value."""
        if sensor not in self._sensors and len(self._sensors) >= MOST_SENSORS:
            return
        one = self._sensors.setdefault(sensor, _OwnSensor())
        one.payloads[name] = payload
        one.unsent.add(name)
        essence = _essence(name, value)
        if name not in one.essence or one.essence[name] != essence:
            one.essence[name] = essence
            if not self._urgent:
                self._later(GATHER_S, self._send_urgent, "urgent heartbeats")
            self._urgent.add(sensor)

    def _send_all(self) -> Reading | None:
        """Send all that is new, and again after a while."""
        if self._flows:
            own: Json = {"time": timestamps.now(), "heartbeat_s": self.every_s, "host": socket.gethostname()}
            self._send(self._sensors, {self._sensor: {HEARTBEAT: own}})
            self._later(self.every_s, self._send_all, "heartbeats")
        return None

    def _send_urgent(self) -> Reading | None:
        urgent, self._urgent = self._urgent, set()
        if self._flows and not self._first:
            self._send([sensor for sensor in urgent if sensor in self._sensors], {})
        return None

    def _send(self, sensors: Iterable[str], more: dict[str, Facts]) -> None:
        """Send what is new of these sensors, and this of others."""
        news = {sensor: _news(self._sensors[sensor]) for sensor in sensors}
        for some in _in_parts({**{sensor: facts for sensor, facts in news.items() if facts}, **more}):
            head = {"time": timestamps.now(), "every_s": self.every_s, "asks": self.asks, "first": self._first}
            self._tell(f"{self._sensor}/{Kind.STATUS}/{HEARTBEATS}", encode({**head, "sensors": some}))
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


@dataclass(frozen=True)
class Thinned:
    """A message with heartbeats of the far site.

    Attributes:
        time: when it was made, by the far clock.
        every_s: how often they come, in seconds.
        asks: whether we shall thin ours, too.
        first: whether the link has just come up.
        sensors: what is new of each.
    """

    time: str
    every_s: float
    asks: bool
    first: bool
    sensors: dict[str, Facts]

    @classmethod
    def parse(cls, payload: Json) -> "Thinned | None":
        """Return what a message says; None if it is none of these."""
        match payload:
            case {"time": str(made), "every_s": int() | float() as every_s, "sensors": {**sensors}, **more} if (
                every_s > 0
            ):
                found = {str(one): facts for one, facts in sensors.items() if isinstance(facts, dict)}
                return cls(made, float(every_s), more.get("asks") is True, more.get("first") is True, found)
        return None


class FarHeartbeats:
    """Publishes the heartbeats and the health of far sensors here, as they do themselves over a link without a meter.

    `heartbeat_s` in a heartbeat then is the time until the next one here, so that everybody waits long enough for it.
    """

    def __init__(self, told: NewestTold) -> None:
        self._told = told
        self._ours: dict[str, int] = {}  # the hash of what we published last, by topic
        self._times: dict[str, str] = {}  # of the newest heartbeat here, by topic

    def begin_anew(self) -> None:
        """Forget everything: our broker tells it again."""
        self._ours.clear()
        self._times.clear()

    def is_ours(self, topic: str, payload: bytes) -> bool:
        """Return whether a message is one that we have published: then it shows nothing of the link."""
        return self._ours.get(topic) == hash(payload)

    def note(self, topic: str, heartbeat: Json) -> None:
        """Note a heartbeat that our broker has."""
        if isinstance(heartbeat, dict) and isinstance(made := heartbeat.get("time"), str):
            self._times[topic] = made

    def forget(self, topic: str) -> None:
        """Forget a topic that was cleared."""
        self._times.pop(topic, None)
        self._ours.pop(topic, None)

    def publish(self, thinned: Thinned, groups: Collection[str]) -> None:
        """Publish what a message says of sensors in these groups."""
        for sensor, facts in thinned.sensors.items():
            try:
                topics = Topics(*sensor.split("/"))
            except (TypeError, ValueError):
                continue
            for name in THINNED if topics.group in groups else ():
                if name in facts:
                    self._publish(topics.status(name), name, facts[name], thinned.every_s)

    def _publish(self, topic: str, name: str, fact: Json, every_s: float) -> None:
        if name == HEARTBEAT and isinstance(fact, dict):
            if fact.get("time") == self._times.get(topic):  # said again, it would look like a new sign of life
                return
            own_s = fact.get("heartbeat_s")
            fact = {**fact, "heartbeat_s": max(own_s, every_s) if isinstance(own_s, int | float) else every_s}
        payload = encode(fact) if isinstance(fact, dict) else b""
        self._ours[topic] = hash(payload)
        self._told.put(topic, payload)
