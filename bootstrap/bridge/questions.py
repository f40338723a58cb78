"""Questions over the link itself: which sensors and groups the far site has, and what it says of their states.

Each site asks on a topic of its own, which the bridge carries as it carries all of `status`. The answer comes behind
everything that was sent before it. No answer means that nothing is known.
"""

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass

from bootstrap.contract import timestamps
from bootstrap.contract.payload import Json, encode
from bootstrap.contract.topics import Kind
from bootstrap.device import Context

QUESTION, ANSWER = "question", "answer"  # below `status` of the bridge of each site
MOST = 100  # sensors in one question
COMPLETE_S = 2.0  # after connecting, until our broker has told us of all of our sensors


@dataclass(frozen=True)
class FarAnswer:
    """What the far site has answered: for each sensor its state, or None if it has no such sensor.

    `asked_at` is monotonic, in seconds.
    """

    states: dict[str, str | None]
    asked_at: float


class Questions:
    """Asks the far site, and answers what it asks."""

    def __init__(self, context: Context, own_groups: Sequence[str]) -> None:
        """Publish by `context`, below the bridge's own name."""
        self._context, self._own_groups = context, own_groups
        self._status = f"{context.sensor}/{Kind.STATUS}"
        self._asked: dict[str, float] = {}  # when each question was asked
        self._own: dict[str, str] = {}  # our sensors, with their states
        self._complete_at = 0.0

    # Asking.

    def ask(self, sensors: Sequence[str]) -> None:
        """Ask what state these far sensors have; without any, only for an answer."""
        if not self._own_groups:
            return
        number = secrets.token_hex(4)
        self._asked = {**dict([*self._asked.items()][-MOST:]), number: time.monotonic()}
        question: Json = {"id": number, "sensors": [*sensors[:MOST]], **self._common}
        self._context.tell(f"{self._status}/{QUESTION}", encode(question))

    def on_answer(self, payload: Json) -> FarAnswer | None:
        """Return what the far site has answered, if it is an answer to a question of ours."""
        match payload:
            case {"id": str(number), "states": {**states}} if number in self._asked:
                said = {str(name): state for name, state in states.items() if isinstance(state, str | None)}
                return FarAnswer(said, self._asked.pop(number))
        return None

    @property
    def _common(self) -> dict[str, Json]:
        """What each site says in all that it says."""
        return {"groups": [*self._own_groups], "time": timestamps.now()}

    # Answering.

    def begin_anew(self) -> None:
        """Forget what is known of our sensors: our broker tells it again."""
        self._own.clear()
        self._asked.clear()
        self._complete_at = time.monotonic() + COMPLETE_S

    def note_own(self, sensor: str, state: str | None) -> None:
        """Note the state of a sensor of our own; None after it was cleared."""
        if state:
            self._own[sensor] = state
        else:
            self._own.pop(sensor, None)

    def on_question(self, payload: Json) -> None:
        """Answer which of the sensors we have, once that is known for all."""
        match payload:
            case {"id": str(number), "sensors": [*names]} if time.monotonic() >= self._complete_at or not names:
                asked = [name for name in names[:MOST] if isinstance(name, str) and self._is_ours(name)]
                states = {name: self._state_of(name) for name in asked}
                answer: Json = {"id": number[:MOST], "states": {**states}, **self._common}
                self._context.tell(f"{self._status}/{ANSWER}", encode(answer))

    def _state_of(self, name: str) -> str | None:
        """Return the state of a sensor of ours; the bridge does not hear its own."""
        own = self._context.said("state").decode() if name == self._context.sensor else ""
        return own or self._own.get(name)

    def _is_ours(self, name: str) -> bool:
        return name.partition("/")[0] in self._own_groups
