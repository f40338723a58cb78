"""What becomes of a reading before it is published: the judgement of each value, and the filters of its owner."""

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from bootstrap.device import Device, Failure, Measure, Reading, Values
from bootstrap.runtime.measure_health import MeasureHealth

if TYPE_CHECKING:
    from bootstrap.filters.conditioning import Conditioning
    from bootstrap.filters.settings import SensorFilters


class Judged(NamedTuple):
    """A reading after the judgement of each value.

    Attributes:
        good: what the device says and may be believed.
        invalid: the other values, each with the reason.
        published: what becomes of the good ones by their filters.
    """

    good: Values
    invalid: dict[str, str]
    published: Values


class Judge:
    """Judges the readings of a device, and filters what is good. Each reading of a sensor passes here."""

    def __init__(self, device: Device, filters: "SensorFilters | None" = None) -> None:
        self.use_device(device, filters)

    def use_device(self, device: Device, filters: "SensorFilters | None", invalid: int = 0) -> None:
        """Begin anew with this device; `invalid` values were refused before."""
        self._device, self.health = device, MeasureHealth(device, time.monotonic(), invalid)
        self._conditioning: Conditioning | None = None
        self.use_filters(filters)

    def use_filters(self, filters: "SensorFilters | None") -> None:
        """Filter by these from now on; what is the same goes on. The import is local, because few have filters."""
        if filters is None:
            self._conditioning = None
        elif self._conditioning is not None:
            self._conditioning.change(filters)
        else:
            from bootstrap.filters.conditioning import Conditioning  # noqa: PLC0415

            self._conditioning = Conditioning(filters)

    @property
    def measures(self) -> Mapping[str, Measure]:
        """What is published."""
        measured = self._device.measures
        return self._conditioning.filters.published(measured) if self._conditioning else measured

    def judge(self, reading: Reading) -> Judged:
        """Judge the values of a reading, and filter the good ones; the others are counted.

        Raises:
            TypeError: the reading has a measure that was never declared, which is a bug.
        """
        now = time.monotonic()
        invalid = self.health.validate(reading, now)
        good = {
            name: value
            for name, value in reading.items()
            if name not in invalid and not isinstance(value, Failure)  # each failure is invalid
        }
        if self._conditioning is None:
            return Judged(good, invalid, good)
        published, wrong = self._conditioning.apply(good, self._device.measures, now, self._device.period_s)
        self.health.invalid += len(wrong)
        return Judged({name: good[name] for name in good if name not in wrong}, {**invalid, **wrong}, published)
