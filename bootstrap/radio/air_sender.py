"""A transmitter: sends one frame after the other, counts its time on the air, and refuses what is too much."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from bootstrap.device import Reading
from bootstrap.errors import Refused
from bootstrap.gateway import Gateway
from bootstrap.pins.pulse_frame import Frame
from bootstrap.pins.pulse_line import PulseSender, Sent
from bootstrap.radio.airtime import Airtime

MOST_WAITING = 20
INEXACT = "pulses"  # a problem's name
Then = Callable[[bool], None]


class AirSender:
    """Sends the frames of one transmitter."""

    def __init__(self, gateway: Gateway, sender: PulseSender, airtime: Airtime, air: Path) -> None:
        """`air` is a file that all transmitters of a band lock in turn, so that no two send at once."""
        self._gateway, self._sender, self.airtime, self._air = gateway, sender, airtime, air
        self._waiting = 0
        self.sent = self.refused = 0
        self._last: Sent | None = None

    def send(self, frame: Frame, then: Then) -> None:
        """Send a frame as soon as the air is free; then call `then` with whether it was sent.

        Raises:
            Refused: too much was sent in the last hour, or too much waits.
        """
        reserved = frame.repeats * frame.on_air_us / 1e6
        try:
            self._admit(reserved)
        except Refused:
            self.refused += 1
            then(False)
            raise
        done, failed = partial(self._done, reserved, frame, then), partial(self._failed, reserved, then)
        self._gateway.ask(partial(self._sender.send, frame), done, failed, self._air)

    def _admit(self, seconds: float) -> None:
        """Count a transmission as waiting. Refused: it would be too much."""
        if self._waiting >= MOST_WAITING:
            raise Refused(f"{self._waiting} transmissions wait already")
        self.airtime.reserve(seconds)
        self._waiting += 1

    def _done(self, reserved: float, frame: Frame, then: Then, sent: Sent) -> Reading:
        self._waiting -= 1
        self.airtime.count(reserved, sent.on_air_s)
        self.sent += 1
        self._last = sent
        late = (
            f"none of {sent.repeats} repeats was exact: pulses of {frame.shortest_us} µs, wrong by {sent.error_us} µs"
        )
        why = f"{late}; the kernel keeps better time, see docs/RADIO_SOCKETS.md"
        self._gateway.context.set_problem(INEXACT, None if sent.exact else why)
        then(sent.repeats > 0)
        return self.reading()

    def _failed(self, reserved: float, then: Then, error: OSError | ValueError) -> Reading:
        self._waiting -= 1
        self.airtime.count(reserved, 0.0)
        then(False)
        raise error

    def reading(self) -> Reading:
        """Return what it has sent, and how exactly."""
        found = {"sent": self.sent, "refused": self.refused, "airtime": round(self.airtime.used_s, 3)}
        if self._last is None:
            return found
        error = {} if self._last.error_us is None else {"pulse_error": round(self._last.error_us, 1)}
        return {**found, **error, "timing": self._last.by}

    def stop(self) -> None:
        """End what is being sent."""
        self._sender.stop()
