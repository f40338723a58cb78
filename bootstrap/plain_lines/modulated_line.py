"""The base class of devices that drive a line by pulse-width modulation, such as a dimmer or a fan."""

from dataclasses import dataclass
from typing import Annotated

from gpiozero import PWMOutputDevice

from bootstrap.device import Device, Measure, Reading
from bootstrap.limits import Limits
from bootstrap.needs import Output


@dataclass(kw_only=True)
class ModulatedLine(Device):
    """A GPIO line that is on for a part of the time. It rests when the sensor starts and when it stops."""

    pin: Output
    frequency_hz: Annotated[float, Limits(1, 1000)] = 100.0  # how often a second it goes on, unless it is at 0 or 100 %
    active_high: bool = True  # false for modules that are on at 0

    level = Measure("%", low=0, high=100)

    def setup(self) -> None:
        """Own the line, which rests from the first moment."""
        rest = self.rests_at / 100
        line = PWMOutputDevice(self.pin, active_high=self.active_high, initial_value=rest, frequency=self.frequency_hz)
        self.line = self.own(line, safe=rest)

    @property
    def rests_at(self) -> float:
        """At how many per cent it is while nobody says otherwise."""
        return 0.0

    @property
    def percent(self) -> float:
        """At how many per cent it is now."""
        return round(100 * float(self.line.value), 1)

    def set_level(self, percent: float) -> None:
        """Set the line."""
        self.line.value = min(1.0, max(0.0, percent / 100))

    def read(self) -> Reading:
        """Return how much of the time the line is on."""
        return {"level": self.percent}
