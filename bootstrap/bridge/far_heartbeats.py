"""Heartbeats and health of far sensors that have come over a metered link, thinned, in a message of the far bridge."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from bootstrap.bridge.newest_told import NewestTold
from bootstrap.contract.payload import Json, encode
from bootstrap.contract.sites import HEARTBEAT, THINNED
from bootstrap.contract.topics import Topics


@dataclass(frozen=True)
class Thinned:
    """A message with heartbeats of the far site.

    Attributes:
        time: when it was made, by the far clock.
        every_s: how often they come, in seconds.
        asks: whether we shall thin ours, too.
        first: whether the link has just come up.
        sensors: what is new of each, by the name below its `status`; None if that was cleared.
    """

    time: str
    every_s: float
    asks: bool
    first: bool
    sensors: dict[str, dict[str, Json]]

    @classmethod
    def parse(cls, payload: Json) -> "Thinned | None":
        """Return what a message says; None if it is none of these."""
        match payload:
            case {"time": str(made), "every_s": int() | float() as each_s, "sensors": {**found}, **more} if each_s > 0:
                sensors = {str(one): facts for one, facts in found.items() if isinstance(facts, dict)}
                return cls(made, float(each_s), more.get("asks") is True, more.get("first") is True, sensors)
        return None


class FarHeartbeats:
    """Publishes the heartbeats and the health of far sensors here, on the topics on which they come otherwise.

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

    def publish(self, thinned: Thinned, groups: Collection[str]) -> Iterator[tuple[str, Json]]:
        """Publish what a message says of sensors in these groups; yield each topic with its value, None if cleared."""
        for sensor, facts in thinned.sensors.items():
            try:
                topics = Topics(*sensor.split("/"))
            except (TypeError, ValueError):
                continue
            for name in THINNED if topics.group in groups else ():
                if name in facts:
                    yield from self._publish(topics.status(name), facts[name], thinned.every_s)

    def _publish(self, topic: str, fact: Json, every_s: float) -> Iterator[tuple[str, Json]]:
        if topic.endswith(f"/{HEARTBEAT}") and isinstance(fact, dict):
            if fact.get("time") == self._times.get(topic):  # said again, it would look like a new sign of life
                return
            own_s = fact.get("heartbeat_s")
            fact = {**fact, "heartbeat_s": max(own_s, every_s) if isinstance(own_s, int | float) else every_s}
            self.note(topic, fact)
        payload = encode(fact) if isinstance(fact, dict) else b""
        if not payload:
            self.forget(topic)
        self._ours[topic] = hash(payload)
        self._told.put(topic, payload)
        yield topic, fact
