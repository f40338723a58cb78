"""A motion sensor."""

from dataclasses import dataclass
from typing import ClassVar

from bootstrap import Measure, Reading
from bootstrap.plain_lines.held_signal import HeldSignal
from bootstrap.proof import DRIVEN_LINES


@dataclass(kw_only=True)
class Motion(HeldSignal):
    """A PIR sensor, such as an HC-SR501.

    Wiring: VCC to 5V, GND to GND, OUT to `pin` (its output is 3.3 V). Give it a minute to warm up.
    """

    parts: ClassVar = dict.fromkeys(("HC-SR501", "HC-SR505", "AM312", "RCWL-0516"), DRIVEN_LINES)

    motion = Measure(bool)

    def shows(self, *, active: bool) -> Reading:
        """Report motion while the sensor notices it, and for `hold_s` afterwards."""
        return {"motion": active}
