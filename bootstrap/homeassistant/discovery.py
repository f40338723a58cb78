"""Announcing a sensor to Home Assistant, again whenever that restarts, and removing what is no longer announced."""

import json
import random
import time
from collections.abc import Callable, Iterable
from functools import lru_cache

from bootstrap.config.model import HomeAssistantSettings, SensorSettings
from bootstrap.contract.payload import decode, encode
from bootstrap.contract.topics import Topics
from bootstrap.errors import Refused
from bootstrap.eventloop.loop import Loop, Timer
from bootstrap.logs import log
from bootstrap.outbox.outbox import Outbox

BORN = b"online"
WITHIN_S = 5.0  # over which a house of sensors spreads its announcements


def announced(settings: SensorSettings) -> bytes:
    """Return the announcement of a sensor, or nothing if it is not to be announced.

    The last result is cached, so that a supervisor can compute it before it forks, and the child need not.
    """
    return _announced(settings.topics, encode(settings.about)) if settings.homeassistant.enabled else b""


@lru_cache(1)
def _announced(topics: Topics, about: bytes) -> bytes:
    from bootstrap.homeassistant.announcement import announcement  # noqa: PLC0415 - only if it is needed

    return announcement(topics, json.loads(about))


class Discovery:
    """Keeps the sensor's retained announcement at the broker up to date."""

    def __init__(
        self, settings: HomeAssistantSettings, topics: Topics, loop: Loop, outbox: Outbox, pump: Callable[[], None]
    ) -> None:
        self._topics, self._loop, self._outbox, self._pump = topics, loop, outbox, pump
        self._settings = settings
        self._withdrawn: set[str] = set()  # topics that are cleared
        self._timer: Timer | None = None
        self._connected_at = 0.0

    @property
    def topic(self) -> str:
        """The topic of the sensor's announcement."""
        return self._settings.topic(self._topics)

    @property
    def _payload(self) -> bytes:
        return self._outbox.state(self.topic)

    @property
    def topics(self) -> list[str]:
        """The topics on which the sensor is announced, or whose clearing the broker has not answered yet."""
        waiting = sorted(topic for topic in self._withdrawn if self._outbox.holds(topic))
        return [*waiting, *([self.topic] if self._settings.enabled else [])]

    @property
    def _birth(self) -> str:
        return f"{self._settings.prefix}/status"

    @property
    def filters(self) -> list[str]:
        """The topics to subscribe to: the announcement itself, and the birth message of Home Assistant."""
        return [self.topic, self._birth] if self._settings.enabled else []

    def withdraw(self, announced: Iterable[str]) -> None:
        """Clear these topics, on which earlier runs were announced, except the one that is used now."""
        for topic in announced:
            if topic != self.topic or not self._settings.enabled:
                log.info("no longer announced to Home Assistant there", topic=topic)
                self._withdrawn.add(topic)
                self._outbox.put_state(topic, b"")

    def introduce(self, announcement: bytes) -> None:
        """Publish this announcement, now and at each connect."""
        if announcement:
            before = self._payload
            self._outbox.put_state(self.topic, announcement)
            self._replace(before)

    def apply_settings(self, settings: HomeAssistantSettings) -> None:
        """Remove the announcement under the old settings; afterwards call `introduce`, and connect again."""
        announced, old_topic = self._payload, self.topic
        self._settings = settings
        if announced:
            self.withdraw([old_topic])

    def on_connected(self) -> None:
        """Note when the broker starts to send its retained messages."""
        self._connected_at = time.monotonic()

    def on_message(self, topic: str, payload: bytes, *, retained: bool) -> None:
        """Handle an announcement that the broker has retained, or the birth message of Home Assistant."""
        if topic == self._birth:
            repeated = retained and time.monotonic() - self._connected_at < WITHIN_S
            if payload == BORN and not repeated:  # at a connect the sensor is announced anyway
                self._announce_soon()
        elif topic == self.topic and retained and payload:
            self._on_retained(payload)

    def _announce_soon(self) -> None:
        self._timer = self._loop.call_earlier(self._timer, random.uniform(0, WITHIN_S), self._announce)  # noqa: S311

    def _announce(self) -> None:
        if payload := self._payload:
            self._outbox.put_state(self.topic, payload)
            self._pump()

    def _on_retained(self, payload: bytes) -> None:
        """Replace the announcement of an earlier run."""
        if self._settings.enabled:
            self._replace(payload)

    def _replace(self, before: bytes) -> None:
        """Remove the components that were announced before and are gone, then announce the sensor again."""
        if before and before != self._payload and (gone := self._gone(before)):
            self._outbox.put_once(self.topic, gone)
            self._announce_soon()

    def _gone(self, before: bytes) -> bytes | None:
        from bootstrap.homeassistant.announcement import removal  # noqa: PLC0415 - rarely needed

        try:
            gone = removal(decode(before), json.loads(self._payload))
        except Refused:
            return None
        return encode(gone) if gone else None
