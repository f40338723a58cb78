"""What the makes of CO2 sensors have in common: a warm-up, and a setting that they may have forgotten."""

from bootstrap.device import Reading
from bootstrap.serial_frames.port_or_host import PortOrHost
from bootstrap.serial_frames.warm_up import WarmUp


class Co2Meter:
    """A sensor that is asked for its value. A subclass has `answer` and `meant`."""

    def __init__(self, steady_s: float, *, autocalibration: bool) -> None:
        """Count nothing that it answers before it has been powered for `steady_s` seconds."""
        self._calibrates = autocalibration
        self._told = False  # whether it knows that setting; it may forget it without power
        self._warm_up = WarmUp(steady_s)

    @property
    def warms_up(self) -> bool:
        """Whether it may have no value now."""
        return self._warm_up.lasts

    def read(self, port: PortOrHost) -> Reading:
        """Return what it measures; it raises what `Device.read` may."""
        try:
            answer = self.answer(port)
        except OSError:
            self._told = False
            self._warm_up.silent()
            raise
        self._warm_up.answered(port)
        return self.meant(answer)

    def answer(self, port: PortOrHost) -> bytes:
        """Return what it answers, and tell it the setting unless it knows that.

        Raises:
            OSError: it does not answer.
            ValueError: what comes is no answer.
        """
        raise NotImplementedError

    def meant(self, answer: bytes) -> Reading:
        """Return what an answer means. ValueError: the sensor reports a fault."""
        raise NotImplementedError
