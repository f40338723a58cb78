"""A door or window contact."""

from dataclasses import dataclass

from gpiozero import DigitalInputDevice

from bootstrap.device import Device, Measure, Pin, Reading, Seconds
from bootstrap.pins.edge import Edge


@dataclass(kw_only=True)
class Door(Device):
    """A reed contact, which closes while its magnet is near.

    Wiring: one leg to `pin`, the other to GND. The Pi's own pull-up does the rest.
    """

    pin: Pin
    bounce_s: Seconds = 0.05  # seconds the contact must be still before its change counts
    every_s: float = 60.0  # seconds between readings, to be sure: changes are told at once

    open = Measure(bool)

    def setup(self) -> None:
        """The contact pulls the line to GND."""
        contact = DigitalInputDevice(self.pin, pull_up=True, bounce_time=self.bounce_s)
        self.contact = self.watch(contact)

    def on_edge(self, edge: Edge) -> Reading:
        """Open when the magnet goes away."""
        return {"open": not edge.active}

    def read(self) -> Reading:
        """As the line is now."""
        return {"open": not self.contact.is_active}
