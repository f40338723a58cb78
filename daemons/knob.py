"""A rotary encoder."""

from dataclasses import dataclass
from typing import ClassVar

from bootstrap.plain_lines.encoder import Encoder
from bootstrap.proof import DRIVEN_LINES


@dataclass(kw_only=True)
class Knob(Encoder):
    """A knob that turns without an end, in steps that one feels; many can be pressed, too.

    Wiring: CLK to `clk`, DT to `dt`, + to 3V3, GND to GND; SW to `button`.
    """

    parts: ClassVar = dict.fromkeys(("KY-040", "EC11", "EC12"), DRIVEN_LINES)
    shown_as: ClassVar = {"turned": "mdi:knob", "position": "mdi:knob"}
