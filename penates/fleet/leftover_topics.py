"""Finding what a broker still retains from sensors, measures and announcements that are gone."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from bootstrap.config.model import SensorSettings
from bootstrap.contract.liveness import ENDED, is_alive
from bootstrap.contract.payload import decode
from bootstrap.contract.topics import Kind
from bootstrap.errors import Refused
from bootstrap.homeassistant.announcement import NAME
from penates.fleet.fleet_view import FleetView, SeenSensor


@dataclass(frozen=True)
class OwnSensors:
    """This house's sensors by client id, its groups, its host, and its Home Assistant prefix."""

    sensors: Mapping[str, SensorSettings]
    groups: Collection[str]
    host: str
    prefix: str


@dataclass
class Leftovers:
    """Topics to clear, in order, each with the reason; and lines about what is left alone, for people."""

    clear: dict[str, str] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)


def find(held: Mapping[str, bytes], own: OwnSensors, named: Collection[str], now: float) -> Leftovers:
    """Find what to clear of what the broker holds. `named` are sensors declared gone; `now` is `time.monotonic()`."""
    found = Leftovers()
    view, topics = _seen(held, own, now)
    gone = set()
    for client_id in topics.keys() - own.sensors.keys():
        if why := _why_left(view.sensors[client_id], own, named, now):
            found.left.append(f"{client_id} {why}")
        else:
            gone.add(client_id)
    found.left += [f"{client_id} has a file in devices/" for client_id in named if client_id in own.sensors]
    found.left += [f"{name} is not on the broker" for name in named if name not in {*topics, *own.sensors}]
    found.left.sort()
    found.clear.update(_announcements(held, own, topics.keys() - gone))
    found.clear.update({topic: f"{client_id} is gone" for client_id in sorted(gone) for topic in topics[client_id]})
    for client_id in sorted(topics.keys() & own.sensors.keys()):
        found.clear.update(_own_leftovers(own.sensors[client_id], view.sensors[client_id], topics[client_id]))
    return found


def _seen(held: Mapping[str, bytes], own: OwnSensors, now: float) -> tuple[FleetView, dict[str, list[str]]]:
    """Return a view of the sensors of our groups, and the topics of each."""
    view, topics = FleetView(), dict[str, list[str]]()
    for topic in sorted(held):
        group, _, rest = topic.partition("/")
        if group in own.groups and held[topic]:
            list(view.receive(topic, held[topic], retained=True, at=now))
            client_id = f"{group}/{rest.partition('/')[0]}"
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
    measured = {*settings.device.measures, *(() if sensor.state in ENDED else sensor.measures)}
    for topic in topics:
        kind, name = topic.split("/")[2:]
        if kind == Kind.DATA and name not in measured:
            yield topic, f"{sensor.topics.client_id} has no such measure"
        elif kind == Kind.ACTION:
            yield topic, "a retained command, which is never executed"


def _announcements(held: Mapping[str, bytes], own: OwnSensors, present: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield announcements to clear: those of sensors that are gone, and those on a topic that is not the sensor's."""
    for topic in sorted(held):
        client_id = _announced(held[topic]) if topic.endswith("/config") else None
        if client_id is None or client_id.partition("/")[0] not in own.groups:
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
