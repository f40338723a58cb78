"""An anemometer with cups."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from bootstrap import Device, Input, Limits, Measure, NoReading, Reading, Seconds
from bootstrap.proof import DRIVEN_LINES
from bootstrap.pulse_rate import PulseRate

GUST_S = 3.0  # over which a gust is averaged (WMO, Guide to Instruments and Methods of Observation, wind)


@dataclass(kw_only=True)
class Anemometer(Device):
    """Cups that close a reed contact as they turn, once or several times a round.

    Wiring: one wire to `pin`, the other to GND. The Pi's own pull-up does the rest.
    """

    pin: Input
    factor: Annotated[float, Limits(0.001, 100)] = 0.667  # m/s at one pulse a second, such as 1.006 for a Davis 6410
    bounce_s: Seconds = 0.005  # seconds the contact must be stable before a change counts

    parts: ClassVar = dict.fromkeys(("WH-SP-WS01", "SEN-15901", "Davis 6410"), DRIVEN_LINES)
    shown_as: ClassVar = {"wind_avg": "wind_speed", "wind_max": "wind_speed"}

    wind_avg = Measure("m/s", low=0, high=90)  # Davis 6410, data sheet: up to 89 m/s
    wind_max = Measure("m/s", low=0, high=110)  # the strongest gust since the reading before

    def setup(self) -> None:
        """Count the pulses of the time between two readings."""
        self.pulses = PulseRate(max(self.every_s, GUST_S), self.bounce_s)
        self.context.edges(self.pin, self.pulses.on_edges, pull_up=True)

    def read(self) -> Reading:
        """Return the wind since the reading before; nothing before there was time for a gust."""
        if (known_s := self.pulses.known_s) < GUST_S:
            raise NoReading
        wind, gust = self.pulses.per_second(known_s), self.pulses.highest(GUST_S)
        return {"wind_avg": round(self.factor * wind, 2), "wind_max": round(self.factor * gust, 2)}
