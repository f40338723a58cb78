"""What the loop lends a device, and takes back."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bootstrap.config import Settings
from bootstrap.connection import Hello
from bootstrap.deadletters import DeadLetters
from bootstrap.device import Device, Reading
from bootstrap.errors import Exit, Fatal
from bootstrap.loop import Loop, Timer
from bootstrap.message import Message
from bootstrap.pins import Pins, no_pins
from bootstrap.sockets import Inbox, Sockets

if TYPE_CHECKING:
    from bootstrap.intake import Intake, Take


def history_folder(settings: Settings) -> Path:
    """Where a sensor keeps what the broker has not got."""
    return settings.folders.state / "history" / settings.topics.file_name


class Hearing:
    """What others say, for the one device that wants to hear it."""

    def __init__(self, settings: Settings, sockets: Sockets, inbox: Inbox) -> None:
        self._settings, self._sockets, self._inbox = settings, sockets, inbox
        self.state, self.folder = settings.folders.state, history_folder(settings)
        self._letters = DeadLetters(self.folder)
        self._intakes = ExitStack()
        self.begun = False  # whether anything is heard

    def hear(self, filters: Sequence[str], take: "Take", retained: Sequence[str] = ()) -> "Intake":
        """See `Device.hear`. Of all devices one hears: the others need not carry it about."""
        from bootstrap.intake import Intake, Source  # noqa: PLC0415

        address = self._settings.address
        client_id = f"{self._settings.topics.client_id}/history"

        def hello() -> Hello:
            return replace(address.hello(), client_id=client_id, will=None)

        source = Source(address, hello, filters, retained, self.folder / "subscriptions.json")
        intake = Intake(self._sockets, self._inbox, source, take)
        self._intakes.callback(intake.close)
        self.begun = True
        return intake

    def bury(self, topic: str, payload: bytes, reason: str) -> None:
        """See `Tools.bury`."""
        self._letters.add(Message(topic, payload), reason)

    def close(self) -> None:
        """Hear no more."""
        self._intakes.close()


class Bench:
    """What one device is lent."""

    def __init__(
        self, loop: Loop, pins: Pins, publish: Callable[[Callable[[], Reading | None]], None], hearing: Hearing
    ) -> None:
        self._loop, self._publish, self.hearing = loop, publish, hearing
        self.watch, self.own = pins.watch, pins.own
        self.hear, self.bury = hearing.hear, hearing.bury
        self.state, self.folder = hearing.state, hearing.folder

    def after(self, seconds: float, call: Callable[[], Reading | None]) -> Timer:
        """Call once, later, and publish what it returns."""
        return self._loop.after(seconds, lambda: self._publish(call))


def set_up(device: Device) -> None:
    """Run the device's setup; settings of pins that cannot be are no bug of the device (Fatal)."""
    try:
        device.setup()
    except Exception as error:
        if why := no_pins(error):
            raise Fatal(Exit.SETTINGS, why) from None
        raise
