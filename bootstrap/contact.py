"""The base class of devices that watch one contact, such as a door's or a button's."""

from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

from gpiozero import DigitalInputDevice

from bootstrap.device import Device, Reading, Seconds
from bootstrap.needs import Input
from bootstrap.pins.edge import Edge

# What Home Assistant can take a truth value for (its binary sensors' device classes).
TruthClass: TypeAlias = Literal[
    "battery", "carbon_monoxide", "cold", "connectivity", "door", "garage_door", "gas", "heat", "light", "lock",
    "moisture", "motion", "moving", "occupancy", "opening", "plug", "power", "presence", "problem", "running",
    "safety", "smoke", "sound", "tamper", "vibration", "window",
]  # fmt: skip


def contact_to_ground(line: int, bounce_s: float = 0.0) -> DigitalInputDevice:
    """Return a contact between a line and GND, which is active while it is closed. The Pi's own pull-up opens it.

    A change counts once it has lasted `bounce_s` seconds.
    """
    return DigitalInputDevice(line, pull_up=True, bounce_time=bounce_s or None)


@dataclass(kw_only=True)
class Contact(Device):
    """A contact between a GPIO line and GND: a reed contact, a button, a float or tilt switch, a tipping bucket.

    A subclass declares its measures and has one method, `shows`. The Pi's own pull-up holds the line high while the
    contact is open; each change that lasts `bounce_s` is reported at once, with the time at which it began.
    """

    pin: Input
    bounce_s: Seconds = 0.05  # seconds the contact must be stable before a change counts

    def setup(self) -> None:
        """Watch the line, which the contact pulls to GND. Whoever overrides it calls `super().setup()`."""
        self.line = self.watch(contact_to_ground(self.pin, self.bounce_s))

    @property
    def closed(self) -> bool:
        """Whether the contact is closed now."""
        return bool(self.line.is_active)

    def shows(self, *, closed: bool) -> Reading:
        """Return what a contact that is closed, or open, means: `{"open": not closed}`."""
        raise NotImplementedError(f"{type(self).__name__} has no shows(self, *, closed)")

    def on_edge(self, edge: Edge) -> Reading | None:
        """Report what the contact shows since the edge."""
        return self.shows(closed=edge.active)

    def read(self) -> Reading:
        """Report what the contact shows now."""
        return self.shows(closed=self.closed)


@dataclass(kw_only=True)
class CountingContact(Contact):
    """A contact that closes for a moment each time something happens. A subclass has a `read` of its own."""

    write_s: ClassVar[float] = 60.0  # least time between two writes of the count to the disk

    def setup(self) -> None:
        """Go on counting where the last run has stopped."""
        super().setup()
        self.count = self.keep("count", 0, self.write_s)

    def on_edge(self, edge: Edge) -> Reading | None:
        """Count when the contact closes; that it opens again says nothing."""
        if not edge.active:
            return None
        self.count.value += 1
        return self.read()
