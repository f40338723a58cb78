"""The time after power-up in which a sensor measures nothing true yet."""

from time import monotonic

from bootstrap.errors import NoReading


class WarmUp:
    """Tells whether a sensor has been powered for long enough.

    What powers the machine powers a sensor on its pins, so at first it counts from the machine's start; after the
    sensor has been silent, from its first answer, since somebody may have unplugged it.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._since: float | None = 0.0  # monotonic, which counts from the machine's start; None while it is silent

    def silent(self) -> None:
        """Note that it has not answered."""
        self._since = None

    def begin(self) -> None:
        """Note that it has just been started."""
        self._since = monotonic()

    def answered(self) -> None:
        """Note that it has answered.

        Raises:
            NoReading: what it answers counts for nothing yet.
        """
        if self._since is None:
            self.begin()
        if self.lasts:
            raise NoReading

    @property
    def lasts(self) -> bool:
        """Whether it answers, and has been powered for too short a time."""
        return self._since is not None and monotonic() < self._since + self._seconds
