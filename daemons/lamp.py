"""A lamp, or anything else that a relay switches."""

from dataclasses import dataclass
from typing import ClassVar

from bootstrap.plain_lines.switched_line import SwitchedLine
from bootstrap.proof import DRIVEN_LINES


@dataclass(kw_only=True)
class Lamp(SwitchedLine):
    """A relay or a solid-state socket. It is off when the sensor starts and when it stops.

    Wiring: the relay board's IN to `pin`, VCC to 5V, GND to GND; 10 kohm from `pin` to GND (to 3V3 when it is
    switched by 0), because a line floats when its process dies.
    """

    parts: ClassVar = dict.fromkeys(("relay module", "SRD-05VDC-SL-C", "KY-019", "Fotek SSR-40DA"), DRIVEN_LINES)
