"""What the resistance of an alarm loop means, and when a change of it is believed."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

NORMAL, ALARM, TAMPER, SHORT, OPEN, UNKNOWN = STATES = ("normal", "alarm", "tamper", "short", "open", "unknown")
TAMPERED = (TAMPER, SHORT, OPEN)
PAIR = 2


@dataclass(frozen=True)
class LoopBands:
    """The resistances of a loop, in ohms, that mean something. Whatever is in none of them is `tamper`.

    Attributes:
        normal: the lowest and the highest at rest.
        alarm: likewise; none where a loop that is shorted, or open, means alarm.
        short_below: what is less is a short circuit, which means `short`, or the word in `short`.
        open_above: what is more is a cut wire, which means `open`, or the word in `open`.
    """

    normal: Sequence[float]
    alarm: Sequence[float]
    short_below: float
    open_above: float
    short: str = SHORT
    open: str = OPEN

    def problems(self) -> Iterator[tuple[str, str]]:
        """Yield the settings that cannot be, each with what it must be."""
        wrong = False
        for name, band in self._named:
            if not (len(band) == PAIR and 0 <= band[0] < band[1]):
                wrong = True
                yield name, f"{name!r} must be the lowest and the highest resistance in ohms, such as [3760, 5640]"
        if not wrong:
            yield from self._overlaps()

    @property
    def _named(self) -> list[tuple[str, Sequence[float]]]:
        return [("normal_ohm", self.normal), *([("alarm_ohm", self.alarm)] if self.alarm else [])]

    def _overlaps(self) -> Iterator[tuple[str, str]]:
        rows = [(name, low, high) for name, (low, high) in self._named]
        rows += [("short_below_ohm", 0.0, self.short_below), ("open_above_ohm", self.open_above, math.inf)]
        for (first, _, top), (second, bottom, _) in pairwise(sorted(rows, key=lambda row: row[1:])):
            if bottom < top or (bottom == top and {first, second} == {"normal_ohm", "alarm_ohm"}):
                yield second, f"{second!r} begins at {bottom:g} ohms, which {first!r} has too: no two may overlap"

    def word(self, ohms: float) -> str:
        """Return what a resistance means."""
        if ohms < self.short_below:
            return self.short
        if ohms > self.open_above:
            return self.open
        if self.normal[0] <= ohms <= self.normal[1]:
            return NORMAL
        return ALARM if self.alarm and self.alarm[0] <= ohms <= self.alarm[1] else TAMPER


class LoopJudge:
    """What state a loop is in, after samples of which some are noise, or between two contacts.

    An alarm counts at once. Anything else counts after `agree` samples in a row that say the same; and a loop of which
    as many say something else than its state, without agreeing, is tampered with: a wire that is fiddled with, or a
    contact that chatters, is not normal.
    """

    def __init__(self, agree: int) -> None:
        self._agree = agree
        self.state = UNKNOWN
        self._last, self._row, self._doubts = "", 0, 0

    def take(self, word: str) -> str:
        """Take a sample into account, and return the state."""
        self._row = self._row + 1 if word == self._last else 1
        self._last = word
        if word == ALARM or self._row >= self._agree:
            self.state, self._doubts = word, 0
        elif word != self.state:
            self._doubts += 1
            if self._doubts >= self._agree and self.state != ALARM:
                self.state = UNKNOWN if UNKNOWN in (word, self.state) else TAMPER
        return self.state
