"""A relay that is pressed like a button."""

from dataclasses import dataclass
from typing import ClassVar

from bootstrap.plain_lines.momentary_line import MomentaryLine
from bootstrap.proof import DRIVEN_LINES


@dataclass(kw_only=True)
class Relay(MomentaryLine):
    """A relay beside a push button, of a door opener, a bell or a boiler's reset. It is on for a moment, never longer.

    What moves when it is pressed, nobody sees from afar: for a garage door or a gate, see `cover`.

    Wiring: the relay board's IN to `pin`, VCC to 5V, GND to GND; 10 kohm from `pin` to GND (to 3V3 when it is
    switched by 0), because a line floats when its process dies.
    """

    parts: ClassVar = dict.fromkeys(("door opener", "push button relay", "impulse relay"), DRIVEN_LINES)
