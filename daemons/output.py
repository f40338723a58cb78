"""Whatever one line switches: a siren, a pump, a power supply."""

from dataclasses import dataclass
from typing import ClassVar

from bootstrap.plain_lines.switched_line import SwitchedLine
from bootstrap.proof import DRIVEN_LINES


@dataclass(kw_only=True)
class SwitchedOutput(SwitchedLine):
    """A line that is switched, and is in a state of its owner's choice when the sensor starts and when it stops.

    Wiring: IN to `pin`, VCC to 5V, GND to GND; 10 kohm from `pin` to GND, or to 3V3: so it is when its process dies.
    """

    safe: bool = False  # whether it is on when the sensor starts and when it stops
    parts: ClassVar = dict.fromkeys(("IRF520", "LR7843", "ULN2803"), DRIVEN_LINES)

    @property
    def rests_on(self) -> bool:
        """Whether it is on while nobody says otherwise."""
        return self.safe
