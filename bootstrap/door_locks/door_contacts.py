"""The contacts of a lock: one at its bolt, and perhaps one at the door."""

from bootstrap.contact import contact_to_ground
from bootstrap.device import Device


class DoorContacts:
    """Contacts between a line and GND, which the device watches from now on.

    Attributes:
        bolt: the gpiozero device of the bolt's.
        door: that of the door's, or None.
    """

    def __init__(
        self, device: Device, bolt: int, door: int | None, *, thrown_when_closed: bool, bounce_s: float
    ) -> None:
        self.bolt = device.watch(contact_to_ground(bolt, bounce_s))
        self.door = None if door is None else device.watch(contact_to_ground(door, bounce_s))
        self._thrown_when_closed = thrown_when_closed

    @property
    def is_thrown(self) -> bool:
        """Whether the bolt is thrown, as its contact says."""
        return bool(self.bolt.is_active) == self._thrown_when_closed

    @property
    def is_open(self) -> bool:
        """Whether the door is open; without a contact it counts as closed."""
        return self.door is not None and not self.door.is_active
