"""Topics that the broker refuses, each reported once when that begins and once when it ends."""

from collections.abc import Callable

from bootstrap.logs import log
from bootstrap.mqtt.session import Reason
from bootstrap.outbox.message import AckOutcome, Message

NOT_INSTALLED = "perhaps its access rule is not installed yet: `penates install` brings it"
DECISIVE = (AckOutcome.DENIED, AckOutcome.DELIVERED, AckOutcome.NOBODY)


class Denials:
    """The topics that we may not publish to, and those whose messages the broker cannot accept now."""

    def __init__(self, denied: Callable[[str, str | None], None]) -> None:
        """Call `denied(topic, reason)` when a topic is denied to us, and with None when it is allowed again."""
        self._report = denied
        self._denied: set[str] = set()
        self._put_off: set[str] = set()

    def note(self, message: Message, outcome: AckOutcome, reason: Reason) -> None:
        """Note the outcome of a message."""
        put_off = outcome in (AckOutcome.LATER, AckOutcome.FULL)
        if put_off and message.topic not in self._put_off:
            log.warning("the broker refused a message", topic=message.topic, reason=reason.text)
        (self._put_off.add if put_off else self._put_off.discard)(message.topic)
        denied = outcome is AckOutcome.DENIED
        if denied != (message.topic in self._denied) and outcome in DECISIVE:
            self._denied ^= {message.topic}
            if denied:
                log.error("the broker refused a message", topic=message.topic, reason=reason.text)
            self._report(message.topic, reason.text if denied else None)

    def hung_up(self, topic: str, why: str, for_s: float) -> None:
        """Note that the broker closes the connection when we publish to this topic, which is now left out."""
        log.error("the broker hangs up on a message; the rest is sent", topic=topic, again_in_s=for_s)
        self._denied.add(topic)
        self._report(topic, why)

    def forget(self, topic: str) -> None:
        """Forget a topic that is not published to any more."""
        self._put_off.discard(topic)
        if topic in self._denied:
            self._denied.discard(topic)
            self._report(topic, None)
