"""An adopted sensor whose interval nobody has to set: how often it is expected is learnt from when it is heard."""

from bootstrap.gateway import Adopted
from bootstrap.limits import YEAR_S
from bootstrap.radio.intervals import Intervals

UNTIL_LEARNT_S = 600.0


class LearntSensor(Adopted):
    """An adopted sensor that is expected as often as it is usually heard, unless its `every_s` is set."""

    @property
    def is_remote(self) -> bool:
        """Whether all that it has ever sent is what buttons do, which nobody can expect."""
        raise NotImplementedError

    @property
    def period_s(self) -> float:
        """How often it is expected: as set, or as learnt. Nobody knows when somebody presses a button."""
        if self.every_s != UNTIL_LEARNT_S or not hasattr(self, "intervals"):
            return self.every_s
        return YEAR_S if self.is_remote else self.intervals.period_s

    def expect(self) -> None:
        """Expect it as often as earlier runs have learnt."""
        self.learnt = self.keep("every_s", 0.0)
        self.intervals = Intervals(self.every_s, self.learnt.value)

    def note_heard(self, source: str, at: float) -> bool:
        """Note that this source of it was heard, at a time in seconds. Return whether its interval is another one."""
        changed = self.intervals.note(source, at)
        if changed:
            self.learnt.value = self.intervals.period_s
        return changed
