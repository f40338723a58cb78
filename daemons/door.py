"""A door or window contact."""

from dataclasses import dataclass
from typing import ClassVar

from gpiozero import DigitalInputDevice

from bootstrap.device import Device, Input, Measure, Reading, Seconds
from bootstrap.pins.edge import Edge


@dataclass(kw_only=True)
class Door(Device):
    """A reed contact, which closes while its magnet is near.

    Wiring: one leg to `pin`, the other to GND. The Pi's own pull-up does the rest.
    """

    pin: Input
    bounce_s: Seconds = 0.05  # seconds the contact must be stable before a change counts
    every_s: float = 60.0  # seconds between readings to confirm the state: changes are reported at once

    shown_as: ClassVar = {"open": "door"}
    open = Measure(bool)

    def setup(self) -> None:
        """Watch the line, which the contact pulls to GND."""
        contact = DigitalInputDevice(self.pin, pull_up=True, bounce_time=self.bounce_s or None)
        self.contact = self.watch(contact)

    def on_edge(self, edge: Edge) -> Reading:
        """Report an open door when the magnet goes away."""
        return {"open": not edge.active}

    def read(self) -> Reading:
        """Return the state of the line now."""
        return {"open": not self.contact.is_active}
