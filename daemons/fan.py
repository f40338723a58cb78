"""A fan."""

from dataclasses import dataclass
from typing import ClassVar

from bootstrap.plain_lines.fan_line import FanLine
from bootstrap.proof import DRIVEN_LINES


@dataclass(kw_only=True)
class Fan(FanLine):
    """A fan behind a MOSFET, or one with a PWM input; it may follow a temperature. It rests at full speed, or off.

    Wiring: the MOSFET's gate or the fan's PWM to `pin`, its GND to GND, its tacho to `tacho`; 10 kohm from `pin` to 3V3
    (to GND if it is to stop), because a line floats when its process dies. Behind a MOSFET a tacho tells the truth at
    100 % only: it has no power in between. A fan's own PWM input wants 25 kHz: `pin` 18, `pwm = "hardware"`.
    """

    parts: ClassVar = dict.fromkeys(("IRLZ44N", "IRF520", "3-wire fan", "4-wire fan"), DRIVEN_LINES)
    shown_as: ClassVar = {"level": "mdi:fan", "rpm": "mdi:fan", "mode": "mdi:fan-auto"}
