"""What a voltage stands for: a share of a range, and a value in a table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

from bootstrap.device import Measure, Reading
from bootstrap.kernel_sensors.adc_sensor import AdcSensor, share
from bootstrap.kernel_sensors.catalog import Range
from bootstrap.kernel_sensors.kernel_sensor import Sample, outcome

PAIR = 2  # volts, and the value there
DIGITS = 6


@dataclass(kw_only=True)
class LevelSensor(AdcSensor):
    """An input of a converter. A subclass declares four settings, and the measures `voltage`, `level` and `value`."""

    zero_v: float
    full_v: float
    table: list[list[float]] | None
    unit: str

    def measured(self, ranges: Mapping[str, Range]) -> dict[str, Measure]:
        """Leave out the value unless there is a table; its unit is that of the table."""
        found = super().measured(ranges)
        del found["value"]
        if self.zero_v == self.full_v:
            raise ValueError("'zero_v' and 'full_v' must differ")
        if self.table is None:
            return found
        check_table(self.table)
        return {**found, "value": Measure(self.unit)}

    def shows(self, volts: float) -> Reading:
        """Return all that the voltage means; what it cannot mean costs nothing else."""
        found: Sample = {"voltage": volts, "level": outcome(partial(share, volts, self.zero_v, self.full_v))}
        return found if self.table is None else {**found, "value": outcome(partial(interpolated, volts, self.table))}


def interpolated(volts: float, table: Sequence[Sequence[float]]) -> float:
    """Return what a table of voltages and values has for a voltage, between two rows in proportion.

    Raises:
        ValueError: the voltage is outside of the table.
    """
    rows = sorted((float(at), float(value)) for at, value in table)
    for (low, first), (high, last) in pairwise(rows):
        if low <= volts <= high:
            return round(first + (last - first) * (volts - low) / (high - low), DIGITS)
    raise ValueError(f"{volts:.3f} V is outside of the table, which has {rows[0][0]:g} V to {rows[-1][0]:g} V")


def check_table(table: Sequence[Sequence[float]]) -> None:
    """Raise ValueError, saying what is allowed, if this is no table of voltages and values."""
    if {len(row) for row in table} != {PAIR} or len(table) < PAIR or len({row[0] for row in table}) < len(table):
        raise ValueError("'table' must have two or more pairs of volts and a value, such as [[0.5, 0], [4.5, 10]]")
