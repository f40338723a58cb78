"""A gateway and the sensors that it carries, as they know each other."""

from collections.abc import Callable, Mapping
from typing import Any

from bootstrap.contract.payload import Json
from bootstrap.device import Device
from bootstrap.eventloop.loop import Loop
from bootstrap.gateway import Adopted, Gateway, SensorKey
from bootstrap.runtime.reporter import Reporter
from bootstrap.runtime.unknown_sensors import UnknownSensors


class Adoptions:
    """Finds the devices of a gateway's sensors; it implements the `Adoption` protocol.

    It outlives each single device, which a reload replaces.
    """

    def __init__(self, gateway: Gateway, loop: Loop) -> None:
        self.gateway = gateway
        self.sensors: dict[str, Adopted] = {}
        self._by_key: dict[frozenset[tuple[str, object]], Adopted] = {}
        self.unknown = UnknownSensors(loop, self._publish_unknown)

    def find(self, key: SensorKey) -> Adopted | None:
        """Implement `Adoption.find`."""
        return self._by_key.get(frozenset(key.items()))

    def note_unknown(self, key: SensorKey, example: str, facts: Mapping[str, Json]) -> None:
        """Implement `Adoption.note_unknown`."""
        self.unknown.note(key, example, facts)

    def forget_unknown(self, key: SensorKey) -> None:
        """Implement `Adoption.forget_unknown`."""
        self.unknown.forget(key)

    def publish_by(self, reporter: Reporter, pump: Callable[[], None]) -> None:
        """Publish what nobody has adopted by the gateway's `reporter` from now on; `pump` sends it."""
        self._reporter, self._pump = reporter, pump

    def _publish_unknown(self, heard: Mapping[str, Any]) -> None:
        self._reporter.publish_status("unknown", heard)
        self._pump()

    def set_unusable(self, sections: Mapping[str, str]) -> None:
        """Show in the gateway's state which sections of its file cannot be used, and why."""
        self._reporter.set_problem("sections", "; ".join(sections.values()) or None)
        self._pump()

    def join(self, name: str, device: Device) -> None:
        """Let a device know the others; it replaces the one that had its place."""
        if isinstance(device, Gateway):
            self.gateway = device
        elif isinstance(device, Adopted):
            self.leave(name)
            self.sensors[name] = self._by_key[frozenset(device.key.items())] = device
            self.unknown.forget(device.key)
        if isinstance(device, Gateway | Adopted):
            device.join(self)

    def leave(self, name: str) -> None:
        """Forget a sensor."""
        if device := self.sensors.pop(name, None):
            self._by_key.pop(frozenset(device.key.items()), None)
