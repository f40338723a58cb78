"""A lamp, or anything else that a relay switches."""

from dataclasses import dataclass

from gpiozero import DigitalOutputDevice

from bootstrap import Device, Json, Measure, Output, Reading, only, seconds, takes


@dataclass(kw_only=True)
class Lamp(Device):
    """A relay or a solid-state socket. It is off when the sensor starts and when it stops.

    Wiring: the relay board's IN to `pin`, VCC to 5V, GND to GND; 10 kohm from `pin` to GND (to 3V3 when it is
    switched by 0), because a line floats when its process dies.
    """

    pin: Output
    active_high: bool = True  # false for relay boards that switch on at 0

    on = Measure(bool)

    def setup(self) -> None:
        """Own the line, which is off from the first moment."""
        self.relay = self.own(DigitalOutputDevice(self.pin, active_high=self.active_high))

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
