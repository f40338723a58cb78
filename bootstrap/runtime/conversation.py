"""What a device hears of others and tells them, over its sensor's own connection. Nothing is made before it is used."""

from functools import partial
from typing import TYPE_CHECKING

from bootstrap.contract.payload import encode
from bootstrap.contract.topic_filters import a_filter, covers, overlap
from bootstrap.contract.topics import Kind
from bootstrap.device import Device, Reading
from bootstrap.errors import Exit, Fatal
from bootstrap.needs import Listened, Told, needs_of
from bootstrap.outbox.message import Message
from bootstrap.runtime.parts import SensorParts

if TYPE_CHECKING:
    from collections.abc import Callable

    from bootstrap.contract.commands import Outcome
    from bootstrap.contract.heard import Heard, Silence
    from bootstrap.device import ThenTold
    from bootstrap.mqtt.telling import Telling
    from bootstrap.runtime.followed import Listener
    from bootstrap.runtime.listening import Listening


class Conversation:
    """Listens and tells for one device, until it is closed."""

    def __init__(self, device: Device, parts: SensorParts) -> None:
        self._device, self._parts, self._link = device, parts, parts.link
        self._listening: Listening | None = None
        self._telling: Telling | None = None
        self._told: set[str] = set()  # the topics that may be told something, once that is asked

    def listen(
        self,
        topics: str,
        on_message: "Callable[[Heard], Reading | None]",
        on_silence: "Callable[[Silence], Reading | None] | None" = None,
        silent_s: float | None = None,
    ) -> "Listener":
        """Implement `Device.listen`. The import is local because few devices need it."""
        from bootstrap.runtime.listening import Listening  # noqa: PLC0415

        self._check_filter(topics, silent_s)
        if self._listening is None:
            self._listening = Listening(self._parts)
        return self._listening.listen(topics, on_message, on_silence, silent_s)

    def follow(self, topic: str) -> "Listener":
        """Return a handle whose newest message can be looked at; nothing is called with it."""
        return self.listen(topic, lambda _: None)

    def _check_filter(self, text: str, silent_s: float | None) -> None:
        """Raise a Fatal (78) if the device may not listen to this."""
        try:
            a_filter(text)
        except ValueError as error:
            raise _wrong(f"the device listens to {text!r}; that must be {error}") from None
        declared = [need.filter for _, need in needs_of(self._device) if isinstance(need, Listened)]
        if not any(covers(one, text) for one in declared):
            raise _wrong(f"the device listens to {text!r}, which {_none_of(declared)}; use the type TopicFilter")
        if text.startswith(f"{self._parts.sensor}/"):
            raise _wrong(f"the device listens to {text!r}, its own topic; what it says itself does not come back")
        commands = f"{self._parts.sensor}/{Kind.ACTION}/+"
        if overlap(text.split("/"), commands.split("/")) and not covers(text, commands):
            raise _wrong(f"the device listens to {text!r}, which some of its own commands match: name others alone")
        if silent_s is not None and not silent_s > 0:
            raise _wrong(f"the device listens to {text!r} with silent_s = {silent_s:g}; that must be above 0")

    def tell(self, topic: str, payload: object, then: "ThenTold | None" = None, *, retain: bool = False) -> None:
        """Implement `Device.tell`. The import is local because few devices need it."""
        if self._telling is None:
            self._begin_to_tell()
        if topic not in self._told and not any(covers(one, topic) for one in self._told):
            raise _wrong(f"the device tells {topic!r}, which {_none_of(sorted(self._told))}; use the type Target")
        if retain and f"/{Kind.ACTION}/" in topic:
            raise ValueError(f"{topic}: a command is never retained")
        message = Message(topic, payload if isinstance(payload, bytes) else encode(payload), retain=retain)

        def told(outcome: "Outcome", why: str) -> None:
            if then:
                self._parts.loop.call_soon(partial(self._parts.publish, partial(then, outcome, why)))

        if self._telling and self._link.up:
            self._telling.put(message, told)
            self._link.pump()
        else:
            told("undelivered", "there is no connection to the broker")

    def _begin_to_tell(self) -> None:
        from bootstrap.mqtt.telling import Telling  # noqa: PLC0415 - few devices need it

        self._told = {need.topic for _, need in needs_of(self._device) if isinstance(need, Told)}
        self._telling = self._link.delivery.telling = Telling()

    def close(self) -> None:
        """Unsubscribe, and drop what was not sent."""
        if self._listening:
            self._listening.close()
        if self._telling:
            self._telling.connection_lost()
            self._link.delivery.telling = None
            for topic in self._told:
                self._link.delivery.denials.forget(topic)


class NoConversation:
    """In place of one while the sensor does not run, and its device is set up for its outputs alone."""

    def listen(
        self,
        topics: str,
        on_message: "Callable[[Heard], Reading | None]",
        on_silence: "Callable[[Silence], Reading | None] | None" = None,
        silent_s: float | None = None,
    ) -> "Listener":
        """Return a handle that never hears anything."""
        from bootstrap.runtime.followed import Listener, Reach  # noqa: PLC0415 - few devices need it

        return Listener(topics, on_message, on_silence, silent_s, Reach("unreachable: the sensor does not run", 0.0))

    def tell(self, topic: str, payload: object, then: "ThenTold | None" = None, *, retain: bool = False) -> None:
        """Tell nobody."""


def _none_of(declared: list[str]) -> str:
    return f"none of its settings declares (they declare {', '.join(declared) or 'nothing of that sort'})"


def _wrong(why: str) -> Fatal:
    return Fatal(Exit.SETTINGS, why)
