"""Finding what a broker still retains from sensors, measures and announcements that are gone."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from bootstrap.config.model import SensorSettings
from bootstrap.contract.liveness import ENDED, is_alive
from bootstrap.contract.payload import decode
from bootstrap.contract.topics import Kind, Topics, is_id
from bootstrap.errors import Refused
from bootstrap.homeassistant.announcement import NAME
from bootstrap.outbox.folder import outboxes
from bootstrap.runtime.run_record import RunRecord
from penates.fleet.fleet_view import FleetView, SeenSensor


@dataclass(frozen=True)
class OwnSensors:
    """This house's sensors by client id, its groups, its host, its Home Assistant prefix, and what once ran here.

    Attributes:
        past: by client id, whatever its group, the topics on which a sensor was announced that ran on this machine.
    """

    sensors: Mapping[str, SensorSettings]
    groups: Collection[str]
    host: str
    prefix: str
    past: Mapping[str, Collection[str]] = field(default_factory=dict)


def ran_here(state: Path) -> dict[str, Collection[str]]:
    """Return the sensors that have a folder below the state folder, each with the topics on which it was announced."""
    found: dict[str, Collection[str]] = {}
    with suppress(OSError):  # there is none, or we may not read it
        for folder in sorted(outboxes(state)):
            group, _, sensor = folder.name.partition(".")
            if is_id(group) and is_id(sensor):
                found[Topics(group, sensor).client_id] = RunRecord.read(folder).announced
    return found


@dataclass
class Leftovers:
    """Topics to clear, in order, each with the reason; and lines about what is left alone, for people."""

    clear: dict[str, str] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)


def find(held: Mapping[str, bytes], own: OwnSensors, named: Collection[str], now: float) -> Leftovers:
    """Find what to clear of what the broker holds. `named` are sensors declared gone; `now` is `time.monotonic()`."""
    found = Leftovers()
    view, topics = _seen(held, own, {*own.past, *named}, now)
    gone = set()
    for client_id in topics.keys() - own.sensors.keys():
        if why := _why_left(view.sensors[client_id], own, named, now):
            found.left.append(f"{client_id} {why}")
        else:
            gone.add(client_id)
    found.left += [f"{client_id} has a file in devices/" for client_id in named if client_id in own.sensors]
    there = {*topics, *own.sensors, *(client_id for _, client_id in _announcers(held))}
    found.left += [f"{name} is not on the broker" for name in named if name not in there]
    known = {*own.past, *named, *own.sensors}
    found.left += _strangers(held, own, known)
    found.left.sort()
    found.clear.update(_announcements(held, own, topics.keys() - gone, known))
    found.clear.update({topic: f"{client_id} is gone" for client_id in sorted(gone) for topic in topics[client_id]})
    for client_id in sorted(topics.keys() & own.sensors.keys()):
        found.clear.update(_own_leftovers(own.sensors[client_id], view.sensors[client_id], topics[client_id]))
    return found


def _seen(
    held: Mapping[str, bytes], own: OwnSensors, others: Collection[str], now: float
) -> tuple[FleetView, dict[str, list[str]]]:
    """Return a view of the sensors of our groups and of these others, and the topics of each."""
    view, topics = FleetView(), dict[str, list[str]]()
    for topic in sorted(held):
        group, _, rest = topic.partition("/")
        client_id = f"{group}/{rest.partition('/')[0]}"
        if (group in own.groups or client_id in others) and held[topic]:
            list(view.receive(topic, held[topic], retained=True, at=now))
            if client_id in view.sensors:
                topics.setdefault(client_id, []).append(topic)
    return view, topics


def _why_left(sensor: SeenSensor, own: OwnSensors, named: Collection[str], now: float) -> str:
    """Return why a sensor without a file here is left alone, or empty text if it is gone."""
    client_id, host = sensor.topics.client_id, sensor.about.get("host")
    state = sensor.state or "without a state"
    where = f"on {host}" if isinstance(host, str) else "on an unknown host"
    if is_alive(sensor.state, sensor.beat_age_s(now), sensor.heartbeat_s):
        return f"is alive: {state}, {where}"
    if client_id in named or (host == own.host and sensor.state in ("", *ENDED)):
        return ""
    return f"is {state}, {where}; if it is gone: --gone {client_id}"


def _own_leftovers(settings: SensorSettings, sensor: SeenSensor, topics: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield what to clear of our own sensor: measures in neither its file nor its messages, and retained commands."""
    measured = {*settings.measures, *(() if sensor.state in ENDED else sensor.measures)}
    for topic in topics:
        kind, name = topic.split("/")[2:]
        if kind == Kind.DATA and name not in measured:
            yield topic, f"{sensor.topics.client_id} has no such measure"
        elif kind == Kind.ACTION:
            yield topic, "a retained command, which is never executed"


def _announcers(held: Mapping[str, bytes]) -> Iterator[tuple[str, str]]:
    """Yield each topic on which penates has announced a sensor, and the client id of that."""
    for topic in sorted(held):
        if topic.endswith("/config") and (client_id := _announced(held[topic])):
            yield topic, client_id


def _strangers(held: Mapping[str, bytes], own: OwnSensors, known: Collection[str]) -> Iterator[str]:
    """Yield lines about announced sensors of other groups: of another house, or of this one under an earlier name."""
    for topic, client_id in _announcers(held):
        if client_id.partition("/")[0] not in own.groups and client_id not in known:
            yield f"{client_id} is announced on {topic}, in another group; if it is gone: --gone {client_id}"


def _announcements(
    held: Mapping[str, bytes], own: OwnSensors, present: Collection[str], known: Collection[str]
) -> Iterator[tuple[str, str]]:
    """Yield announcements to clear: those of sensors that are gone, and those on a topic that is not the sensor's."""
    for topic, client_id in _announcers(held):
        if client_id.partition("/")[0] not in own.groups and client_id not in known:
            continue
        settings = own.sensors.get(client_id)
        if settings is None:
            if client_id not in present:
                yield topic, f"announces {client_id}, which is gone"
        elif not settings.homeassistant.enabled or topic != settings.homeassistant.topic(settings.topics):
            yield topic, f"announces {client_id}, which is no longer announced here"


def _announced(payload: bytes) -> str | None:
    """Return the client id of the sensor that penates announced with this payload, or None."""
    try:
        match decode(payload):
            case {"o": {"name": "penates"}, "dev": {"ids": [str(identity), *_]}}:
                return identity.removeprefix(f"{NAME}/")
    except Refused:
        pass
    return None
