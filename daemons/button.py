"""A push button."""

from dataclasses import dataclass
from typing import ClassVar

from bootstrap.plain_lines.clicked_contact import ClickedContact
from bootstrap.proof import DRIVEN_LINES


@dataclass(kw_only=True)
class Button(ClickedContact):
    """A push button that tells clicks from holds.

    Wiring: one leg to `pin`, the other to GND. The Pi's own pull-up does the rest.
    """

    parts: ClassVar = {"push button": DRIVEN_LINES, "KY-004": DRIVEN_LINES}
