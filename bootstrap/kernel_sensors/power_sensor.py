"""What a power monitor measures, and the energy that adds up."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import isclose
from time import monotonic

from bootstrap.device import Failure, Measure, Reading
from bootstrap.kernel_sensors.catalog import Range
from bootstrap.kernel_sensors.kernel_device import KernelDevice
from bootstrap.kernel_sensors.kernel_sensor import KernelSensor, Outcome, Sample, outcome

MICRO = 1e-6
DEFAULT_UOHM = 10_000.0  # of the drivers ina2xx and ina3221, and of ina238 up to Linux 6.17
LATER_UOHM = 2_500.0  # of ina238 from then on
BETWEEN_UOHM = 5_000.0
STEADY = 0.2  # part by which a current may change while the voltage over its shunt is read
HOUR_S = 3600.0
MISSED = 3  # periods without a reading, over which nothing is added up, because nobody knows what flowed
DIGITS = 6
END = 0.9998  # part of the range from which a current may be its end, as chip and driver round it


@dataclass(kw_only=True)
class PowerSensor(KernelSensor):
    """A monitor of voltage and current. A subclass declares `shunt`, in ohms, `channel`, and four measures."""

    shunt: float
    channel: int

    def measured(self, ranges: Mapping[str, Range]) -> dict[str, Measure]:
        """Return the measures: what can flow depends on the shunt."""
        declared = type(self).measures
        (low, high), (least, most) = ranges["voltage"], (round(volts / self.shunt, DIGITS) for volts in ranges["shunt"])
        return {
            **declared,
            "voltage": replace(declared["voltage"], low=low, high=high),
            "current": replace(declared["current"], low=least, high=most),
            "power": replace(declared["power"], low=least * high, high=most * high),
        }

    def setup(self) -> None:
        """Take up the energy where the last run left it."""
        self.energy_wh = self.keep("energy", 0.0)
        self.since: float | None = None

    def __post_init__(self) -> None:
        """Know nothing yet of the shunt that its driver assumes."""
        super().__post_init__()
        self.seen_uohm: float | None = None

    def taken(self, device: KernelDevice) -> Sample:
        """Return voltage, current and power, read once."""
        numbered = self.chip.part == "INA3221"
        bus, current = (f"in{self.channel}", f"curr{self.channel}") if numbered else ("in1", "curr1")
        shunt_file = f"shunt{self.channel}_resistor" if numbered else "shunt_resistor"
        volts = outcome(lambda: device.value("voltage1", bus))
        amperes = outcome(lambda: self._amperes(device, current, shunt_file))
        return {"voltage": volts, "current": amperes, "power": self._power(volts, amperes)}

    def _amperes(self, device: KernelDevice, channel: str, shunt_file: str) -> float:
        """Return the current: the driver's, which it computes for a shunt that need not be that of the board."""
        said = device.value("current3", channel)
        ohm = _assumed_ohm(device, shunt_file) or (self._default_ohm(device, said) if said else self.shunt)
        return self._within_range(round(said * ohm / self.shunt, DIGITS))

    def _default_ohm(self, device: KernelDevice, amperes: float) -> float:
        """Return the shunt that a driver assumes unless told, which it does not say.

        That of an INA238 depends on the kernel, and follows from the voltage over the shunt, which it says in steps of
        1 mV. ValueError: that was too small, or not steady, at each read.
        """
        if self.chip.part != "INA238" or not device.has("in0"):
            return DEFAULT_UOHM * MICRO
        volts = 0.0 if self.seen_uohm else device.value("in0")
        if volts and isclose(amperes, device.value("curr1"), rel_tol=STEADY):
            self.seen_uohm = DEFAULT_UOHM if abs(volts / amperes) > BETWEEN_UOHM * MICRO else LATER_UOHM
        if self.seen_uohm is None:
            raise ValueError(
                "the shunt that its driver assumes is known only once 0.5 mV or more were over the shunt, or by its"
                " property shunt-resistor in the device tree"
            )
        return self.seen_uohm * MICRO

    def _within_range(self, amperes: float) -> float:
        """Return a current. ValueError: it is the highest or the lowest that the chip can measure at this shunt."""
        least, most = (END * volts / self.shunt for volts in self.chip.sheet.ranges["shunt"])
        if not least < amperes < most:
            raise ValueError(
                f"{amperes:g} A is an end of the range at this shunt: the true current may be beyond it, which needs"
                " a smaller one; or `shunt` is not what the board has"
            )
        return amperes

    def _power(self, volts: Outcome, amperes: Outcome) -> Outcome:
        """Return the power, or why it is not known: what cannot be true makes no power."""
        if isinstance(volts, Failure):
            return volts
        if isinstance(amperes, Failure):
            return amperes
        if wrong := self.check({"voltage": volts, "current": amperes}):
            return ValueError("; ".join(wrong.values()))
        return round(volts * amperes, DIGITS)

    def complete(self, reading: Reading) -> Reading:
        """Add what has flowed since the last reading. Nothing is added for a time without readings."""
        power, now = reading["power"], monotonic()
        before, self.since = self.since, now
        if isinstance(power, Failure) or self.check({"power": power}):
            self.since = None
        elif before is not None and now - before <= MISSED * self.every_s:
            flowed = max(float(power), 0.0) * (now - before) / HOUR_S  # type: ignore[arg-type]  # it was checked
            self.energy_wh.value = round(self.energy_wh.value + flowed, DIGITS)
        return {**reading, "energy": self.energy_wh.value}


def _assumed_ohm(device: KernelDevice, shunt_file: str) -> float | None:
    """Return the shunt for which a driver computes: by its own file, or by the device tree; None if neither has it."""
    if ohm := device.attribute("in_shunt_resistor"):
        return ohm
    micro = device.attribute(shunt_file) or device.described("shunt-resistor")
    return micro * MICRO if micro else None
