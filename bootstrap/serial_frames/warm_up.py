"""The time after power-up in which a sensor measures nothing true yet."""

from time import monotonic

from bootstrap.errors import NoReading
from bootstrap.serial_frames.port_or_host import PortOrHost


class WarmUp:
    """Tells whether a sensor has been powered for long enough.

    What powers the machine powers a sensor on its pins, so there it counts from the machine's start. Elsewhere, and
    after the sensor has been silent, since somebody may have unplugged it, it counts from its first answer.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._since: float | None = None  # monotonic, which counts from the machine's start; None until it answers
        self._was_silent = False

    def silent(self) -> None:
        """Note that it has not answered."""
        self._since, self._was_silent = None, True

    def begin(self) -> None:
        """Note that it has just been started."""
        self._since = monotonic()

    def answered(self, port: PortOrHost) -> None:
        """Note that it has answered on this port.

        Raises:
            NoReading: what it answers counts for nothing yet.
        """
        if self._since is None:
            self._since = 0.0 if port.on_pins and not self._was_silent else monotonic()
        if self.lasts:
            raise NoReading

    @property
    def lasts(self) -> bool:
        """Whether it answers, and has been powered for too short a time."""
        return self._since is not None and monotonic() < self._since + self._seconds
