"""The base class of relays that are pressed like a button, such as an opener's."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from gpiozero import DigitalOutputDevice

from bootstrap.contract.payload import Json
from bootstrap.device import Device, Measure, Reading, takes
from bootstrap.errors import Refused
from bootstrap.limits import Limits
from bootstrap.needs import Output


@dataclass(kw_only=True)
class MomentaryLine(Device):
    """A GPIO line that is on for a moment when it is pressed, and off otherwise."""

    pin: Output
    active_high: bool = True  # false for relay boards that switch on at 0
    pulse_s: Annotated[float, Limits(0.02, 60)] = 0.5  # seconds for which it is on

    must_end: ClassVar[bool] = True

    pressed = Measure(bool)

    def setup(self) -> None:
        """Own the line, which is off from the first moment."""
        self.relay = self.own(DigitalOutputDevice(self.pin, active_high=self.active_high))

    @takes("press", keys=("state",), once=("press",))
    def act_set(self, _value: Json) -> Reading:
        """Accept `press`: it is on for `pulse_s`. Another one meanwhile is refused."""
        if self.relay.is_active:
            raise Refused("it is being pressed")
        self.relay.on()
        self.after(self.pulse_s, self.release)
        return self.read()

    def release(self) -> Reading:
        """End it."""
        self.relay.off()
        return self.read()

    def read(self) -> Reading:
        """Return whether it is pressed now."""
        return {"pressed": bool(self.relay.is_active)}
