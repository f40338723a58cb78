"""Answers to commands cross on the daemon's own connection, unless the bridge carries them as it does all `status`.

The access rules that penates writes keep the bridge from that, because at QoS 0 an answer may be lost. Where others
wrote the rules, each answer would arrive twice.
"""

from collections.abc import Callable
from typing import TypeAlias

from bootstrap.device import Reading

HOLD_S = 0.5  # for the bridge to show whether it carries the first answer

Later: TypeAlias = Callable[[float, Callable[[], Reading | None], str], object]


class AnswersAcross:
    """Sends each answer once."""

    def __init__(self, later: Later, link_is_up: Callable[[], bool]) -> None:
        """Call later by a name. `link_is_up` tells whether the bridge can carry anything."""
        self._later, self._link_is_up = later, link_is_up
        self._carried: bool | None = None  # whether the bridge carries answers; None while that is not known
        self._held: list[Callable[[], None]] = []

    def note_carried(self) -> None:
        """Note that the bridge has carried an answer."""
        self._carried = True
        self._held.clear()

    def carry(self, send: Callable[[], None]) -> None:
        """Send an answer by `send`, unless the bridge does."""
        if self._carried is None and self._link_is_up():
            self._held.append(send)
            self._later(HOLD_S, self._decide, "answers")
        elif not (self._carried and self._link_is_up()):
            send()

    def _decide(self) -> Reading | None:
        held, self._held = self._held, []
        if self._carried is None:
            self._carried = False
        for send in held:
            send()
        return None
