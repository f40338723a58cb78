"""Turn a servo: a pulse every 20 ms whose length says the angle, until it has arrived."""

from collections.abc import Callable
from functools import partial

from gpiozero import DigitalOutputDevice

from bootstrap.device import Device, Reading
from bootstrap.pins.lent_line import lend
from bootstrap.pins.pulse_frame import Frame
from bootstrap.pins.pulse_line import ChildSender, Sent

PERIOD_US = 20_000  # between two pulses


class ServoLine:
    """The line of a servo. It is low but for the pulses: without them a servo neither holds nor hums."""

    def __init__(self, device: Device, pin: int) -> None:
        """Own the line; the servo stays where it is."""
        self._device = device
        self._sender = ChildSender(lend(device.own(DigitalOutputDevice(pin))))

    def turn(self, pulse_us: float, seconds: float, arrived: Callable[[], Reading | None]) -> None:
        """Send pulses of this length for so many seconds, after those that are sent now; then call `arrived`."""
        frame = Frame((round(pulse_us), PERIOD_US - round(pulse_us)), round(1e6 * seconds / PERIOD_US))
        self._device.ask(partial(self._sender.send, frame), partial(self._sent, arrived), bus="servo")

    @staticmethod
    def _sent(arrived: Callable[[], Reading | None], _sent: Sent) -> Reading | None:
        return arrived()

    def stop(self) -> None:
        """End the pulses."""
        self._sender.stop()
