"""The alerts of a display: by rules about what others publish, and told by a command."""

import textwrap
import time
from collections.abc import Sequence
from dataclasses import dataclass

from bootstrap.display.alert_rule import AlertRule
from bootstrap.display.heard_values import DOUBTFUL, HeardValues
from bootstrap.display.template import Line, TextField

MOST_TOLD = 10


@dataclass(frozen=True)
class ActiveAlert:
    """An alert with its lines. `name` tells it from others."""

    name: object
    lines: Sequence[Line]

    @property
    def fields(self) -> list[TextField]:
        """The fields in it."""
        return [part for line in self.lines for part in line if isinstance(part, TextField)]


@dataclass(eq=False)
class _Told:
    """An alert that a command told; `until` is monotonic, in seconds."""

    lines: list[str]
    until: float


class Alerts:
    """Those that are to be shown now."""

    def __init__(self, rules: Sequence[AlertRule], values: HeardValues, columns: int) -> None:
        self._rules, self._values, self._columns = rules, values, columns
        self._told: list[_Told] = []

    def tell(self, text: str, for_s: float) -> None:
        """Add one, whose words are wrapped. Of too many the oldest is dropped."""
        lines = [part for line in text.splitlines() for part in textwrap.wrap(line, self._columns) or [""]]
        self._told = [*self._told[1 - MOST_TOLD :], _Told(lines, time.monotonic() + for_s)]

    def clear(self) -> None:
        """Drop those that were told."""
        self._told = []

    def active(self) -> list[ActiveAlert]:
        """Return those that are to be shown now."""
        now = time.monotonic()
        self._told = [one for one in self._told if one.until > now]
        by_rule = [
            self._by_rule(number, rule)
            for number, rule in enumerate(self._rules)
            if rule.holds(self._values.value(rule.field))
        ]
        return [*by_rule, *(ActiveAlert(one, [[line] for line in one.lines]) for one in self._told)]

    def _by_rule(self, number: int, rule: AlertRule) -> ActiveAlert:
        """Return what a rule shows, marked if nobody knows any more whether it is so."""
        lines = [*rule.shown.lines]
        if self._values.doubtful(rule.field):
            lines[0] = [DOUBTFUL, *lines[0]]
        return ActiveAlert(number, lines)

    def due_s(self) -> float | None:
        """Return in how many seconds the first of those that were told is over."""
        return max(0.0, min(one.until for one in self._told) - time.monotonic()) if self._told else None
