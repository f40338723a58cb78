"""A push button."""

from dataclasses import dataclass

from gpiozero import DigitalInputDevice

from bootstrap.device import Device, Measure, Pin, Reading, Seconds
from bootstrap.eventloop.loop import Timer
from bootstrap.pins.edge import Edge


@dataclass(kw_only=True)
class Button(Device):
    """A push button, told apart by how it is pressed.

    Wiring: one leg to `pin`, the other to GND. The Pi's own pull-up does the rest.
    """

    pin: Pin
    bounce_s: Seconds = 0.02  # seconds the contact must be still before its change counts
    hold_s: Seconds = 1.0  # seconds after which a press is a hold
    click_s: Seconds = 0.4  # seconds without a press that end a series of clicks
    every_s: float = 60.0  # seconds between readings, to be sure: changes are told at once

    pressed = Measure(bool)
    held = Measure(bool)
    clicks = Measure("1", low=1, event=True)  # when the series is over; a held press is none

    def setup(self) -> None:
        """The button pulls the line to GND."""
        self.count, self.down, self.holding = 0, False, False
        self.timer: Timer | None = None
        self.contact = self.watch(DigitalInputDevice(self.pin, pull_up=True, bounce_time=self.bounce_s))

    def on_edge(self, edge: Edge) -> Reading:
        """A press starts the hold's time, a release the click's."""
        if self.timer:
            self.timer.cancel()
        self.count += self.down and not edge.active and not self.holding
        self.down = edge.active
        self.timer = self.after(*((self.hold_s, self.hold) if edge.active else (self.click_s, self.finish)))
        self.holding = False
        return {"pressed": edge.active, "held": False}

    def hold(self) -> Reading:
        """Pressed for long: a hold, which ends any series before it."""
        self.holding = True
        return {"held": True, **(self.finish() or {})}

    def finish(self) -> Reading | None:
        """The series is over."""
        count, self.count = self.count, 0
        return {"clicks": count} if count else None

    def read(self) -> Reading:
        """As the line is now."""
        return {"pressed": bool(self.contact.is_active), "held": self.holding}
