"""Jumps of a measure: a number that is too far from the last good one is believed once others agree with it."""

from dataclasses import dataclass, field

from bootstrap.device import Measure

AGREE = 3  # consecutive values that must agree before a jump is believed


@dataclass(slots=True)
class JumpGuard:
    """Judges the numbers of one measure by its `step`, and by its power-on value."""

    measure: Measure
    number: float | None = None  # the last good value
    leaps: list[float] = field(default_factory=list)  # values refused since then as too far from `number`

    def doubt(self, value: float, *, after_gap: bool) -> str | None:
        """Note a number, and return why it is not believed yet, or None.

        With nothing to compare, at the start or after a long gap, any number is believed but the power-on value.
        """
        alone = after_gap or self.number is None
        if value != self.measure.power_on if alone else self._is_near(value):
            return None
        return None if self._is_confirmed(value) else self._doubt(value)

    def believe(self, number: float | None) -> None:
        """Note the last good value; None if it is no number."""
        self.number = number
        self.leaps.clear()

    def _is_near(self, value: float) -> bool:
        """Return whether a number is within a step of the last good one."""
        return self.number is not None and abs(value - self.number) <= self.measure.step

    def _is_confirmed(self, value: float) -> bool:
        """Return whether enough numbers in a row agree on a jump. Power-on values alone never do."""
        if self.leaps and abs(value - self.leaps[-1]) > self.measure.step:
            self.leaps.clear()
        self.leaps = [*self.leaps, value][-AGREE:]
        return len(self.leaps) == AGREE and any(leap != self.measure.power_on for leap in self.leaps)

    def _doubt(self, value: float) -> str:
        unit, step = self.measure.unit, self.measure.step
        if value == self.measure.power_on:
            return f"{value:g} {unit} is the power-on value: the device lost power or did not measure"
        return f"{value:g} {unit} is more than {step:g} away from the last good value, {self.number:g}"
