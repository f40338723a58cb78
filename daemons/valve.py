"""A valve."""

from dataclasses import dataclass
from typing import ClassVar

from bootstrap import Json, Measure, Reading, takes
from bootstrap.plain_lines.limited_line import LimitedLine
from bootstrap.proof import DRIVEN_LINES


@dataclass(kw_only=True)
class Valve(LimitedLine):
    """A valve that is open while it has power, and for a limited time: irrigation, a tank, a zone of a heating.

    Wiring: the relay board's IN to `pin`, VCC to 5V, GND to GND; 10 kohm from `pin` to GND (to 3V3 when it is
    switched by 0), because a line floats when its process dies. Take one that closes by its spring without power.
    """

    parts: ClassVar = dict.fromkeys(("solenoid valve", "irrigation valve"), DRIVEN_LINES)
    shown_as: ClassVar = {"resting": "mdi:timer-sand"}
    open = Measure(bool)

    @takes("open", "close", sets="open", keys=("state", "for_s"), once=("open",), control="valve")
    def act_set(self, value: Json) -> Reading:
        """Accept `open`, for at most `longest_s`, `{"state": "open", "for_s": 600}`, and `close`, always."""
        return self.command(value, on="open")

    def shows(self, *, on: bool) -> Reading:
        """Report a valve that has power as open."""
        return {"open": on}
