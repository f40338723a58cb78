"""How often a station sends, learnt from when it was heard."""

from collections import deque
from math import ceil
from statistics import median

ENOUGH, LAST = 3, 9  # gaps that tell something, and that are remembered
LEAST_S = 1.0
GRID_S = 5.0  # of longer intervals, so that many stations are looked at together
CHANGED = 0.25  # part by which an interval must differ to be another one


class Intervals:
    """The interval of a station: of its messages, which may be of several models, those that come least often."""

    def __init__(self, usual_s: float, learnt_s: float = 0.0) -> None:
        """Believe in `usual_s` until enough is known, or in what was learnt in an earlier run."""
        self._usual_s, self.period_s = usual_s, learnt_s or usual_s
        self._last: dict[str, float] = {}
        self._gaps: dict[str, deque[float]] = {}

    def note(self, model: str, at: float) -> bool:
        """Note a message of this model, heard at a time in seconds. Return whether the interval is another one now."""
        gaps = self._gaps.setdefault(model, deque(maxlen=LAST))
        if (before := self._last.get(model)) is not None and at > before:
            gaps.append(at - before)
        self._last[model] = at
        usual = (median(each) if len(each) >= ENOUGH else self._usual_s for each in self._gaps.values())
        found = max(LEAST_S, *usual)
        learnt = all(len(each) >= ENOUGH for each in self._gaps.values())
        if not learnt and self.period_s != self._usual_s and found <= self._usual_s:
            return False
        if abs(found - self.period_s) <= CHANGED * self.period_s:
            return False
        self.period_s = ceil(found / GRID_S) * GRID_S if found > GRID_S else round(found, 1)
        return True
