"""The unit files: those shipped, and what `penates install` adds to them for each device."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from bootstrap.config.model import SensorSettings
from bootstrap.device import Device
from bootstrap.one_wire.bus_master import BULK_FILE
from bootstrap.package_data import folder
from bootstrap.pins.header_pwm import BLOCKS, PLATFORM
from penates.files.install_paths import HOUSE, SECRETS, UNITS
from penates.files.planned_file import FOLDER_MODE, Planned
from penates.installer.allowed_networks import allowed_networks
from penates.installer.device_needs import USB, DeviceNeeds, needs

TARGET, SUPERVISOR, TEMPLATE = "penates.target", "penates.service", "penates@.service"
POWER = ("penates-power@.path", "penates-power@.service")
CERTIFICATES = ("penates-certs.service", "penates-certs.timer")
TARGET_ENABLED = UNITS / "multi-user.target.wants" / TARGET
CERTIFICATES_ENABLED = UNITS / "timers.target.wants" / CERTIFICATES[1]
HARDENING = "hardening.conf"
DROP_IN = "penates.conf"
GROUP = "penates"  # of all units: see hardening.conf
MASTERS = 4  # 1-Wire buses, which the kernel counts from 1
HEADER = "# Made by `penates install` from {source}. Put settings of your own into another file beside this one."


def unit(name: str) -> str:
    """Return the unit of the device whose file has this name."""
    return f"penates@{name}.service"


def name_of(unit_name: str) -> str | None:
    """Return the name of the device that a unit runs; None for other units, and for the template."""
    name = unit_name.removeprefix("penates@").removesuffix(".service")
    return name if name and unit(name) == unit_name else None


def shipped(place: Path) -> list[Planned]:
    """Return the units that are alike in every house, and their hardening, below `place` (`/etc/systemd/system`)."""
    ours = folder("systemd")
    found = [Planned(place / name, (ours / name).read_bytes()) for name in (TARGET, SUPERVISOR, TEMPLATE)]
    hardening = (ours / HARDENING).read_bytes()
    for name in (SUPERVISOR, TEMPLATE):
        found += _drop_in(place, name, HARDENING, hardening)
    return found


def for_broker(place: Path) -> list[Planned]:
    """Return the units that renew a broker's certificate."""
    return [Planned(place / name, (folder("systemd") / name).read_bytes()) for name in CERTIFICATES]


def for_power(place: Path) -> list[Planned]:
    """Return the units that restart the machine, or shut it down, when a sensor asks for it."""
    return [Planned(place / name, (folder("systemd") / name).read_bytes()) for name in POWER]


def for_device(
    place: Path, settings: SensorSettings, name: str, password: Path | None, state: Path | None = None
) -> list[Planned]:
    """Return the drop-in of a device's unit.

    `password` is the file with its password for the broker, `state` the state folder if it is not the usual one.
    """
    needed = [needs(one.device) for one in settings.all_carried]
    about = settings.topics.client_id
    allowed = [*_allowed(needed, [settings]), *_writable(state), *_readable(settings.all_carried)]
    text = _text(
        settings.file,
        ("Unit", [("Description", f"{about}, a sensor ({settings.kind})")]),
        ("Service", [*_credentials([("password", password)]), *allowed, *_safe({name: needed[0]})]),
    )
    return _drop_in(place, unit(name), DROP_IN, text)


def for_supervisor(
    place: Path, found: dict[str, SensorSettings], passwords: dict[str, Path | None], state: Path | None = None
) -> list[Planned]:
    """Return the drop-in of the supervisor's unit, with what all devices need together."""
    return _drop_in(place, SUPERVISOR, DROP_IN, _text("devices/", _shared(found, passwords, state)))


def for_together(
    place: Path, name: str, found: dict[str, SensorSettings], passwords: dict[str, Path | None], state: Path | None
) -> list[Planned]:
    """Return the drop-in of the unit of sensors that share a process, with what all of them need."""
    about = ", ".join(one.topics.client_id for one in found.values())
    described = ("Unit", [("Description", f"{about}: sensors that share a process")])
    text = _text("house.toml, [together]", described, _shared(found, passwords, state))
    return _drop_in(place, unit(name), DROP_IN, text)


def _shared(
    found: dict[str, SensorSettings], passwords: dict[str, Path | None], state: Path | None
) -> tuple[str, list[tuple[str, str]]]:
    """Return the section of a unit in which several sensors run, each with its own password."""
    needed = {name: needs(settings.device) for name, settings in found.items()}
    credentials = [(f"password_{found[name].topics.sensor}", file) for name, file in passwords.items()]
    each = [one for settings in found.values() for one in settings.all_carried]
    allowed = [*_allowed([needs(one.device) for one in each], each), *_writable(state), *_readable(each)]
    return "Service", [*_credentials(credentials), *allowed, *_safe(needed)]


def _drop_in(place: Path, owner: str, name: str, content: bytes) -> list[Planned]:
    folder_of = place / f"{owner}.d"
    return [Planned(folder_of, None, FOLDER_MODE), Planned(folder_of / name, content)]


def _text(source: str, *sections: tuple[str, Sequence[tuple[str, str]]]) -> bytes:
    rows = [HEADER.format(source=source)]
    for section, settings in sections:
        rows += [f"[{section}]", *(f"{key}={value}" for key, value in settings)]
    return "\n".join([*rows, ""]).encode()


