"""A servo."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from bootstrap import Device, Json, Limits, Measure, NoReading, Reading, Refused, TimedOutput, takes
from bootstrap.contract.commands import number
from bootstrap.plain_lines.servo_line import ServoLine
from bootstrap.proof import DRIVEN_LINES


@dataclass(kw_only=True)
class Servo(Device):
    """A servo, which turns to an angle and is then released: without pulses it neither holds nor hums.

    Wiring: orange or white to `pin`, brown or black to GND; red to a supply of its own of 5 V, whose minus shares our
    GND: a servo that starts takes more than a Pi's pin gives.
    """

    pin: TimedOutput
    lowest: Annotated[float, Limits(0, 360)] = 0.0  # degrees; the range that what hangs on it allows, such as 20
    highest: Annotated[float, Limits(0, 360)] = 180.0
    us_at_0: Annotated[float, Limits(300, 3000)] = 500.0  # microseconds of a pulse that means 0 degrees
    us_at_180: Annotated[float, Limits(300, 3000)] = 2400.0  # and 180 degrees, such as 2000 for some
    hold_s: Annotated[float, Limits(0.1, 1)] = 0.6  # seconds until it is released: it must have arrived

    parts: ClassVar = dict.fromkeys(("SG90", "MG90S", "MG995", "MG996R", "DS3218"), DRIVEN_LINES)

    angle = Measure("°", low=0, high=360, assumed=True)

    def setup(self) -> None:
        """Own the line, which is low from the first moment: the servo stays where it is."""
        self.line = ServoLine(self, self.pin)
        self.at: float | None = None

    @takes(sets="angle", unit="°", low=0, high=360, step=0.5, keys=("angle",))
    def act_set(self, value: Json) -> None:
        """Turn to an angle in degrees."""
        to = number(value, "angle")
        if not self.lowest <= to <= self.highest:
            raise Refused(f"send an angle from {self.lowest:g} to {self.highest:g} degrees, as its file allows")
        pulse_us = self.us_at_0 + (self.us_at_180 - self.us_at_0) * to / 180
        self.line.turn(pulse_us, self.hold_s, lambda: self.arrived(to))

    def arrived(self, at: float) -> Reading:
        """Report where it was told to go, once it was released."""
        self.at = at
        return self.read()

    def read(self) -> Reading:
        """Return where it was told to go; nobody knows before the first command."""
        if self.at is None:
            raise NoReading
        return {"angle": self.at}

    def teardown(self) -> None:
        """End the pulses."""
        if hasattr(self, "line"):
            self.line.stop()
