"""Counting readings that never arrived: within a run of a sensor, `seq` has no gaps."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from bootstrap.history.points import FOREIGN, READING, Point
from bootstrap.logs import log

RUNS = 2000  # that are followed at a time
REMEMBERED = 100  # missing readings of a run that may still come late


@dataclass
class _Run:
    newest: int
    missing: dict[int, None] = field(default_factory=dict)
    logged: bool = False


class Gaps:
    """The readings that are missing between others of the same run, since this recorder has started."""

    def __init__(self) -> None:
        self.missing = 0
        self._runs: dict[tuple[str, str], _Run] = {}

    def note(self, points: Iterable[Point]) -> None:
        """Note what has arrived, in this order; it may arrive again, and late."""
        for one in points:
            if one.measurement == READING and not one.run.startswith(FOREIGN):
                self._note(one)

    def _note(self, one: Point) -> None:
        run = self._runs.get((one.sensor, one.run))
        if run is None:
            self._follow(one)
        elif one.seq == run.newest + 1:
            run.newest += 1
        elif one.seq > run.newest:
            self._miss(one, run)
        elif one.seq in run.missing:
            del run.missing[one.seq]
            self.missing -= 1

    def _follow(self, one: Point) -> None:
        """Begin with a run, wherever it is; the one that was followed first makes room."""
        if len(self._runs) == RUNS:
            del self._runs[next(iter(self._runs))]
        self._runs[one.sensor, one.run] = _Run(one.seq)

    def _miss(self, one: Point, run: _Run) -> None:
        self.missing += one.seq - run.newest - 1
        run.missing |= dict.fromkeys(range(max(run.newest + 1, one.seq - REMEMBERED), one.seq))
        for seq in [*run.missing][:-REMEMBERED]:
            del run.missing[seq]
        if not run.logged:
            log.warning("readings are missing", sensor=one.sensor, run=one.run, after=run.newest, before=one.seq)
        run.logged, run.newest = True, one.seq
