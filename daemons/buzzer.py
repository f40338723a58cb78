"""A buzzer."""

from dataclasses import dataclass
from typing import ClassVar

from bootstrap.plain_lines.sounding_line import SoundingLine
from bootstrap.proof import DRIVEN_LINES


@dataclass(kw_only=True)
class Buzzer(SoundingLine):
    """An active buzzer, which sounds while it has power. It is silent when the sensor starts and when it stops.

    Wiring: I/O to `pin`, VCC to 3V3, GND to GND; 10 kohm from `pin` to GND (to 3V3 when it sounds at 0), because a line
    floats when its process dies. One without a board takes 30 mA: it wants a transistor.
    """

    parts: ClassVar = dict.fromkeys(("KY-012", "MH-FMD", "TMB12A05"), DRIVEN_LINES)
