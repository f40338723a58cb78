"""A heater."""

from dataclasses import dataclass
from typing import ClassVar

from bootstrap import Json, Measure, Reading, takes
from bootstrap.plain_lines.limited_line import LimitedLine
from bootstrap.proof import DRIVEN_LINES


@dataclass(kw_only=True)
class Heater(LimitedLine):
    """A heater that is on for a limited time. It must have a thermostat and a thermal fuse of its own: relays weld.

    Wiring: the relay board's IN to `pin`, VCC to 5V, GND to GND; 10 kohm from `pin` to GND (to 3V3 when it is
    switched by 0), because a line floats when its process dies. The relay's contact is in series with the heater's own
    thermostat and its own thermal fuse, for contacts that are welded stay closed, whatever this sensor says.
    """

    parts: ClassVar = dict.fromkeys(("heater", "immersion heater", "infrared heater"), DRIVEN_LINES)
    shown_as: ClassVar = {"resting": "mdi:timer-sand"}
    on = Measure(bool)

    @takes("on", "off", sets="on", keys=("state", "for_s"), once=("on",))
    def act_set(self, value: Json) -> Reading:
        """Accept `on`, for at most `longest_s`, `{"state": "on", "for_s": 600}`, and `off`, always."""
        return self.command(value, on="on")

    def shows(self, *, on: bool) -> Reading:
        """Report a heater that has power."""
        return {"on": on}
