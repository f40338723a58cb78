"""A motion sensor."""

from dataclasses import dataclass
from typing import ClassVar

from gpiozero import DigitalInputDevice

from bootstrap import Device, Edge, Input, Measure, Reading, Seconds
from bootstrap.proof import DRIVEN_LINES


@dataclass(kw_only=True)
class Motion(Device):
    """A PIR sensor, such as an HC-SR501.

    Wiring: VCC to 5V, GND to GND, OUT to `pin` (its output is 3.3 V). Give it a minute to warm up.
    """

    parts: ClassVar = dict.fromkeys(("HC-SR501", "HC-SR505", "AM312", "RCWL-0516"), DRIVEN_LINES)

    pin: Input
    hold_s: Seconds = 30.0  # seconds without movement after which motion ends

    motion = Measure(bool)

    def setup(self) -> None:
        """Watch the line, which the sensor drives high."""
        self.sensor = self.watch(DigitalInputDevice(self.pin, pull_up=False))

    def on_edge(self, edge: Edge) -> Reading | None:
        """Report motion at once, and its end after `hold_s`."""
        if edge.active:
            return None if self.cancel("end") else {"motion": True}
        self.after(self.hold_s, self.read, name="end")
        return None

    def read(self) -> Reading:
        """Return whether there is motion now, or was within `hold_s`."""
        return {"motion": bool(self.sensor.is_active) or self.waits_for("end")}
