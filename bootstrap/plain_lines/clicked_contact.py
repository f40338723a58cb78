"""The base class of push buttons: clicks and holds are told apart by time."""

from dataclasses import dataclass

from bootstrap.contact import Contact
from bootstrap.device import Measure, Reading, Seconds
from bootstrap.pins.edge import Edge

NEXT = "next"  # the name of a timer


@dataclass(kw_only=True)
class ClickedContact(Contact):
    """A contact between a GPIO line and GND that a finger closes."""

    bounce_s: Seconds = 0.02
    hold_s: Seconds = 1.0  # seconds after which a press counts as a hold
    click_s: Seconds = 0.4  # seconds without a press after which a series of clicks ends

    pressed = Measure(bool)
    held = Measure(bool)
    clicks = Measure("1", low=1, event=True)  # reported when the series ends; a hold is not a click

    count, down, holding = 0, False, False

    def on_edge(self, edge: Edge) -> Reading:
        """Wait for a hold from a press on, and for the end of the series from a release on."""
        self.count += self.down and not edge.active and not self.holding
        self.down, self.holding = edge.active, False
        self.after(*((self.hold_s, self.hold) if edge.active else (self.click_s, self.finish)), name=NEXT)
        return {"pressed": edge.active, "held": False}

    def hold(self) -> Reading:
        """Report a hold, which ends any series before it."""
        self.holding = True
        return {"held": True, **(self.finish() or {})}

    def finish(self) -> Reading | None:
        """Report the clicks of a series that has ended."""
        count, self.count = self.count, 0
        return {"clicks": count} if count else None

    def shows(self, *, closed: bool) -> Reading:
        """Report whether the button is pressed, and held, now."""
        return {"pressed": closed, "held": self.holding}
