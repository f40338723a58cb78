"""The truth about the states of far sensors: their own word while the link is up, `unreachable` while it is down."""

import time
from dataclasses import dataclass
from enum import Enum, auto
from math import inf

from bootstrap.bridge.newest_told import NewestTold

UNREACHABLE = b"unreachable"


class Flow(Enum):
    """Whether the far site's state arrives at our broker."""

    DOWN = auto()
    UNSURE = auto()  # it is said to arrive, but that may be an old word, which is being checked
    UP = auto()


@dataclass(slots=True)
class FarState:
    """What is known of one far `status/state`.

    Attributes:
        word: what the far site said last; empty if that is not known.
        here: what the topic says at our broker, as far as is known.
        fresh: whether the far site has said its word since the link is up.
        heard_at: when that word last came live, monotonic, in seconds.
    """

    word: bytes = b""
    here: bytes = b""
    fresh: bool = False
    heard_at: float = -inf


class FarStates:
    """Keeps every far `status/state` at our broker true.

    Our broker and the bridge write to the same topics, so an `unreachable` of ours may overtake, or be overtaken by, a
    word from the far site. Therefore each one is looked at again once the broker has acknowledged it: what was heard
    until then is what the broker had.
    """

    def __init__(self, told: NewestTold) -> None:
        self._told = told
        told.acknowledged = self._acknowledged
        self._known: dict[str, FarState] = {}
        self.flow = Flow.DOWN

    @property
    def topics(self) -> list[str]:
        """The far `status/state` topics that our broker has."""
        return [*self._known]

    def word(self, topic: str) -> str | None:
        """Return what the far site has said last; None if it has said nothing."""
        one = self._known.get(topic)
        return one.word.decode(errors="replace") if one and one.word else None

    def on_state(self, topic: str, payload: bytes, *, stored: bool) -> None:
        """Note what our broker has: a word of the far site, or an `unreachable` of ours or of an earlier run.

        `stored` means that it had that before we came, so that it may be old.
        """
        if not payload:
            self.forget(topic)
            return
        one = self._known.setdefault(topic, FarState())
        one.here = payload
        if payload == UNREACHABLE:
            self._put_right(topic, one)
            return
        one.word, one.fresh = payload, self.flow is Flow.UP and not stored
        if not stored:
            one.heard_at = time.monotonic()
        if self.flow is Flow.DOWN:
            self._told.put(topic, UNREACHABLE)
        elif self._told.holds(topic):
            self._told.drop(topic)

    def forget(self, topic: str) -> None:
        """Forget a topic that was cleared."""
        self._known.pop(topic, None)
        self._told.drop(topic)

    def begin_anew(self) -> None:
        """Forget everything: our broker tells it again."""
        self._known.clear()
        self._told.drop_all()

    def set_flow(self, flow: Flow) -> None:
        """Say `unreachable` of all when the link goes down; when it is up, the far site says its words itself."""
        self.flow = flow
        for topic, one in self._known.items():
            if flow is not Flow.UP:
                one.fresh = False
            if flow is Flow.DOWN and one.here != UNREACHABLE:
                self._told.put(topic, UNREACHABLE)
            elif flow is not Flow.DOWN:
                self._told.drop(topic)

    def _acknowledged(self, topic: str, payload: bytes) -> None:
        """Compare what our broker has taken with what is true by now."""
        one = self._known.get(topic)
        if one is not None:
            one.here = payload
            self._put_right(topic, one)

    def _put_right(self, topic: str, one: FarState) -> None:
        if self.flow is Flow.UP and one.fresh and one.here != one.word:
            self._told.put(topic, one.word)
        elif self.flow is Flow.DOWN and one.here != UNREACHABLE:
            self._told.put(topic, UNREACHABLE)

    # What the far site did not repeat.

    @property
    def doubtful(self) -> list[str]:
        """The topics of which nobody knows whether what they say is true, though the link is up."""
        if self.flow is not Flow.UP:
            return []
        return [topic for topic, one in self._known.items() if not (one.fresh or self._told.holds(topic))]

    def settle(self, topic: str, word: bytes, asked_at: float) -> None:
        """Say the word that the far site has given to a question of `asked_at`, unless it has said a newer one."""
        one = self._known.get(topic)
        if one is None or self.flow is not Flow.UP or one.heard_at >= asked_at:
            return
        one.word, one.fresh = word, True
        self._put_right(topic, one)
