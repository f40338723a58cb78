"""An adapter, and the devices of other makes that speak MQTT already."""

from dataclasses import dataclass
from typing import ClassVar

from bootstrap import Gateway, Measure, Reading
from bootstrap.adapter.adopted_device import AdoptedDevice
from bootstrap.proof import WRITTEN_MESSAGES


@dataclass(kw_only=True)
class Adapter(Gateway):
    """An adapter for devices that speak MQTT already, such as those of Zigbee2MQTT. It makes sensors of them.

    Wiring: none.
    """

    parts: ClassVar = dict.fromkeys(("Z-Wave", "Zigbee2MQTT", "Tasmota"), WRITTEN_MESSAGES)
    adopts: ClassVar = AdoptedDevice

    heard = Measure("1", counter=True)  # messages with a reading
    dropped = Measure("1", counter=True)  # values that came twice or too late

    def __post_init__(self) -> None:
        """Begin to count."""
        self.messages = self.copies = 0

    def count(self, *, heard: int = 0, dropped: int = 0) -> None:
        """Count what was heard of its devices."""
        self.messages += heard
        self.copies += dropped

    def read(self) -> Reading:
        """Return how much was heard."""
        return {"heard": self.messages, "dropped": self.copies}
