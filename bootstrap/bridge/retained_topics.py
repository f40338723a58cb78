"""What our broker retains of far sensors, so that it can be cleared; and their announcements to Home Assistant."""

from bootstrap.bridge.newest_told import NewestTold
from bootstrap.contract.payload import Json, decode
from bootstrap.contract.topics import Kind, Topics
from bootstrap.contract.values import members
from bootstrap.homeassistant.announcement import announcement
from bootstrap.logs import log

ALWAYS = ("about", "health", "state")  # below each sensor's `status`
MOST_TOPICS = 1000  # of one sensor


class RetainedTopics:
    """The topics of each far sensor, and its announcement."""

    def __init__(self, told: NewestTold, prefix: str, *, announce: bool) -> None:
        """Announce far sensors below Home Assistant's `prefix`, or withdraw what was announced."""
        self._told, self._prefix, self._announce = told, prefix, announce
        self._topics: dict[str, dict[str, bool]] = {}  # of each sensor, and whether it came since the link is up
        self._abouts: dict[str, bytes] = {}
        self._heartbeats_s: dict[str, float] = {}  # how often each sensor's heartbeats come here
        self._complete = False  # whether we have been here since the link came up, and so hear all that there is
        self._announced: dict[str, bytes] = {}

    def note(self, sensor: str, topic: str, *, live: bool) -> None:
        """Note a topic that may be retained. `live` means that the far site has just said it."""
        topics = self._topics.setdefault(sensor, {})
        if topic in topics or len(topics) < MOST_TOPICS:
            topics[topic] = live or topics.get(topic, False)

    def expect_all(self) -> None:
        """Note that the link has come up: from now on the far site says again all that it retains."""
        self._complete = True
        for topics in self._topics.values():
            topics.update(dict.fromkeys(topics, False))

    def expect_nothing(self) -> None:
        """Note that the link is down."""
        self._complete = False

    def clear_gone(self) -> None:
        """Clear the topics that a sensor has no more: they did not come again, and its `about` does not name them.

        The `about` itself has to have come since the link is up: nothing is known of a sensor that says nothing.
        """
        if not self._complete:
            return
        for sensor, topics in self._topics.items():
            named = self._named(sensor) if topics.get(f"{sensor}/{Kind.STATUS}/about") else None
            gone = [topic for topic, came in topics.items() if not came and topic not in named] if named else []
            for topic in gone:
                log.info("the far sensor has this no more; the topic is cleared", topic=topic)
                del topics[topic]
                self._told.put(topic, b"")

    def _named(self, sensor: str) -> set[str]:
        """Return the topics that a sensor has by its `about`."""
        about = members(self._abouts.get(sensor, b""))
        measures = about.get("measures")
        names = [f"{Kind.DATA}/{name}" for name in measures] if isinstance(measures, dict) else []
        names += [f"{Kind.STATUS}/{name}" for name in ALWAYS]
        names += [f"{Kind.STATUS}/heartbeat"] if about.get("heartbeat_s") else []
        return {f"{sensor}/{name}" for name in names}

    def needs_expiry(self, sensor: str, action: str) -> bool | None:
        """Return whether an action of a sensor demands `before`; None if its `about` is not known."""
        actions = members(self._abouts.get(sensor, b"")).get("actions")
        if not isinstance(actions, dict):
            return None
        takes = actions.get(action)
        return isinstance(takes, dict) and bool(takes.get("expires"))

    def forget(self, topic: str) -> None:
        """Forget a topic that was cleared. With its `about`, the announcement of a sensor goes, too."""
        sensor = "/".join(topic.split("/")[:2])
        topics = self._topics.get(sensor, {})
        topics.pop(topic, None)
        if topic.endswith("/status/about"):
            self._abouts.pop(sensor, None)
            self._withdraw(sensor)
        if not topics:
            self._topics.pop(sensor, None)
            self._heartbeats_s.pop(sensor, None)

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
        for known in (self._topics, self._abouts, self._heartbeats_s, self._announced):
            known.clear()
        self._complete = False

    def on_about(self, sensor: str, about: bytes) -> None:
        """Announce a far sensor by its `about`; if it is not to be announced, withdraw what an earlier run said."""
        self._abouts[sensor] = about
        self._update(sensor)

    def on_heartbeat(self, sensor: str, heartbeat: Json) -> None:
        """Note how often heartbeats of a far sensor come here, which Home Assistant is told, too."""
        every_s = heartbeat.get("heartbeat_s") if isinstance(heartbeat, dict) else None
        if isinstance(every_s, int | float) and every_s > 0 and self._heartbeats_s.get(sensor) != every_s:
            self._heartbeats_s[sensor] = every_s
            if sensor in self._abouts:
                self._update(sensor)

    def _update(self, sensor: str) -> None:
        payload = self._payload(sensor, decode(self._abouts[sensor])) if self._announce else b""
        if payload is not None and payload != self._announced.get(sensor):
            self._announced[sensor] = payload
            self._told.put(self._announcement_of(sensor), payload)

    def _payload(self, sensor: str, about: Json) -> bytes | None:
        if isinstance(about, dict) and about.get("heartbeat_s"):
            about = {**about, "heartbeat_s": self._heartbeats_s.get(sensor, about["heartbeat_s"])}
        try:
            return announcement(Topics(*sensor.split("/")), about)  # type: ignore[arg-type]  # what is wrong, is caught
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            log.warning("its `about` cannot be announced to Home Assistant", sensor=sensor, reason=repr(error)[:200])
            return None

    def _announcement_of(self, sensor: str) -> str:
        return f"{self._prefix}/device/{sensor.replace('/', '-')}/config"
