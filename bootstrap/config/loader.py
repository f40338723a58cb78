"""The configuration: one `house.toml`, and one `devices/<sensor>.toml` for each device.

Everything is validated before anything is opened, and every fault is reported at once.
"""

import os
import pwd
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any

from bootstrap.config.conflicts import conflicts
from bootstrap.config.gateway_file import SECTIONS, GatewayFile, check_device
from bootstrap.config.kinds import KindError, find
from bootstrap.config.measure_sections import ConfiguredDevice, configured_device
from bootstrap.config.model import DeviceNames, House, ProcessSettings, SensorSettings
from bootstrap.config.secrets import password_file, password_problem
from bootstrap.config.sharing import with_sharing
from bootstrap.config.together import SECTION as TOGETHER
from bootstrap.config.together import processes, read_together
from bootstrap.config.toml_file import Fault, SettingsError, TomlFile, is_path, suggestion
from bootstrap.contract.topics import ID_RULE, RESERVED_SENSORS, Topics, is_id
from bootstrap.device import Device
from bootstrap.gateway import Gateway
from bootstrap.paths import Folders

HOUSE = "house.toml"
DEVICES = "devices"
DEFAULT_FOLDERS = (Path("/etc/penates"), Path("config"))
ROOT = 0  # its user id
NO_DEVICE = "no device; `penates scan` shows what is connected, `penates new KIND NAME` writes the file of any other"


def device_file(name: str) -> str:
    """Return the path of a device's file, relative to the configuration folder."""
    return f"{DEVICES}/{name}.toml"


@dataclass
class Configuration:
    """A configuration folder, read as far as possible; what is wrong with it is in `faults`.

    `drafts` are the texts of device files that are yet to be written, by the file's name.
    Without `secrets`, password files may be missing, as they are before they are created.
    `minor` are those of the faults that cost a single sensor of a gateway: the rest of the file can be used.
    """

    folder: Path
    faults: list[Fault] = field(default_factory=list)
    drafts: Mapping[str, bytes] = field(default_factory=dict)
    secrets: bool = True
    minor: list[Fault] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not os.access(self.folder / DEVICES, os.R_OK | os.X_OK):
            self.faults.append(Fault(DEVICES, 1, "no such folder, or no permission to read it"))
        self._source = TomlFile(self.folder, HOUSE)
        table = dict(self._source.table)
        self.together = read_together(self._source, table.pop(TOGETHER, {}), self.sensors)
        self.house = self._source.fill(House, table) if self._source.loaded else None
        self.faults += self._source.faults

    @cached_property
    def sensors(self) -> list[str]:
        """The sensors that have a file."""
        try:
            names = [path.name for path in (self.folder / DEVICES).iterdir()]
        except OSError:
            return []
        found = sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml") and name[0] != ".")
        known = [name for name in found if name not in self.drafts]
        return [*known, *self.drafts]  # last, so that their conflicts are reported as their faults

    @cached_property
    def processes(self) -> dict[str, list[str]]:
        """The processes of the house, each with the sensors that run in it: one, or those of `[together]`."""
        return processes(self.sensors, self.together)

    def all(self, names: Sequence[str] = ()) -> dict[str, SensorSettings]:
        """Return the settings of each sensor whose file has no fault of its own, and complete `faults`.

        That includes conflicts between sensors. With `names`, all other sensors are ignored.
        """
        found = {sensor: self.settings(sensor) for sensor in names or self.sensors}
        valid = {sensor: settings for sensor, settings in found.items() if settings}
        found_twice = conflicts([one for settings in valid.values() for one in settings.all_carried], self._line)
        self.minor += [fault for fault in found_twice if any(self._is_of_carried(fault, one) for one in valid.values())]
        self.faults += found_twice
        if not names:
            self.faults += self._misplaced()
        self.faults = sorted(set(self.faults))
        return valid

    def _is_of_carried(self, conflict: Fault, gateway: SensorSettings) -> bool:
        """Return whether a conflict is one of a sensor that this gateway carries: the sections end its file."""
        first = min((self._line(one, "") for one in gateway.carried.values()), default=0)
        return conflict.file == gateway.file and 0 < first <= conflict.line

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
        return self._device_source(settings.file).line(name, settings.section)

    def _device_source(self, file: str) -> TomlFile:
        drafts = {device_file(sensor): text for sensor, text in self.drafts.items()}
        return TomlFile(self.folder, file, drafts.get(file))

    def _settings(self, sensor: str, source: TomlFile) -> SensorSettings | None:
        if not source.loaded:
            return None
        table = dict(source.table)
        beside = [field.name for field in fields(DeviceNames) if field.name in table]
        names = source.fill(DeviceNames, {key: table.pop(key) for key in beside})
        kind, made, carried = self._device(source, table)
        if made and names:
            sensor = names.sensor or made.device.sensor_id(sensor)
        self._check_name(sensor, kind, source)
        if self.secrets:
            self._check_password(sensor)
        if not (made and names and self.house) or {*source.faults}.difference(self.minor):
            return None
        house = self.house
        settings = SensorSettings(
            folder=self.folder,
            file=source.name,
            topics=Topics(names.group or house.group, sensor),
            kind=kind,
            device=made.device,
            filters=made.filters,
            folders=Folders.usual(house.state),
            heartbeat_s=house.heartbeat_s,
            broker=house.broker,
            log=house.log,
            history=house.history,
            homeassistant=house.homeassistant.of(names.homeassistant),
        )
        try:
            return with_sharing(carried.carried_by(settings) if carried else settings, names.shared_with)
        except ValueError as error:
            source.fault(f"its group is a private one: {error}", source.line("group"))
            return None

    def _check_name(self, sensor: str, kind: str, source: TomlFile) -> None:
        if not is_id(sensor):
            source.fault(f"the sensor id must be {ID_RULE}, not {sensor!r}; rename the file, or set sensor = …")
        elif sensor in RESERVED_SENSORS - {kind}:
            source.fault(f"the sensor id {sensor!r} is reserved; rename the file, or set sensor = …")

    def _device(
        self, source: TomlFile, table: dict[str, Any]
    ) -> tuple[str, ConfiguredDevice[Device] | None, GatewayFile | None]:
        """Return the kind in a device's file, its device, and the sensors that it carries if it is a gateway."""
        kind = table.pop("kind", None)
        if not isinstance(kind, str):
            source.fault("'kind' is missing" if kind is None else "'kind' must be text in quotes", source.line("kind"))
            return "", None, None
        carried = None
        try:
            found = find(kind, self.folder)
            sections = table.pop(SECTIONS, {}) if issubclass(found, Gateway) else {}
            made = configured_device(found, source, table)
            if issubclass(found, Gateway):
                carried = self._carried(found, source, sections)
        except KindError as error:
            source.fault(str(error), source.line("kind"))
            return kind, None, None
        except Exception as error:  # noqa: BLE001 - a class of the user's own may raise anything
            source.fault(f"kind {kind!r} cannot be created: {error!r}", source.line("kind"))
            return kind, None, None
        if made:
            check_device(made.device, source)
        return kind, made, carried

    def _carried(self, gateway: type[Gateway], source: TomlFile, sections: object) -> GatewayFile:
        """Return the sensors in a gateway's file; the faults of their sections are minor ones."""
        found = GatewayFile.read(gateway, source, sections)
        self.minor += [fault for faults in found.faults.values() for fault in faults]
        return found

    def _check_password(self, sensor: str) -> None:
        """Check the password's file even if `[broker]` has other faults, so that all are reported at once."""
        section = self._source.table.get("broker")
        named = section.get("password_file") if isinstance(section, dict) else None
        file = password_file(self.folder, named if isinstance(named, str) and is_path(named) else None, sensor)
        if file and (why := password_problem(file)):
            line = self._source.line("password_file", "broker")
            self.faults.append(Fault(HOUSE, line, f"'password_file' {file} {why} (for {sensor})"))


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
    begin = "`penates init` begins a house here, --config DIR names another"
    raise SettingsError([Fault(HOUSE, 1, f"not found; looked for {places}; {begin}")])


