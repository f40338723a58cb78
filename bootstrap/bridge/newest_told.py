"""Retained payloads that are told to our own broker: of each topic only the newest, and few at a time."""

from collections.abc import Callable
from functools import partial

from bootstrap.device import Reading, ThenTold
from bootstrap.logs import log

MOST_FLYING = 50  # that are not acknowledged, of at most 100 that may wait to be told


class NewestTold:
    """Tells payloads as soon as there is room; one that a newer one has overtaken is never sent."""

    def __init__(self, tell: Callable[[str, bytes, ThenTold], None]) -> None:
        """Publish, retained, by `tell`."""
        self._tell = tell
        self.acknowledged: Callable[[str, bytes], None] = lambda _topic, _payload: None  # the broker has this
        self._waiting: dict[str, bytes] = {}
        self._flying: set[str] = set()
        self._failing = ""  # why the last one was not delivered, as logged

    def put(self, topic: str, payload: bytes) -> None:
        """Tell this, in place of what waits for the same topic."""
        self._waiting[topic] = payload
        self._send()

    def drop(self, topic: str) -> None:
        """Do not tell what waits for this topic. What is on its way arrives."""
        self._waiting.pop(topic, None)

    def drop_all(self) -> None:
        """Do not tell what waits."""
        self._waiting.clear()

    def holds(self, topic: str) -> bool:
        """Return whether something of this topic waits, or is not acknowledged."""
        return topic in self._waiting or topic in self._flying

    def _send(self) -> None:
        """Send what there is room for, one of each topic at a time."""
        for topic in [one for one in self._waiting if one not in self._flying]:
            if len(self._flying) >= MOST_FLYING:
                return
            payload = self._waiting.pop(topic)
            self._flying.add(topic)
            self._tell(topic, payload, partial(self._told, topic, payload))

    def _told(self, topic: str, payload: bytes, outcome: str, why: str) -> Reading | None:
        self._flying.discard(topic)
        if outcome == "sent":
            self._failing = ""
            self.acknowledged(topic, payload)
        elif why != self._failing:
            self._failing = why
            log.warning("cannot be told to our broker", topic=topic, reason=why)
        self._send()
        return None
