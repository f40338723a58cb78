"""What a device listens to: each filter with its newest message, and each topic whose silence it is told."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf

from bootstrap.contract.heard import Heard, Silence, sender_of
from bootstrap.contract.liveness import GRACE_S
from bootstrap.contract.payload import Json
from bootstrap.contract.topic_filters import WILD
from bootstrap.device import Reading
from bootstrap.logs import log
from bootstrap.mqtt.denials import NOT_INSTALLED
from bootstrap.runtime.followed_sensor import FollowedSensor

CALM_S = 60.0  # without a flood, before the next one is logged
FLOOD = 200  # messages in a second, without what the broker had stored


@dataclass(slots=True)
class Reach:
    """Whether anything can be heard at all. `since` is monotonic, in seconds: when that began."""

    unreachable: str | None
    since: float


class Listener:
    """One filter that a device listens to; it implements `ListeningHandle`."""

    __slots__ = (
        "_count",
        "_flooded_at",
        "_heard_at",
        "_reach",
        "_refused",
        "_second",
        "fault",
        "filter",
        "is_topic",
        "last",
        "on_message",
        "on_silence",
        "sender_filter",
        "silent_s",
        "topics",
    )

    def __init__(
        self,
        text: str,
        on_message: Callable[[Heard], Reading | None],
        on_silence: Callable[[Silence], Reading | None] | None,
        silent_s: float | None,
        reach: Reach,
    ) -> None:
        self.filter, self.on_message, self.on_silence, self.silent_s = text, on_message, on_silence, silent_s
        self.is_topic = not WILD & {*text}
        self.sender_filter = (sender_of(text) or ("", ""))[0]
        self.topics: dict[str, FollowedTopic] = {}
        self.fault: str | None = None  # why nothing may be heard
        self.last: Heard | None = None
        self._reach = reach
        self._heard_at = 0.0
        self._refused = False  # as last logged
        self._second, self._count, self._flooded_at = 0, 0, -inf

    @property
    def value(self) -> Json:
        """Implement `ListeningHandle.value`."""
        return self.last.value if self.last else None

    @property
    def age_s(self) -> float | None:
        """Implement `ListeningHandle.age_s`."""
        return time.monotonic() - self._heard_at if self.last else None

    @property
    def problem(self) -> str | None:
        """Implement `ListeningHandle.problem`."""
        one = self.topics.get(self.filter)
        found = one.problem(time.monotonic(), self._reach) if one else self._reach.unreachable
        return found or self.fault or ("nothing was heard yet" if one and not one.heard else None)

    def keep(self, heard: Heard | None, now: float) -> None:
        """Keep the newest message, or none after the topic was cleared."""
        self.last, self._heard_at = heard, now
        self._refused = False

    def forget(self) -> None:
        """Implement `ListeningHandle.forget`."""
        self.last = None

    def refuse(self, topic: str, why: str) -> None:
        """Log once, until the next good message, that a message cannot be used."""
        if not self._refused:
            log.warning("a message that is listened to cannot be used", topic=topic[:100], reason=why)
        self._refused = True

    def count(self, now: float) -> None:
        """Count a message, and log once when there are very many in a second; again only after a calm minute."""
        if int(now) != self._second:
            self._second, self._count = int(now), 0
        self._count += 1
        if self._count > FLOOD:
            if now - self._flooded_at > CALM_S:
                log.warning("a flood of messages on what is listened to", filter=self.filter, in_a_second=self._count)
            self._flooded_at = now


@dataclass(slots=True, eq=False)
class FollowedTopic:
    """A topic that a listener has heard, or wants to hear. `since` is monotonic: when it was last heard, or began."""

    topic: str
    listener: Listener
    sender: FollowedSensor | None
    measure: str
    since: float
    heard: bool = False
    told: str | None = field(default=None)  # the problem that the device was told last

    @property
    def limit_s(self) -> float:
        """How long what was heard counts, in seconds."""
        if self.listener.silent_s is not None:
            return self.listener.silent_s
        return self.sender.limit_s(self.measure) if self.sender else inf

    @property
    def unknown(self) -> str:
        """What to say of a sender that the broker knows nothing of, or hides."""
        what = self.sender.name if self.sender else self.topic
        return f"the broker tells nothing of {what}; does anybody publish it? {NOT_INSTALLED.capitalize()}"

    def problem(self, now: float, reach: Reach) -> str | None:
        """Return why what was heard last does not count, or None."""
        if reach.unreachable:
            return reach.unreachable
        if self.sender:
            if found := self.sender.problem(now):
                return found
            if not (self.sender.known or self.heard) and now >= reach.since + GRACE_S:
                return self.unknown
        if now >= self._late_at(reach):
            return f"older than {self.limit_s:g} s" if self.heard else f"nothing was heard for {self.limit_s:g} s"
        return None

    def _late_at(self, reach: Reach) -> float:
        """Return when what was heard last is too old; after a pause of ours or the sender's, it first may come."""
        return max(self.since, reach.since, self.sender.back_at if self.sender else -inf) + self.limit_s

    def due(self, now: float, reach: Reach) -> float:
        """Return when the next problem may begin."""
        times = [self._late_at(reach)]
        if self.sender:
            times += [self.sender.silent_at(), inf if self.sender.known or self.heard else reach.since + GRACE_S]
        return inf if reach.unreachable else min((at for at in times if at > now), default=inf)
