"""The base class of fans: a speed, what it is when nobody cares, and perhaps a tacho."""

from dataclasses import dataclass
from typing import Annotated, Literal

from bootstrap.contract.commands import number
from bootstrap.contract.payload import Json
from bootstrap.device import Measure, Reading, takes
from bootstrap.limits import Limits
from bootstrap.needs import Input
from bootstrap.plain_lines.modulated_line import ModulatedLine
from bootstrap.plain_lines.tacho import Tacho


@dataclass(kw_only=True)
class FanLine(ModulatedLine):
    """A line that gives a fan its speed. It rests at full speed, if its owner does not say otherwise."""

    safe: Literal["full", "off"] = "full"  # when the sensor starts and stops: what cools something must not stop
    lowest: Annotated[float, Limits(0, 100)] = 0.0  # per cent below which it would not turn, such as 20: less is off
    tacho: Input | None = None  # the line of its tacho, such as 27, if it has one
    pulses: Annotated[int, Limits(1, 12)] = 2  # of the tacho in one turn

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
        return {**super().read(), **self.turning.reading(driven=self.percent > 0)}
