"""A dimmer."""

from dataclasses import dataclass
from typing import ClassVar

from bootstrap.plain_lines.fading_line import FadingLine
from bootstrap.proof import DRIVEN_LINES


@dataclass(kw_only=True)
class Dimmer(FadingLine):
    """An LED, or an LED strip behind a MOSFET. It is dark when the sensor starts and when it stops.

    Wiring: the MOSFET's gate or TRIG to `pin`, its GND to GND; 10 kohm from `pin` to GND, because a line floats when
    its process dies. The strip is between its own supply and the MOSFET's drain, and that supply shares our GND. In
    software the process keeps the time: on a Pi that is busy it may flicker, but never at 0 and 100 %.
    """

    parts: ClassVar = dict.fromkeys(("IRLZ44N", "IRF520", "LR7843", "LED strip", "KY-016"), DRIVEN_LINES)
