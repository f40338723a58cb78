"""The weight that a converter for load cells measures, and its zero."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from bootstrap.contract.payload import Json
from bootstrap.device import Failure, Measure, Reading, takes
from bootstrap.kernel_sensors.catalog import Range
from bootstrap.kernel_sensors.kernel_device import KernelDevice
from bootstrap.kernel_sensors.kernel_sensor import KernelSensor, Sample, outcome

CHANNEL = "voltage0"  # channel A at a gain of 128
DIGITS = 3


@dataclass(kw_only=True)
class WeightSensor(KernelSensor):
    """A converter for a load cell. A subclass declares `tare`, `scale`, `unit`, and the measures `weight` and `raw`."""

    tare: float
    scale: float
    unit: str

    def measured(self, ranges: Mapping[str, Range]) -> dict[str, Measure]:
        """Return the measures, in the unit of the scale."""
        if not self.scale:
            raise ValueError("'scale' must not be 0")
        measures = {**type(self).measures, **super().measured(ranges)}
        return {**measures, "weight": replace(measures["weight"], unit=self.unit)}

    def setup(self) -> None:
        """Take up the zero of the last run, unless another one was set in the file since."""
        self.kept = self.keep("zero", dict[str, float]())
        self.zero = self.kept.value["zero"] if self.kept.value.get("tare") == self.tare else self.tare

    def taken(self, device: KernelDevice) -> Sample:
        """Return the raw number, read once."""
        return {"raw": outcome(lambda: device.raw(CHANNEL, self.chip.sheet.limits))}

    def complete(self, reading: Reading) -> Reading:
        """Add the weight."""
        raw = reading["raw"]
        weight = raw if isinstance(raw, Failure) else round((float(raw) - self.zero) / self.scale, DIGITS)  # type: ignore[arg-type]
        return {**reading, "weight": weight}

    @takes("now")
    def act_tare(self, _value: Json) -> None:
        """Take what is on the scale now as 0, and keep that over restarts."""
        self.ask(self.sample, self.tared, bus=self.bus)

    def tared(self, sample: Sample) -> Reading:
        """Keep a raw number as the zero, and return the reading that follows from it."""
        raw = sample["raw"]
        if isinstance(raw, Failure):
            raise raw
        self.zero = raw
        self.kept.value = {"tare": self.tare, "zero": raw}
        return self.complete(sample)
