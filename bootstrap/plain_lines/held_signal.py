"""The base class of sensors that pull their line high while they notice something, such as motion."""

from dataclasses import dataclass

from gpiozero import DigitalInputDevice

from bootstrap.device import Device, Reading, Seconds
from bootstrap.needs import Input
from bootstrap.pins.edge import Edge

END = "end"  # the name of a timer


@dataclass(kw_only=True)
class HeldSignal(Device):
    """A line that a module drives high. What it says lasts `hold_s` longer, because most say it in bursts.

    A subclass declares its measure and has one method, `shows`.
    """

    pin: Input
    hold_s: Seconds = 30.0  # seconds without movement after which motion ends

    def setup(self) -> None:
        """Watch the line."""
        self.signal = self.watch(DigitalInputDevice(self.pin, pull_up=False))

    def shows(self, *, active: bool) -> Reading:
        """Return what a signal means: `{"motion": active}`."""
        raise NotImplementedError(f"{type(self).__name__} has no shows(self, *, active)")

    def on_edge(self, edge: Edge) -> Reading | None:
        """Report a signal at once, and its end after `hold_s`."""
        if edge.active:
            return None if self.cancel(END) else self.shows(active=True)
        self.after(self.hold_s, self.read, name=END)
        return None

    def read(self) -> Reading:
        """Return whether there is a signal now, or was within `hold_s`."""
        return self.shows(active=bool(self.signal.is_active) or self.waits_for(END))
