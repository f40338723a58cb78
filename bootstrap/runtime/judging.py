"""What becomes of a reading before it is published: the judgement of each value, and the filters of its owner."""

import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from bootstrap.device import CALIBRATION, Device, Failure, Kept, Measure, Reading, Values
from bootstrap.runtime.measure_health import MeasureHealth

if TYPE_CHECKING:
    from bootstrap.contract.heard import ListeningHandle
    from bootstrap.filters.conditioning import Conditioning
    from bootstrap.filters.settings import SensorFilters

Keep: TypeAlias = Callable[[str, float], Kept[float]]
Listen: TypeAlias = Callable[[str], "ListeningHandle"]
NONE: Mapping[str, str] = MappingProxyType({})


class Judged(NamedTuple):
    """A reading after the judgement of each value.

    Attributes:
        good: what the device says and may be believed.
        invalid: the other values, each with the reason.
        published: what becomes of the good ones by their filters, and what is derived from them.
        failed: what cannot be derived from them, each with the reason.
    """

    good: Values
    invalid: dict[str, str]
    published: Values
    failed: Mapping[str, str] = NONE


class Judge:
    """Judges the readings of a device, and filters what is good. Each reading of a sensor passes here."""

    def __init__(self, device: Device, filters: "SensorFilters | None" = None) -> None:
        self._lent: tuple[Keep, Listen] | None = None
        self.use_device(device, filters)

    def use_device(self, device: Device, filters: "SensorFilters | None", invalid: int = 0) -> None:
        """Begin anew with this device; `invalid` values were refused before."""
        self._device, self.health = device, MeasureHealth(device, time.monotonic(), invalid)
        self._conditioning: Conditioning | None = None
        self.use_filters(filters)

    def use_filters(self, filters: "SensorFilters | None") -> None:
        """Filter by these from now on; what is the same goes on. The import is local, because few have filters."""
        if self._conditioning is not None and filters is not None:
            self._conditioning.change(filters)
        else:
            self.close()
            self._conditioning = None
            if filters is not None:
                from bootstrap.filters.conditioning import Conditioning  # noqa: PLC0415

                self._conditioning = Conditioning(filters)
                if self._lent:
                    self._conditioning.lend(*self._lent)
        self.redescribe()

    def lend(self, keep: Keep, listen: Listen) -> None:
        """Have formulas keep and listen by these, which are those of the device that is used, or used next."""
        self._lent = keep, listen
        if self._conditioning is not None:
            self._conditioning.lend(*self._lent)

    def close(self) -> None:
        """Keep what formulas have summed up."""
        if self._conditioning is not None:
            self._conditioning.close()

    def redescribe(self) -> None:
        """Take notice of what the device measures now, and of what is made of that."""
        measures, filters = self.measures, self._conditioning.filters if self._conditioning else None
        made = {name: filters.sources(name) for name in measures} if filters else {}
        self.health.redescribe(time.monotonic(), {name: of for name, of in made.items() if of}, measures)

    @property
    def measures(self) -> Mapping[str, Measure]:
        """What is published."""
        measured = self._device.measures
        return self._conditioning.published(measured) if self._conditioning else measured

    def calibrations(self, published: Values) -> dict[str, Any]:
        """Return the field of a reading that tells by which calibration its values were made; none without one."""
        if self._conditioning is None:
            return {}
        filters = self._conditioning.filters
        found = {name: one for name in published if (one := filters.of(name).calibration)}
        return {CALIBRATION: found} if found else {}

    def record_failure(self, why: str, *, absent: bool) -> None:
        """Record that nothing could be measured. `absent` means that the device is not there."""
        if self._conditioning is not None:
            self._conditioning.forget()
        self.health.record_failure(why, absent=absent)

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
        self._conditioning.forget(invalid)
        made = self._conditioning.apply(good, self._device.measures, now, self._device.period_s)
        self.health.invalid += len(made.wrong)
        good = {name: value for name, value in good.items() if name not in made.wrong}
        return Judged(good, {**invalid, **made.wrong}, made.published, made.failed)
