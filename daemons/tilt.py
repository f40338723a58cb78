"""A tilt switch."""

from dataclasses import dataclass
from typing import ClassVar

from bootstrap import Contact, Measure, Reading, Seconds
from bootstrap.proof import DRIVEN_LINES


@dataclass(kw_only=True)
class Tilt(Contact):
    """A ball switch, which is closed while it stands upright.

    Wiring: one leg to `pin`, the other to GND. The Pi's own pull-up does the rest.
    """

    bounce_s: Seconds = 0.1

    parts: ClassVar = dict.fromkeys(("SW-520D", "KY-020"), DRIVEN_LINES)

    tilted = Measure(bool)

    def shows(self, *, closed: bool) -> Reading:
        """Report a tilted switch while it is open."""
        return {"tilted": not closed}
