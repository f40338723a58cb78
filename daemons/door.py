"""A door or window contact."""

from dataclasses import dataclass
from typing import ClassVar

from bootstrap import Contact, Measure, Reading


@dataclass(kw_only=True)
class Door(Contact):
    """A reed contact, which closes while its magnet is near.

    Wiring: one leg to `pin`, the other to GND. The Pi's own pull-up does the rest.
    """

    shown_as: ClassVar = {"open": "door"}
    open = Measure(bool)

    def shows(self, *, closed: bool) -> Reading:
        """Report an open door while the magnet is away."""
        return {"open": not closed}
