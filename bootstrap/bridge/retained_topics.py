"""What our broker retains of far sensors, so that it can be cleared; and their announcements to Home Assistant."""

from bootstrap.bridge.newest_told import NewestTold
from bootstrap.contract.payload import Json
from bootstrap.contract.topics import Topics
from bootstrap.homeassistant.announcement import announcement
from bootstrap.logs import log

MOST_TOPICS = 1000  # of one sensor


class RetainedTopics:
    """The topics of each far sensor, and its announcement."""

    def __init__(self, told: NewestTold, prefix: str, *, announce: bool) -> None:
        """Announce far sensors below Home Assistant's `prefix`, or withdraw what was announced."""
        self._told, self._prefix, self._announce = told, prefix, announce
        self._topics: dict[str, set[str]] = {}
        self._announced: dict[str, bytes] = {}

    def note(self, sensor: str, topic: str) -> None:
        """Note a topic that may be retained."""
        topics = self._topics.setdefault(sensor, set())
        if len(topics) < MOST_TOPICS:
            topics.add(topic)

    def forget(self, topic: str) -> None:
        """Forget a topic that was cleared. With its `about`, the announcement of a sensor goes, too."""
        sensor = "/".join(topic.split("/")[:2])
        topics = self._topics.get(sensor, set())
        topics.discard(topic)
        if topic.endswith("/status/about"):
            self._withdraw(sensor)
        if not topics:
            self._topics.pop(sensor, None)

    def clear(self, sensor: str) -> None:
        """Clear all topics of a sensor that the far site does not have any more."""
        log.info("the far site has this sensor no more; its topics are cleared", sensor=sensor)
        for topic in sorted(self._topics.pop(sensor, ())):
            self._told.put(topic, b"")
        self._withdraw(sensor)

    def _withdraw(self, sensor: str) -> None:
        if self._announced.pop(sensor, b""):
            self._told.put(self._announcement_of(sensor), b"")

    def begin_anew(self) -> None:
        """Forget everything: our broker tells it again."""
        self._topics.clear()
        self._announced.clear()

    def on_about(self, sensor: str, about: Json) -> None:
        """Announce a far sensor by its `about`; if it is not to be announced, withdraw what an earlier run said."""
        payload = self._payload(sensor, about) if self._announce else b""
        if payload is not None and payload != self._announced.get(sensor):
            self._announced[sensor] = payload
            self._told.put(self._announcement_of(sensor), payload)

    def _payload(self, sensor: str, about: Json) -> bytes | None:
        try:
            return announcement(Topics(*sensor.split("/")), about)  # type: ignore[arg-type]  # what is wrong, is caught
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            log.warning("its `about` cannot be announced to Home Assistant", sensor=sensor, reason=repr(error)[:200])
            return None

    def _announcement_of(self, sensor: str) -> str:
        return f"{self._prefix}/device/{sensor.replace('/', '-')}/config"
