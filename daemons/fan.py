"""A fan."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from bootstrap import Input, Json, Limits, Measure, Reading, takes
from bootstrap.contract.commands import number
from bootstrap.plain_lines.modulated_line import ModulatedLine
from bootstrap.plain_lines.tacho import Tacho
from bootstrap.proof import DRIVEN_LINES


@dataclass(kw_only=True)
class Fan(ModulatedLine):
    """A fan behind a MOSFET, or one with a PWM input. It runs at full speed when the sensor stops, or as set.

    Wiring: the MOSFET's gate or the fan's PWM to `pin`, its GND to GND, its tacho to `tacho`; 10 kohm from `pin` to 3V3
    (to GND if it is to stop), because a line floats when its process dies. Behind a MOSFET a tacho tells the truth at
    100 % only: it has no power in between. A fan's own PWM input is made for 25 kHz; try whether it takes this.
    """

    safe: Literal["full", "off"] = "full"  # when the sensor starts and stops: what cools something must not stop
    lowest: Annotated[float, Limits(0, 100)] = 0.0  # per cent below which it would not turn, such as 20: less is off
    tacho: Input | None = None  # the line of its tacho, such as 27, if it has one
    pulses: Annotated[int, Limits(1, 12)] = 2  # of the tacho in one turn

    parts: ClassVar = dict.fromkeys(("IRLZ44N", "IRF520", "3-wire fan", "4-wire fan"), DRIVEN_LINES)
    shown_as: ClassVar = {"level": "mdi:fan", "rpm": "mdi:fan"}

    rpm = Measure("rpm", low=0, high=30_000)

    @property
    def rests_at(self) -> float:
        """At how many per cent it is while nobody says otherwise."""
        return 100.0 if self.safe == "full" else 0.0

    def setup(self) -> None:
        """Own the line, and count the tacho's pulses."""
        super().setup()
        self.turning = Tacho(self, self.tacho, self.pulses)

    @takes(sets="level", unit="%", low=0, high=100, keys=("level",))
    def act_set(self, value: Json) -> Reading:
        """Accept per cent of full speed; 0 stops it."""
        level = number(value, "level")
        if not self.percent:
            self.turning.begin()
        self.set_level(level if level >= self.lowest else 0.0)
        return {"level": self.percent}

    def read(self) -> Reading:
        """Return how much of the time it has power, and how fast it turns."""
        return {"level": self.percent, **self.turning.reading(driven=self.percent > 0)}
