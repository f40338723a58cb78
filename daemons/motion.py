"""A motion sensor."""

from dataclasses import dataclass

from gpiozero import DigitalInputDevice

from bootstrap.device import Device, Input, Measure, Reading, Seconds
from bootstrap.eventloop.loop import Timer
from bootstrap.pins.edge import Edge


@dataclass(kw_only=True)
class Motion(Device):
    """A PIR sensor, such as an HC-SR501.

    Wiring: VCC to 5V, GND to GND, OUT to `pin` (its output is 3.3 V). Give it a minute to warm up.
    """

    pin: Input
    hold_s: Seconds = 30.0  # seconds without movement after which motion ends
    every_s: float = 60.0  # seconds between readings to confirm the state: changes are reported at once

    motion = Measure(bool)

    def setup(self) -> None:
        """Watch the line, which the sensor drives high."""
        self.timer: Timer | None = None
        self.moving = False
        self.sensor = self.watch(DigitalInputDevice(self.pin, pull_up=False))

    def on_edge(self, edge: Edge) -> Reading | None:
        """Report motion at once, and its end after `hold_s`."""
        if self.timer:
            self.timer.cancel()
        if not edge.active:
            self.timer = self.after(self.hold_s, self.still)
            return None
        began, self.moving = not self.moving, True
        return self.read() if began else None

    def still(self) -> Reading:
        """Report that nothing has moved for `hold_s`."""
        self.moving = False
        return self.read()

    def read(self) -> Reading:
        """Return whether there is motion now."""
        self.moving = self.moving or bool(self.sensor.is_active)
        return {"motion": self.moving}
