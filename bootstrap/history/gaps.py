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
                self.note_reading(one.sensor, one.run, one.seq)

    def note_reading(self, sensor: str, name: str, seq: int) -> None:
        """Note reading `seq` of the run of this name."""
        run = self._runs.get((sensor, name))
        if run is None:
            self._follow(sensor, name, seq)
        elif seq == run.newest + 1:
            run.newest += 1
        elif seq > run.newest:
            if not run.logged:
                log.warning("readings are missing", sensor=sensor, run=name, after=run.newest, before=seq)
            self._miss(seq, run)
        elif seq in run.missing:
            del run.missing[seq]
            self.missing -= 1

    def begin_anew(self) -> None:
        """Forget the runs that are followed, because some readings could not be heard here."""
        self._runs.clear()

    def _follow(self, sensor: str, name: str, seq: int) -> None:
        """Begin with a run, wherever it is; the one that was followed first makes room."""
        if len(self._runs) == RUNS:
            del self._runs[next(iter(self._runs))]
        self._runs[sensor, name] = _Run(seq)

    def _miss(self, seq: int, run: _Run) -> None:
        self.missing += seq - run.newest - 1
        run.missing |= dict.fromkeys(range(max(run.newest + 1, seq - REMEMBERED), seq))
        for one in [*run.missing][:-REMEMBERED]:
            del run.missing[one]
        run.logged, run.newest = True, seq
