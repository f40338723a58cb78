"""The base class of devices that drive a line by pulse-width modulation, such as a dimmer or a fan."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from bootstrap.config.toml_file import Wrong
from bootstrap.contract.payload import Json
from bootstrap.device import Device, Measure, Reading
from bootstrap.limits import Limits
from bootstrap.needs import HARDWARE, Output, PwmSource, Sysfs

SOFTWARE_HZ, HARDWARE_HZ = 1000, 40_000  # the most that a process manages; the most that fans take is 28 kHz


@dataclass(kw_only=True)
class ModulatedLine(Device):
    """A GPIO line that is on for a part of the time. It rests when the sensor starts and when it stops."""

    pin: Output
    pwm: PwmSource = "software"  # or "hardware": by the Pi's own PWM, exact and free of flicker; on GPIO 12, 13, 18, 19
    # how often a second it goes on, unless it is at 0 or 100 %: in software at most 1000; a fan with a PWM input wants
    # 25000, by hardware
    frequency_hz: Annotated[float, Limits(1, HARDWARE_HZ)] = 100.0
    active_high: bool = True  # false for modules that are on at 0
    sysfs: Sysfs = Path("/sys")

    level = Measure("%", low=0, high=100)

    def __post_init__(self) -> None:
        """Check what no single setting tells."""
        if self.pwm != HARDWARE and self.frequency_hz > SOFTWARE_HZ:
            most = f'at most {SOFTWARE_HZ} in software, not {self.frequency_hz:g}; pwm = "hardware" does it'
            raise Wrong({"frequency_hz": f"'frequency_hz' must be {most}"})

    def setup(self) -> None:
        """Own the line, which rests from the first moment."""
        self.line: Any = self.own(self._opened(), safe=self.rests_at / 100)

    def _opened(self) -> object:
        """Return the line, at rest; what the other way needs is not loaded."""
        rest = self.rests_at / 100
        if self.pwm == HARDWARE:
            from bootstrap.pins.hardware_pwm import HardwarePwm  # noqa: PLC0415

            return HardwarePwm(self.sysfs, self.pin, self.frequency_hz, active_high=self.active_high, value=rest)
        from gpiozero import PWMOutputDevice  # noqa: PLC0415

        return PWMOutputDevice(self.pin, active_high=self.active_high, initial_value=rest, frequency=self.frequency_hz)

    def facts(self) -> Mapping[str, Json]:
        """Return who switches the line."""
        return {"pwm": self.pwm}

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
        """Return how much of the time the line is on. OSError: another program has changed that; it is set again."""
        if self.pwm == HARDWARE:
            self.line.verify()
        return {"level": self.percent}
