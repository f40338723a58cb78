"""A garage door, a gate, a shutter or an awning."""

from dataclasses import dataclass
from typing import ClassVar

from bootstrap.covers.cover_device import CoverDevice
from bootstrap.proof import DRIVEN_LINES


@dataclass(kw_only=True)
class Cover(CoverDevice):
    """A motor that opens and closes: a garage door, a gate, a shutter, an awning. docs/COVERS.md says who may close it.

    Wiring: IN1 to `opens`, IN2 to `closes`, VCC to 5V, GND to GND; 10 kohm from each line to GND (to 3V3 for boards
    that switch on at 0), because a line floats when its process dies. Relay 2 gets its supply through the NC contact of
    relay 1, so that both together turn nothing. Of an opener with one push button: a relay beside that, its IN on
    `button`. Contacts between `closed_contact`, `open_contact`, `obstruction`, `local` and GND; the Pi's own pull-ups
    do the rest.
    """

    parts: ClassVar = dict.fromkeys(("garage door", "gate opener", "roller shutter", "awning"), DRIVEN_LINES)
    shown_as: ClassVar = {"obstructed": "problem", "warning_on": "mdi:alarm-light", "needs_person": "problem"}