def load(folder: Path, sensor: str, *, secrets: bool = True) -> SensorSettings:
    """Return one sensor's settings. The other devices' files are not read, so their faults do not matter.

    Raises:
        SettingsError: with every fault of `house.toml` and this sensor's file, unless it is a minor one.
    """
    configuration = Configuration(folder, secrets=secrets)
    settings = configuration.settings(sensor)
    faults = {*configuration.faults}.difference(configuration.minor)
    if settings is None or faults:
        raise SettingsError(sorted(configuration.faults))
    return settings


def load_process(folder: Path, name: str) -> ProcessSettings:
    """Return what one process runs: the sensor of this file, or those that `[together]` names.

    Raises:
        SettingsError: as `load` does, or the sensor runs in a process of another name.
    """
    configuration = Configuration(folder)
    if sensors := configuration.together.get(name):
        return ProcessSettings(name=name, sensors=tuple(load(folder, one) for one in sensors), together=True)
    if group := next((group for group, sensors in configuration.together.items() if name in sensors), None):
        line = TomlFile(folder, HOUSE).line(group, TOGETHER)
        raise SettingsError([Fault(HOUSE, line, f"{name!r} runs in the process {group!r}; name that instead")])
    return ProcessSettings(name=name, sensors=(load(folder, name),))


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


def check(
    folder: Path, names: Sequence[str] = (), *, secrets: bool = True, minor: Callable[[Fault], None] | None = None
) -> list[SensorSettings]:
    """Return the settings of every sensor, or of those in `names`, which may also be processes of `[together]`.

    `minor` is called with each fault that costs a single sensor of a gateway; without it, that is a fault like others.

    Raises:
        SettingsError: with every fault of every file.
    """
    configuration = Configuration(folder, secrets=secrets)
    valid = configuration.all([one for name in names for one in configuration.together.get(name, [name])])
    if not valid and not configuration.faults:
        configuration.faults.append(Fault(DEVICES, 1, NO_DEVICE))
    if minor and not {*configuration.faults}.difference(configuration.minor):
        for fault in configuration.minor:
            minor(fault)
    elif configuration.faults:
        raise SettingsError(configuration.faults)
    return [*valid.values()]
