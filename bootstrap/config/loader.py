"""The configuration: one `house.toml`, and one `devices/<sensor>.toml` for each device.

Everything is validated before anything is opened, and every fault is reported at once.
"""

import os
import pwd
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from bootstrap.config.conflicts import conflicts, refused_needs
from bootstrap.config.kinds import KindError, find
from bootstrap.config.measure_limits import with_limits
from bootstrap.config.model import DeviceNames, House, SensorSettings
from bootstrap.config.secrets import password_file, password_problem
from bootstrap.config.toml_file import Fault, SettingsError, TomlFile, is_path, suggestion
from bootstrap.contract.topics import ID_RULE, RESERVED_SENSORS, Topics, is_id
from bootstrap.device import Device
from bootstrap.paths import Folders

HOUSE = "house.toml"
DEVICES = "devices"
DEFAULT_FOLDERS = (Path("/etc/penates"), Path("config"))
ROOT = 0  # its user id
LEAST_EVERY_S = 0.01


def device_file(name: str) -> str:
    """Return the path of a device's file, relative to the configuration folder."""
    return f"{DEVICES}/{name}.toml"


@dataclass
class Configuration:
    """A configuration folder, read as far as possible; what is wrong with it is in `faults`.

    `drafts` are device files that are yet to be written, by sensor.
    Without `secrets`, password files may be missing, as they are before they are created.
    """

    folder: Path
    faults: list[Fault] = field(default_factory=list)
    drafts: Mapping[str, bytes] = field(default_factory=dict)
    secrets: bool = True

    def __post_init__(self) -> None:
        if not os.access(self.folder / DEVICES, os.R_OK | os.X_OK):
            self.faults.append(Fault(DEVICES, 1, "no such folder, or no permission to read it"))
        self._source = TomlFile(self.folder, HOUSE)
        self.house = self._source.fill(House, self._source.table) if self._source.loaded else None
        self.faults += self._source.faults

    @cached_property
    def sensors(self) -> list[str]:
        """The sensors that have a file."""
        try:
            names = [path.name for path in (self.folder / DEVICES).iterdir()]
        except OSError:
            return []
        found = sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml") and name[0] != ".")
        return [*found, *self.drafts]  # last, so that their conflicts are reported as their faults

    def all(self, names: Sequence[str] = ()) -> dict[str, SensorSettings]:
        """Return the settings of each sensor whose file has no fault of its own, and complete `faults`.

        That includes conflicts between sensors. With `names`, all other sensors are ignored.
        """
        found = {sensor: self.settings(sensor) for sensor in names or self.sensors}
        valid = {sensor: settings for sensor, settings in found.items() if settings}
        self.faults += conflicts([*valid.values()], self._line)
        if not names:
            self.faults += self._misplaced()
        self.faults = sorted(set(self.faults))
        return valid

    @property
    def notes(self) -> list[Fault]:
        """What is worth knowing and wrong in no way: files that are set aside."""
        from bootstrap.config.stray_files import set_aside  # noqa: PLC0415 - no sensor needs it

        return set_aside(self.folder, DEVICES)

    def _misplaced(self) -> list[Fault]:
        """Return the faults of files that nothing reads."""
        from bootstrap.config.stray_files import misplaced  # noqa: PLC0415 - no sensor needs it

        return misplaced(self.folder, DEVICES, HOUSE)

    def settings(self, sensor: str) -> SensorSettings | None:
        """Return the settings of one sensor, or None after adding the reasons to `faults`."""
        if sensor not in self.sensors:
            self.faults.append(Fault(device_file(sensor), 1, f"not there; {self._near(sensor)}"))
            return None
        source = self._device_source(device_file(sensor))
        try:
            return self._settings(sensor, source)
        finally:
            self.faults += source.faults

    def _near(self, sensor: str) -> str:
        """Return a hint at a device's file that is there: one with another end of its name, or a similar name."""
        ignored = [fault for fault in self._misplaced() if Path(fault.file).stem == sensor]
        if ignored:
            return f"{ignored[0].file} is {ignored[0].text}"
        return suggestion(sensor, self.sensors) if self.sensors else f"{self.folder / DEVICES} has no .toml file"

    def _line(self, settings: SensorSettings, name: str) -> int:
        """Return the line of a setting in a sensor's file."""
        return self._device_source(settings.file).line(name)

    def _device_source(self, file: str) -> TomlFile:
        drafts = {device_file(sensor): text for sensor, text in self.drafts.items()}
        return TomlFile(self.folder, file, drafts.get(file))

    def _settings(self, sensor: str, source: TomlFile) -> SensorSettings | None:
        if not source.loaded:
            return None
        table = dict(source.table)
        names = source.fill(DeviceNames, {key: table.pop(key) for key in ("group", "sensor") if key in table})
        kind, device = self._device(source, table)
        if device and names:
            sensor = names.sensor or device.sensor_id(sensor)
        self._check_name(sensor, kind, source)
        if self.secrets:
            self._check_password(sensor)
        if not (device and names and self.house) or source.faults:
            return None
        house = self.house
        return SensorSettings(
            folder=self.folder,
            file=source.name,
            topics=Topics(names.group or house.group, sensor),
            kind=kind,
            device=device,
            folders=Folders.usual(house.state),
            heartbeat_s=house.heartbeat_s,
            broker=house.broker,
            log=house.log,
            history=house.history,
            homeassistant=house.homeassistant,
        )

    def _check_name(self, sensor: str, kind: str, source: TomlFile) -> None:
        if not is_id(sensor):
            source.fault(f"the sensor id must be {ID_RULE}, not {sensor!r}; rename the file, or set sensor = …")
        elif sensor in RESERVED_SENSORS - {kind}:
            source.fault(f"the sensor id {sensor!r} is reserved; rename the file, or set sensor = …")

    def _device(self, source: TomlFile, table: dict[str, Any]) -> tuple[str, Device | None]:
        kind = table.pop("kind", None)
        if not isinstance(kind, str):
            source.fault("'kind' is missing" if kind is None else "'kind' must be text in quotes", source.line("kind"))
            return "", None
        try:
            device = source.fill(with_limits(find(kind, self.folder), source, table), table)
        except KindError as error:
            source.fault(str(error), source.line("kind"))
            return kind, None
        except Exception as error:  # noqa: BLE001 - a class of the user's own may raise anything
            source.fault(f"kind {kind!r} cannot be created: {error!r}", source.line("kind"))
            return kind, None
        if device:
            _check_device(device, source)
        return kind, device

    def _check_password(self, sensor: str) -> None:
        """Check the password's file even if `[broker]` has other faults, so that all are reported at once."""
        section = self._source.table.get("broker")
        named = section.get("password_file") if isinstance(section, dict) else None
        file = password_file(self.folder, named if isinstance(named, str) and is_path(named) else None, sensor)
        if file and (why := password_problem(file)):
            line = self._source.line("password_file", "broker")
            self.faults.append(Fault(HOUSE, line, f"'password_file' {file} {why} (for {sensor})"))


