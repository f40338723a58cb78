"""How fast a fan turns, by the pulses of its tacho."""

import time

from bootstrap.device import Device, Failure
from bootstrap.plain_lines.pulse_rate import PulseRate

WITHIN_S = 2.0  # pulses of this time are counted: a fan that turns at all has more than two
START_S = 5.0  # after which a fan that was switched on must turn


class Tacho:
    """The tacho of a fan, on a line that it pulls to GND a few times a turn."""

    def __init__(self, device: Device, line: int | None, pulses: int) -> None:
        """Count `pulses` for a turn; without a line there is nothing to tell."""
        self._line, self._pulses, self._rate = line, pulses, PulseRate(WITHIN_S)
        self._on_since = time.monotonic()
        if line is not None:
            device.context.edges(line, self._rate.on_edges, pull_up=True)

    def begin(self) -> None:
        """Take note that the fan was switched on just now."""
        self._on_since = time.monotonic()

    def reading(self, *, driven: bool) -> dict[str, float | OSError | ValueError]:
        """Return `rpm`, or why there is none; nothing while the fan begins to turn, or without a line."""
        if self._line is None:
            return {}
        rpm: float | Failure = round(60 * self._rate.frequency(WITHIN_S) / self._pulses)
        if driven and not rpm:
            if time.monotonic() - self._on_since < START_S:
                return {}
            rpm = OSError(f"no pulse of the tacho on GPIO{self._line}: the fan is blocked, or not connected")
        return {"rpm": rpm}
