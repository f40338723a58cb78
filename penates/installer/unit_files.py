"""The unit files: as shipped, and what `penates install` adds to them for each device."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from bootstrap.config.model import SensorSettings
from penates.files.package_data import folder
from penates.files.planned_file import FOLDER_MODE, Planned
from penates.installer.allowed_networks import reach
from penates.installer.device_needs import DeviceNeeds, needs

TARGET, SUPERVISOR, TEMPLATE = "penates.target", "penates.service", "penates@.service"
CERTIFICATES = ("penates-certs.service", "penates-certs.timer")
HARDENING = "hardening.conf"
DROP_IN = "penates.conf"
MADE = "# Made by `penates install` from {source}: put what you want otherwise into another file beside this one."
HEARING_MB = 256  # what waits to be stored


def unit(name: str) -> str:
    """The unit of one device, by its file's name."""
    return f"penates@{name}.service"


def name_of(unit_name: str) -> str | None:
    """The other way round; None for other units, and for the template."""
    name = unit_name.removeprefix("penates@").removesuffix(".service")
    return name if name and unit(name) == unit_name else None


def shipped(place: Path) -> list[Planned]:
    """The units as they are for every house, and their hardening, below `place` (`/etc/systemd/system`)."""
    ours = folder("systemd")
    found = [Planned(place / name, (ours / name).read_bytes()) for name in (TARGET, SUPERVISOR, TEMPLATE)]
    hardening = (ours / HARDENING).read_bytes()
    for name in (SUPERVISOR, TEMPLATE):
        found += _drop_in(place, name, HARDENING, hardening)
    return found


def for_broker(place: Path) -> list[Planned]:
    """What looks after a broker's certificate."""
    return [Planned(place / name, (folder("systemd") / name).read_bytes()) for name in CERTIFICATES]


def for_device(
    place: Path, settings: SensorSettings, name: str, password: Path | None, state: Path | None = None
) -> list[Planned]:
    """What one device needs. `password` is the file with its password for the broker, `state` a folder beside ours."""
    needed = needs(settings.device)
    about = settings.topics.client_id
    allowed = [*_allowed([needed], [settings]), *_kept(state)]
    text = _text(
        settings.file,
        ("Unit", [("Description", f"{about}, a sensor ({settings.kind})")]),
        ("Service", [*_credentials([("password", password)]), *allowed, *_safe(needed, name)]),
    )
    return _drop_in(place, unit(name), DROP_IN, text)


def for_supervisor(
    place: Path, found: dict[str, SensorSettings], passwords: dict[str, Path | None], state: Path | None = None
) -> list[Planned]:
    """What all devices need together."""
    needed = {name: needs(settings.device) for name, settings in found.items()}
    credentials = [(f"password_{found[name].topics.sensor}", file) for name, file in passwords.items()]
    stops = [line for name, one in needed.items() for line in _safe(one, name)]
    allowed = [*_allowed([*needed.values()], [*found.values()]), *_kept(state)]
    lines = [*_credentials(credentials), *allowed, *stops]
    return _drop_in(place, SUPERVISOR, DROP_IN, _text("devices/", ("Service", lines)))


def _drop_in(place: Path, owner: str, name: str, content: bytes) -> list[Planned]:
    folder_of = place / f"{owner}.d"
    return [Planned(folder_of, None, FOLDER_MODE), Planned(folder_of / name, content)]


def _text(source: str, *sections: tuple[str, Sequence[tuple[str, str]]]) -> bytes:
    rows = [MADE.format(source=source)]
    for section, settings in sections:
        rows += [f"[{section}]", *(f"{key}={value}" for key, value in settings)]
    return "\n".join([*rows, ""]).encode()


def _credentials(wanted: Iterable[tuple[str, Path | None]]) -> list[tuple[str, str]]:
    """An empty one forgets what the template says."""
    return [("LoadCredential", ""), *(("LoadCredential", f"{name}:{file}") for name, file in wanted if file)]


def _allowed(needed: Sequence[DeviceNeeds], found: Sequence[SensorSettings]) -> list[tuple[str, str]]:
    nodes = sorted({node for one in needed for node in one.nodes})
    allowed = [("DeviceAllow", f"{node} rw") for node in nodes]
    hosts = {host for settings in found for host in _hosts(settings)}
    allowed += [("IPAddressAllow", " ".join(networks))] if (networks := reach(sorted(hosts))) else []
    if any(one.subscribes for one in needed) and len(found) == 1:
        allowed.append(("MemoryMax", f"{HEARING_MB}M"))
    return allowed


def _kept(state: Path | None) -> list[tuple[str, str]]:
    """All other folders are read-only."""
    return [("ReadWritePaths", str(state))] if state else []


def _hosts(settings: SensorSettings) -> list[str]:
    """Whom a sensor speaks to: the broker, and the server that a setting `url` names."""
    url = settings.device.settings().get("url")
    server = urlsplit(url).hostname if isinstance(url, str) else None
    return [*settings.broker.hosts, *([server] if server else [])]


def _safe(needed: DeviceNeeds, name: str) -> list[tuple[str, str]]:
    """A killed process leaves its outputs as they were."""
    return [("ExecStopPost", f"-/opt/penates/bin/penates safe {name} --config /etc/penates")] if needed.outputs else []