def _check_device(device: Device, source: TomlFile) -> None:
    """Check what types cannot express of the settings that many kinds have."""
    if device.every_s < LEAST_EVERY_S:
        limit = f"'every_s' must be at least {LEAST_EVERY_S:g}, not {device.every_s:g}"
        source.fault(limit, source.line("every_s"))
    for name, why in refused_needs(device):
        source.fault(f"{name!r} must be {why}", source.line(name))


def usual_folder() -> Path | None:
    """Return the first default folder that contains a house, or None.

    Raises:
        SettingsError: it is in the working directory, and somebody else has put something into it.
    """
    usual = next((usual for usual in DEFAULT_FOLDERS if (usual / HOUSE).exists()), None)
    if usual and not usual.is_absolute() and (foreign := next(_of_others(usual), None)):
        why = f"belongs to {_owner(foreign)}, and settings may run code; if you trust it, add --config {usual}"
        raise SettingsError([Fault(str(foreign), 1, why)])
    return usual


def _of_others(folder: Path) -> Iterator[Path]:
    """Yield what belongs to neither us, nor root, nor whoever has called sudo: a folder and all that is in it."""
    trusted = {ROOT, os.geteuid()}
    if os.geteuid() == ROOT and (caller := os.environ.get("SUDO_UID", "")).isdecimal():
        trusted.add(int(caller))
    for path in (folder, *folder.rglob("*")):
        if path.lstat().st_uid not in trusted or (path == folder and path.stat().st_uid not in trusted):
            yield path


def _owner(path: Path) -> str:
    number = path.lstat().st_uid
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"the user {number}"


def folder_or_default(folder: Path | None) -> Path:
    """Return `folder`, or the first default folder that contains a house.

    Raises:
        SettingsError: there is no such folder, or it is one that is not used without being named.
    """
    if folder is not None:
        if not folder.is_dir():
            raise SettingsError([Fault(str(folder), 1, "no such folder")])
        return folder
    if usual := usual_folder():
        return usual
    places = " and ".join(f"{usual / HOUSE}" for usual in DEFAULT_FOLDERS)
    raise SettingsError([Fault(HOUSE, 1, f"not found; looked for {places}; use --config DIR")])


def load(folder: Path, sensor: str, *, secrets: bool = True) -> SensorSettings:
    """Return one sensor's settings. The other devices' files are not read, so their faults do not matter.

    Raises:
        SettingsError: with every fault of `house.toml` and this sensor's file.
    """
    configuration = Configuration(folder, secrets=secrets)
    settings = configuration.settings(sensor)
    if settings is None or configuration.faults:
        raise SettingsError(sorted(configuration.faults))
    return settings


def state_of(folder: Path) -> Path | None:
    """Return the `state` folder that `house.toml` sets, whatever else is wrong with the file."""
    named = TomlFile(folder, HOUSE).table.get("state")
    return folder / named if isinstance(named, str) and named else None


def open_house(folder: Path) -> tuple[Configuration, House]:
    """Return the configuration and its house. Device files are not read, so their faults do not matter.

    Raises:
        SettingsError: with every fault of `house.toml`.
    """
    configuration = Configuration(folder.absolute())
    if configuration.house is None or configuration.faults:
        raise SettingsError(sorted(configuration.faults))
    return configuration, configuration.house


def unknown_names(names: Iterable[str], known: Collection[str]) -> list[Fault]:
    """Return a fault for each name that is not in `known`."""
    return [Fault(device_file(name), 1, f"not there; {suggestion(name, known)}") for name in names if name not in known]


def check(folder: Path, names: Sequence[str] = (), *, secrets: bool = True) -> list[SensorSettings]:
    """Return the settings of every sensor, or of those in `names`.

    Raises:
        SettingsError: with every fault of every file.
    """
    configuration = Configuration(folder, secrets=secrets)
    valid = configuration.all(names)
    if not valid and not configuration.faults:
        configuration.faults.append(Fault(DEVICES, 1, "no device; make a file such as devices/cellar.toml"))
    if configuration.faults:
        raise SettingsError(configuration.faults)
    return [*valid.values()]
