"""How fast a fan runs at a temperature."""

from dataclasses import dataclass

FULL = 100.0  # per cent


@dataclass(frozen=True)
class FanCurve:
    """A straight line from `lowest` per cent at `starts_c` to full speed at `full_c`, both in °C.

    A fan that runs goes on at `lowest` until it is `hysteresis_c` colder than `starts_c`, so that it does not start and
    stop all the time.
    """

    starts_c: float
    full_c: float
    hysteresis_c: float
    lowest: float

    def level(self, celsius: float, *, running: bool) -> float:
        """Return the per cent of full speed at a temperature."""
        if celsius >= self.full_c:
            return FULL
        if celsius >= self.starts_c:
            return self.lowest + (FULL - self.lowest) * (celsius - self.starts_c) / (self.full_c - self.starts_c)
        return self.lowest if running and celsius > self.starts_c - self.hysteresis_c else 0.0