def _credentials(wanted: Iterable[tuple[str, Path | None]]) -> list[tuple[str, str]]:
    """Return the credentials, after an empty setting that removes those of the template."""
    return [("LoadCredential", ""), *(("LoadCredential", f"{name}:{file}") for name, file in wanted if file)]


def _allowed(needed: Sequence[DeviceNeeds], found: Sequence[SensorSettings]) -> list[tuple[str, str]]:
    nodes = sorted({node for one in needed for node in one.nodes})
    allowed = [("DeviceAllow", f"{node} rw") for node in nodes]
    hosts = {host for one in needed for host in one.hosts} | {host for one in found for host in one.broker.hosts}
    if any(one.real_time for one in needed):
        allowed += [("RestrictRealtime", "no"), ("LimitRTPRIO", "1")]
    allowed += [("IPAddressAllow", " ".join(networks))] if (networks := allowed_networks(sorted(hosts))) else []
    if USB in nodes:  # whoever opens USB devices also wants to hear from the kernel what is plugged in
        allowed.append(("RestrictAddressFamilies", "AF_NETLINK"))
    allowed += [line for bus in sorted({bus for one in needed for bus in one.bulk}) for line in bulk_conversion(bus)]
    if pwm := sorted({line for one in needed for line in one.pwm}):
        allowed += hardware_pwm(pwm)
    if len(found) == 1 and found[0].device.memory_mb != Device.memory_mb:
        allowed.append(("MemoryMax", f"{found[0].device.memory_mb}M"))
    return allowed


def bulk_conversion(bus: Path) -> list[tuple[str, str]]:
    """Return the settings by which a unit may have the thermometers on a 1-Wire bus convert all at once.

    The kernel makes that file again at each start, for root alone. The first line runs as root, outside of the sandbox.
    """
    give = f"chgrp {GROUP} $$f; chmod g+w $$f"
    each = f"for f in {bus}/w1_bus_master*/{BULK_FILE}; do test ! -e $$f || {{ {give}; }}; done"
    masters = " ".join(f"-{bus}/w1_bus_master{number}" for number in range(1, MASTERS + 1))
    return [("ExecStartPre", f"-+/bin/sh -c '{each}'"), ("ReadWritePaths", masters)]


def hardware_pwm(lines: Sequence[int]) -> list[tuple[str, str]]:
    """Return the settings by which a unit may use the Pi's own PWM on these lines.

    The kernel makes the files of a channel when it is exported, for root alone. The first line runs as root, outside of
    the sandbox. Whichever block this Pi has, the others are not there.
    """
    each = "; ".join(_exported(f"/sys/{PLATFORM}/{name}", lines, channels) for name, channels in BLOCKS.items())
    writable = " ".join(f"-/sys/{PLATFORM}/{name}" for name in BLOCKS)
    return [("ExecStartPre", f"-+/bin/sh -c '{each}'"), ("ReadWritePaths", writable)]


def _exported(block: str, lines: Sequence[int], channels: Mapping[int, int]) -> str:
    """Return the commands that export channels of a block, and give their files to our group."""
    numbers = " ".join(sorted({str(channels[line]) for line in lines if line in channels}))
    give = f"chgrp {GROUP} $$f; chmod g+w $$f"
    files = " ".join(f"$$c/pwm$$n/{name}" for name in ("period", "duty_cycle", "enable", "polarity"))
    each = f"test -e $$c/pwm$$n || echo $$n > $$c/export; for f in $$c/export {files}; do {give}; done"
    return f"for c in {block}/pwm/pwmchip*; do test ! -e $$c || for n in {numbers}; do {each}; done; done"


def _writable(state: Path | None) -> list[tuple[str, str]]:
    """Return the setting that makes the state folder writable, since everything else is read-only to a unit."""
    return [("ReadWritePaths", str(state))] if state else []


def _readable(found: Iterable[SensorSettings]) -> list[tuple[str, str]]:
    """Return the settings that show a unit those secrets that its devices name, such as a database's token.

    They replace the hardening by which it sees none: a file in a folder that is inaccessible cannot be shown.
    """
    files = sorted({str(file) for settings in found for file in _secret_files(settings)})
    shown = [("TemporaryFileSystem", f"{SECRETS}:ro"), ("BindReadOnlyPaths", " ".join(f"-{file}" for file in files))]
    return [("InaccessiblePaths", ""), *shown] if files else []


def _secret_files(settings: SensorSettings) -> Iterator[Path]:
    """Yield the files among a device's settings that are secrets of the house, whose folder may be a copy now."""
    for value in settings.device.settings().values():
        if isinstance(value, Path):
            file = HOUSE / value.relative_to(settings.folder) if value.is_relative_to(settings.folder) else value
            if file.is_relative_to(SECRETS):
                yield file


def _safe(needed: dict[str, DeviceNeeds]) -> list[tuple[str, str]]:
    """Return the setting that makes outputs safe after each stop, because a killed process leaves them as they were."""
    names = " ".join(name for name, one in needed.items() if one.outputs)
    return [("ExecStopPost", f"-/opt/penates/bin/penates safe {names} --config /etc/penates")] if names else []
