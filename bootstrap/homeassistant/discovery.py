"""Telling Home Assistant of a sensor: a retained announcement, anew when it starts, and taken back when unwanted."""

import json
import random
import time
from collections.abc import Callable
from functools import lru_cache

from bootstrap.config.model import HomeAssistantSettings, SensorSettings
from bootstrap.contract.payload import decode, encode
from bootstrap.contract.topics import Topics
from bootstrap.errors import Refused
from bootstrap.eventloop.loop import Loop, Timer
from bootstrap.logs import log
from bootstrap.outbox.outbox import Outbox

BORN = b"online"
WITHIN_S = 5.0  # a house of sensors does not answer all at once


def announced(settings: SensorSettings) -> bytes:
    """Return how a sensor is announced; nothing if Home Assistant is told nothing.

    The last answer is remembered, so that a supervisor can ask before it forks, and the child need not work it out.
    """
    return _announced(settings.topics, encode(settings.about)) if settings.homeassistant.enabled else b""


@lru_cache(1)
def _announced(topics: Topics, about: bytes) -> bytes:
    from bootstrap.homeassistant.announcement import announcement  # noqa: PLC0415 - not where nobody has it

    return announcement(topics, json.loads(about))


class Discovery:
    """Sees to it that the broker holds what Home Assistant should know, and nothing else."""

    def __init__(
        self, settings: HomeAssistantSettings, topics: Topics, loop: Loop, outbox: Outbox, pump: Callable[[], None]
    ) -> None:
        self._topics, self._loop, self._outbox, self._pump = topics, loop, outbox, pump
        self._settings = settings
        self._payload = b""
        self._timer: Timer | None = None
        self._connected_at = 0.0

    @property
    def topic(self) -> str:
        """Where the sensor is announced."""
        return self._settings.topic(self._topics)

    @property
    def _birth(self) -> str:
        return f"{self._settings.prefix}/status"

    @property
    def filters(self) -> list[str]:
        """What is to be heard: what is announced already, and Home Assistant's birth."""
        return [self.topic, self._birth] if self._settings.enabled else [self.topic]

    def introduce(self, announcement: bytes) -> None:
        """Announce the sensor so, now and at each connect."""
        if announcement:
            before, self._payload = self._payload, announcement
            self._outbox.put_state(self.topic, self._payload)
            self._replace(before)

    def apply_settings(self, settings: HomeAssistantSettings) -> None:
        """Take back what was announced by other settings; then `introduce` it by these, and connect anew."""
        if self._payload:
            self._outbox.put_state(self.topic, b"")
        self._settings, self._payload = settings, b""

    def on_connected(self) -> None:
        """From now on the broker repeats what it holds."""
        self._connected_at = time.monotonic()

    def on_message(self, topic: str, payload: bytes, *, retained: bool) -> None:
        """What the broker holds, or Home Assistant's birth."""
        if topic == self._birth:
            repeated = retained and time.monotonic() - self._connected_at < WITHIN_S
            if payload == BORN and not repeated:  # a connect has announced us anyway
                self._announce_soon()
        elif topic == self.topic and retained and payload:
            self._held(payload)

    def _announce_soon(self) -> None:
        self._timer = self._loop.call_earlier(self._timer, random.uniform(0, WITHIN_S), self._announce)  # noqa: S311

    def _announce(self) -> None:
        if self._payload:
            self._outbox.put_state(self.topic, self._payload)
            self._pump()

    def _held(self, payload: bytes) -> None:
        """What was announced by an earlier run."""
        if self._settings.enabled:
            self._replace(payload)
        else:
            log.info("no longer announced to Home Assistant", topic=self.topic)
            self._outbox.put_state(self.topic, b"")

    def _replace(self, before: bytes) -> None:
        """Take back what was announced before and is no more."""
        if before and before != self._payload and (gone := self._gone(before)):
            self._outbox.put_once(self.topic, gone)
            self._announce_soon()

    def _gone(self, before: bytes) -> bytes | None:
        from bootstrap.homeassistant.announcement import removal  # noqa: PLC0415 - few ever need it

        try:
            gone = removal(decode(before), json.loads(self._payload))
        except Refused:
            return None
        return encode(gone) if gone else None
