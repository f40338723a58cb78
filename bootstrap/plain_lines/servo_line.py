"""The base class of servos: a pulse every 20 ms, whose length says the angle, until the servo has arrived."""

from dataclasses import dataclass
from functools import partial
from typing import Annotated

from gpiozero import DigitalOutputDevice

from bootstrap.config.toml_file import Wrong
from bootstrap.contract.commands import number
from bootstrap.contract.payload import Json
from bootstrap.device import Device, Measure, Reading, takes
from bootstrap.errors import NoReading, Refused
from bootstrap.limits import Limits
from bootstrap.needs import TimedOutput
from bootstrap.pins.lent_line import lend
from bootstrap.pins.pulse_frame import Frame
from bootstrap.pins.pulse_line import ChildSender, Sent

PERIOD_US = 20_000  # between two pulses


@dataclass(kw_only=True)
class ServoLine(Device):
    """The line of a servo. It is low but for the pulses: without them a servo neither holds nor hums."""

    pin: TimedOutput
    lowest: Annotated[float, Limits(0, 360)] = 0.0  # degrees; the range that what hangs on it allows, such as 20
    highest: Annotated[float, Limits(0, 360)] = 180.0
    us_at_0: Annotated[float, Limits(300, 3000)] = 500.0  # microseconds of a pulse that means 0 degrees
    us_at_180: Annotated[float, Limits(300, 3000)] = 2400.0  # and 180 degrees, such as 2000 for some
    hold_s: Annotated[float, Limits(0.1, 1)] = 0.6  # seconds until it is released: it must have arrived

    angle = Measure("°", low=0, high=360, assumed=True)

    def __post_init__(self) -> None:
        """Check what no single setting tells."""
        if self.lowest > self.highest:
            raise Wrong({"lowest": f"'lowest' must be at most 'highest', which is {self.highest:g}"})

    def setup(self) -> None:
        """Own the line, which is low from the first moment: the servo stays where it is."""
        self.sender = ChildSender(lend(self.own(DigitalOutputDevice(self.pin))))
        self.at: float | None = None

    @takes(sets="angle", unit="°", low=0, high=360, step=0.5, keys=("angle",))
    def act_set(self, value: Json) -> None:
        """Turn to an angle in degrees, after the turns that were commanded before."""
        to = number(value, "angle")
        if not self.lowest <= to <= self.highest:
            raise Refused(f"send an angle from {self.lowest:g} to {self.highest:g} degrees, as its file allows")
        pulse_us = round(self.us_at_0 + (self.us_at_180 - self.us_at_0) * to / 180)
        frame = Frame((pulse_us, PERIOD_US - pulse_us), round(1e6 * self.hold_s / PERIOD_US))
        self.ask(partial(self.sender.send, frame), partial(self.arrived, to), bus="servo")

    def arrived(self, at: float, _sent: Sent) -> Reading:
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
        if hasattr(self, "sender"):
            self.sender.stop()
