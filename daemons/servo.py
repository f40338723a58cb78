"""A servo."""

from dataclasses import dataclass
from typing import ClassVar

from bootstrap.plain_lines.servo_line import ServoLine
from bootstrap.proof import DRIVEN_LINES


@dataclass(kw_only=True)
class Servo(ServoLine):
    """A servo, which turns to an angle and is then released: without pulses it neither holds nor hums.

    Wiring: orange or white to `pin`, brown or black to GND; red to a supply of its own of 5 V, whose minus shares our
    GND: a servo that starts takes more than a Pi's pin gives.
    """

    parts: ClassVar = dict.fromkeys(("SG90", "MG90S", "MG995", "MG996R", "DS3218"), DRIVEN_LINES)
