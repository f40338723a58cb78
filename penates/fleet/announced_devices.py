"""Devices that announce themselves to Home Assistant, as an adapter can carry them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bootstrap.adapter.profile_lines import WireValue
from bootstrap.contract.payload import Json
from penates.fleet.announced_entity import AnnouncedEntity, with_long_names
from penates.fleet.announced_platforms import lines_of

PROFILE = "homeassistant"
MOST, MOST_ENTITIES = 500, 64
OURS = "penates"
TASMOTA = "tasmota/discovery"  # where Tasmota announces itself, to an integration of its own


@dataclass
class AnnouncedDevice:
    """A device by its announcement.

    Attributes:
        address: its own id.
        name: what people call it.
        entities: by the topic of the announcement, and the name in it.
    """

    address: str
    name: str
    entities: dict[str, AnnouncedEntity] = field(default_factory=dict)

    def lines(self) -> tuple[dict[str, Any], list[str]]:
        """Return the settings of its section, and what is not understood of it."""
        values, tells, there, unclear = dict[str, str](), list[str](), dict[str, None](), list[str]()
        for entity in self.entities.values():
            name = entity.name if entity.name not in values else entity.own_name
            try:
                more, commands = lines_of(entity, name)
                presences = [*entity.presences()]
                if more.keys() & values.keys():
                    raise ValueError("there are two")  # noqa: TRY301 - a reason like the others
            except ValueError as error:
                unclear.append(f"{entity.own_name}: {error}")
                continue
            values |= more
            there |= dict.fromkeys(presences)
            tells += commands
        lists = {"values": [*values.values()], "there": [*there], "tells": tells}
        return {name: one for name, one in lists.items() if one} | self._silence(), unclear

    @property
    def topics(self) -> set[str]:
        """The topics of its states, understood or not."""
        found = (one.says.get("state_topic") for one in self.entities.values())
        return {one for one in found if isinstance(one, str)}

    def _silence(self) -> dict[str, Any]:
        """Return how long nothing may come of it, if it says so of all that it measures."""
        spans = [one.says.get("expire_after") for one in self.entities.values() if "sensor" in one.platform]
        said = [one for one in spans if isinstance(one, int | float) and one > 0]
        return {"silent_s": max(said)} if said and len(said) == len(spans) else {}


class AnnouncedDevices:
    """What is announced below Home Assistant's prefix, but for sensors of penates."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._devices: dict[tuple[str, str], AnnouncedDevice] = {}  # by id, and by the program that announces it
        self._tasmota: dict[str, str] = {}  # names, by how their topics begin

    @property
    def filters(self) -> list[str]:
        """The topics of announcements: of a device or an entity, of an entity of a node, and of a Tasmota."""
        return [f"{self._prefix}/+/+/config", f"{self._prefix}/+/+/+/config", f"{TASMOTA}/+/config"]

    def is_one(self, topic: str) -> bool:
        """Return whether an announcement may be on this topic."""
        return topic.startswith((f"{self._prefix}/", f"{TASMOTA}/")) and topic.endswith("/config")

    def hear(self, topic: str, value: Json) -> None:
        """Take notice of an announcement."""
        if not isinstance(value, dict):
            return
        if topic.startswith(f"{TASMOTA}/"):
            self._hear_tasmota(value)
            return
        platform, *_, own = topic.removeprefix(f"{self._prefix}/").removesuffix("/config").split("/")
        says = with_long_names(value)
        device, origin = (with_long_names(_table(says.get(name))) for name in ("device", "origin"))
        address = _id(device) or own
        if origin.get("name") == OURS or address.startswith(f"{OURS}/"):
            return
        key = address, str(origin.get("name", ""))
        if key not in self._devices and len(self._devices) == MOST:
            return
        named = str(device.get("name") or own)
        found = self._devices.setdefault(key, AnnouncedDevice(address, named))
        for name, entity in _entities(platform, says, value.get("~")):
            if len(found.entities) < MOST_ENTITIES:
                found.entities[f"{topic} {name}"] = entity

    def _hear_tasmota(self, says: Mapping[str, Any]) -> None:
        """Take notice of a device by its full topic, its topic, and its three prefixes."""
        full, topic, prefixes = says.get("ft"), says.get("t"), says.get("tp")
        if isinstance(full, str) and isinstance(topic, str) and isinstance(prefixes, list):
            for one in prefixes[1:] if len(self._tasmota) < MOST else ():  # the first is that of commands
                begin = full.replace("%prefix%", str(one)).replace("%topic%", topic)
                self._tasmota[begin] = str(says.get("dn") or topic)

    def devices(self) -> Iterator[AnnouncedDevice]:
        """Yield them all."""
        yield from self._devices.values()

    def by_tasmota(self, topics: Iterable[str]) -> str | None:
        """Return the name of the Tasmota that says one of these topics, if it announces itself in its own way."""
        return next((name for one in topics for begin, name in self._tasmota.items() if one.startswith(begin)), None)


def _entities(platform: str, says: dict[str, Any], base: Json) -> Iterator[tuple[str, AnnouncedEntity]]:
    if platform != "device":
        yield "", AnnouncedEntity(platform, says)
        return
    shared = {name: one for name, one in says.items() if name not in ("components", "device", "origin")}
    for name, one in _table(says.get("components")).items():
        part = {"object_id": name, **shared, **with_long_names(_table(one), base)}
        if isinstance(part.get("platform"), str):
            yield name, AnnouncedEntity(part["platform"], part)


def _table(found: object) -> Mapping[str, Any]:
    return found if isinstance(found, dict) else {}


def _id(device: Mapping[str, Any]) -> str:
    """Return the first id of a device, or empty text."""
    found = device.get("identifiers")
    first = found[0] if isinstance(found, list) and found else found
    return str(first) if isinstance(first, str | int) and str(first).isprintable() else ""


def measures_of(settings: Mapping[str, Any]) -> list[str]:
    """Return the names of the values in such a section."""
    return [WireValue(line).name for line in settings.get("values", [])]
