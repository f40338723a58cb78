"""An anemometer with cups."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from bootstrap import Limits, Measure, Reading
from bootstrap.plain_lines.turning_cups import TurningCups
from bootstrap.proof import DRIVEN_LINES


@dataclass(kw_only=True)
class Anemometer(TurningCups):
    """Cups that close a reed contact as they turn, once or several times a round.

    Wiring: one wire to `pin`, the other to GND. The Pi's own pull-up does the rest.
    """

    factor: Annotated[float, Limits(0.001, 100)] = 0.667  # m/s at one pulse a second, such as 1.006 for a Davis 6410

    parts: ClassVar = dict.fromkeys(("WH-SP-WS01", "SEN-15901", "Davis 6410"), DRIVEN_LINES)
    shown_as: ClassVar = {"wind_avg": "wind_speed", "wind_max": "wind_speed"}

    wind_avg = Measure("m/s", low=0, high=90)  # Davis 6410, data sheet: up to 89 m/s
    wind_max = Measure("m/s", low=0, high=110)  # the strongest gust since the reading before

    def read(self) -> Reading:
        """Return the wind since the reading before, and its strongest gust."""
        wind, gust = (round(self.factor * pulses, 2) for pulses in self.per_second())
        return {"wind_avg": wind, "wind_max": gust}
