"""A push button."""

from dataclasses import dataclass

from gpiozero import DigitalInputDevice

from bootstrap.device import Device, Input, Measure, Reading, Seconds
from bootstrap.eventloop.loop import Timer
from bootstrap.pins.edge import Edge


@dataclass(kw_only=True)
class Button(Device):
    """A push button that tells clicks from holds.

    Wiring: one leg to `pin`, the other to GND. The Pi's own pull-up does the rest.
    """

    pin: Input
    bounce_s: Seconds = 0.02  # seconds the contact must be stable before a change counts
    hold_s: Seconds = 1.0  # seconds after which a press counts as a hold
    click_s: Seconds = 0.4  # seconds without a press after which a series of clicks ends
    every_s: float = 60.0  # seconds between readings to confirm the state: changes are reported at once

    pressed = Measure(bool)
    held = Measure(bool)
    clicks = Measure("1", low=1, event=True)  # reported when the series ends; a hold is not a click

    def setup(self) -> None:
        """Watch the line, which the button pulls to GND."""
        self.count, self.down, self.holding = 0, False, False
        self.timer: Timer | None = None
        self.contact = self.watch(DigitalInputDevice(self.pin, pull_up=True, bounce_time=self.bounce_s or None))

    def on_edge(self, edge: Edge) -> Reading:
        """Start the timer for a hold at a press, and for the end of the series at a release."""
        if self.timer:
            self.timer.cancel()
        self.count += self.down and not edge.active and not self.holding
        self.down = edge.active
        self.timer = self.after(*((self.hold_s, self.hold) if edge.active else (self.click_s, self.finish)))
        self.holding = False
        return {"pressed": edge.active, "held": False}

    def hold(self) -> Reading:
        """Report a hold, which ends any series before it."""
        self.holding = True
        return {"held": True, **(self.finish() or {})}

    def finish(self) -> Reading | None:
        """Report the clicks of a series that has ended."""
        count, self.count = self.count, 0
        return {"clicks": count} if count else None

    def read(self) -> Reading:
        """Return the state of the line now."""
        return {"pressed": bool(self.contact.is_active), "held": self.holding}
