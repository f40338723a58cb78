"""A gateway: a device that carries many sensors, such as a radio stick with the sensors that it hears."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, TypeAlias

from bootstrap.contract.payload import Json
from bootstrap.device import Device, Reading, Value

SensorKey: TypeAlias = Mapping[str, Value]  # the settings by which a sensor is told from others, such as {"id": 44}


@dataclass(kw_only=True)
class Adopted(Device):
    """The base class of the sensors that a gateway carries; its fields are the settings of their sections.

    Each is a sensor of its own on the broker. Its gateway publishes for it, so it needs no `read`: it becomes stale
    like any other after 3 times `every_s` without a value. One that has a `read` is read like any device.
    """

    identity: ClassVar[Sequence[str]] = ("id",)  # the settings by which the gateway knows it
    is_heard: ClassVar[bool] = True

    @property
    def key(self) -> dict[str, Value]:
        """The settings that make up its identity, with their values."""
        return {name: getattr(self, name) for name in self.identity}

    @property
    def gateway(self) -> Any:  # noqa: ANN401 - its author knows the class
        """The gateway's device; from `setup` on."""
        return self.adoption.gateway

    def join(self, adoption: "Adoption") -> None:
        """Keep what it shares with its gateway; called once, before `attach`."""
        self.adoption = adoption


class Adoption(Protocol):
    """What a gateway and its sensors know of each other."""

    @property
    def gateway(self) -> "Gateway":
        """The gateway's device."""

    @property
    def sensors(self) -> Mapping[str, Adopted]:
        """The adopted sensors, by name."""

    def find(self, key: SensorKey) -> Adopted | None:
        """Return the sensor that was adopted under this key."""

    def note_unknown(self, key: SensorKey, example: str, facts: Mapping[str, Json]) -> None:
        """Note that a sensor was heard that nobody has adopted."""

    def forget_unknown(self, key: SensorKey) -> None:
        """Remove a sensor from the list of those that nobody has adopted."""


@dataclass(kw_only=True)
class Gateway(Device):
    """The base class of gateways. Its file names its sensors in sections, such as `[sensors.alecto1]`.

    It is a sensor itself, with a topic, measures and a `read` of its own.
    """

    adopts: ClassVar[type[Adopted]]

    def join(self, adoption: Adoption) -> None:
        """Keep what it shares with its sensors; called once, before `attach`."""
        self.adoption = adoption

    @property
    def sensors(self) -> Mapping[str, Adopted]:
        """The adopted sensors, by name; from `setup` on. It changes when the file does."""
        return self.adoption.sensors

    def find(self, **key: Value) -> Adopted | None:
        """Return the adopted sensor with these settings as its `identity`, such as `find(id=44)`."""
        return self.adoption.find(key)

    def publish(self, sensor: Adopted, reading: Reading, at: float | None = None) -> None:
        """Publish a reading of an adopted sensor: made now, or at this time in seconds since 1970.

        Values that cannot be true are refused, and the state of that sensor alone becomes `fault`. While a sensor does
        not run, such as after a fault of its own, its readings are dropped.
        """
        if hasattr(sensor, "context"):
            sensor.context.publish(reading, None if at is None else round(at * 1_000_000))

    def unknown(self, key: SensorKey, example: str = "", **facts: Json) -> None:
        """List a sensor that was heard and that nobody has adopted on `status/unknown`.

        `key` has the settings by which it would be adopted; `example` shows what was heard of it, and `facts` are
        whatever else its entry tells.
        """
        self.adoption.note_unknown(key, example, facts)

    def no_longer_unknown(self, key: SensorKey) -> None:
        """Remove a sensor from that list. One that was adopted in the file is removed without it."""
        self.adoption.forget_unknown(key)
