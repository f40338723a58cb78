"""The base class of devices that switch one line on and off, such as a lamp's relay."""

from dataclasses import dataclass

from gpiozero import DigitalOutputDevice

from bootstrap.contract.commands import only, seconds
from bootstrap.contract.payload import Json
from bootstrap.device import Device, Measure, Reading, takes
from bootstrap.needs import Output


@dataclass(kw_only=True)
class SwitchedLine(Device):
    """A GPIO line that is on or off. It rests when the sensor starts and when it stops."""

    pin: Output
    active_high: bool = True  # false for relay boards that switch on at 0

    on = Measure(bool)

    def setup(self) -> None:
        """Own the line, which rests from the first moment."""
        relay = DigitalOutputDevice(self.pin, active_high=self.active_high, initial_value=self.rests_on)
        self.relay = self.own(relay, safe=self.rests_on)

    @property
    def rests_on(self) -> bool:
        """Whether it is on while nobody says otherwise."""
        return False

    @takes("on", "off", "toggle", sets="on", keys=("state", "for_s"))
    def act_set(self, value: Json) -> Reading:
        """Accept `on`, `off`, `toggle`, or `{"state": "on", "for_s": 600}`; a new command replaces the timer."""
        for_s = seconds(value.pop("for_s", None)) if isinstance(value, dict) else None
        word = only(value, "state")
        to = not self.relay.is_active if word == "toggle" else word == "on"
        self.cancel("back")
        if for_s:
            self.after(for_s, lambda: self.switch(not to), name="back")
        return self.switch(to)

    def switch(self, to: bool) -> Reading:
        """Set the line, and return its new state."""
        self.relay.value = to
        return self.read()

    def read(self) -> Reading:
        """Return the state of the line now."""
        return {"on": bool(self.relay.is_active)}
