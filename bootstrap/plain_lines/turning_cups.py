"""The base class of anemometers: cups that close a contact as they turn."""

from dataclasses import dataclass

from bootstrap.device import Device, Seconds
from bootstrap.errors import NoReading
from bootstrap.needs import Input
from bootstrap.plain_lines.pulse_rate import PulseRate

GUST_S = 3.0  # over which a gust is averaged (WMO, Guide to Instruments and Methods of Observation, wind)


@dataclass(kw_only=True)
class TurningCups(Device):
    """A contact between a line and GND that closes as often as it is windy."""

    pin: Input
    bounce_s: Seconds = 0.005  # seconds the contact must be stable before a change counts

    def setup(self) -> None:
        """Count the pulses between two readings."""
        self.pulses = PulseRate(max(self.every_s, GUST_S), self.bounce_s)
        self.context.edges(self.pin, self.pulses.on_edges, pull_up=True)

    def per_second(self) -> tuple[float, float]:
        """Return how often it has closed a second since the reading before: on average, and in the strongest gust.

        Raises:
            NoReading: there was no time for a gust yet.
        """
        if (known_s := self.pulses.known_s) < GUST_S:
            raise NoReading
        return self.pulses.per_second(known_s), self.pulses.highest(GUST_S)
