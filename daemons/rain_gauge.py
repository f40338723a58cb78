"""A rain gauge."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from bootstrap import Limits, Measure, Reading, Seconds
from bootstrap.contact import CountingContact
from bootstrap.proof import DRIVEN_LINES


@dataclass(kw_only=True)
class RainGauge(CountingContact):
    """A tipping bucket, whose magnet closes a reed contact for a moment at each tip. Its count survives a restart.

    Wiring: one wire to `pin`, the other to GND. The Pi's own pull-up does the rest.
    """

    bounce_s: Seconds = 0.02
    mm_per_tip: Annotated[float, Limits(0.01, 10)] = 0.2794  # millimetres of rain at which it tips, such as 0.2

    parts: ClassVar = dict.fromkeys(("WH-SP-RG", "SEN-15901", "Davis 6464", "Davis 6466"), DRIVEN_LINES)
    write_s: ClassVar = 1.0  # tips are so few that an SD card does not mind: a power cut costs none

    rain = Measure("mm", low=0, counter=True)  # since it is there

    def read(self) -> Reading:
        """Return all the rain so far."""
        return {"rain": round(self.count.value * self.mm_per_tip, 4)}
