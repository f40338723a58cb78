"""A door or window contact."""

from dataclasses import dataclass
from typing import ClassVar

from bootstrap import Contact, Measure, Reading
from bootstrap.proof import DRIVEN_LINES


@dataclass(kw_only=True)
class Door(Contact):
    """A reed contact, which closes while its magnet is near.

    Wiring: one leg to `pin`, the other to GND. The Pi's own pull-up does the rest.
    """

    parts: ClassVar = {"reed contact": DRIVEN_LINES, "MC-38": DRIVEN_LINES, "KY-021": DRIVEN_LINES}

    shown_as: ClassVar = {"open": "door"}
    open = Measure(bool)

    def shows(self, *, closed: bool) -> Reading:
        """Report an open door while the magnet is away."""
        return {"open": not closed}
