"""The configuration: one `house.toml`, and one `devices/<sensor>.toml` for each device.

Everything is validated before anything is opened, and every fault is reported at once.
"""

import os
import re
import socket
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from bootstrap import __version__, log
from bootstrap.connection import Hello
from bootstrap.device import Device
from bootstrap.dial import tls
from bootstrap.folders import Folders
from bootstrap.kinds import KindError, find
from bootstrap.link import will
from bootstrap.settings import YEAR_S, Fault, Limits, SettingsError, Source, contents, suggestion
from bootstrap.topics import ID_RULE, RESERVED_SENSORS, Topics, is_id

HOUSE = "house.toml"
DEVICES = "devices"
DEFAULT_FOLDERS = (Path("/etc/penates"), Path("config"))
LEAST_EVERY_S = 0.01
LEAST_HEARTBEAT_S = 0.1
LONGEST_PASSWORD = 65_535  # MQTT's own limit
HOST = re.compile(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+(%\w+)?")  # a name or IPv4, or IPv6
PLAIN_PORT, TLS_PORT = 1883, 8883


def device_file(name: str) -> str:
    """Where a device's settings stand, below the configuration folder."""
    return f"{DEVICES}/{name}.toml"


def _an_id(text: str) -> None:
    if not is_id(text):
        raise ValueError(ID_RULE)


def _a_heartbeat(seconds: float) -> None:
    if seconds != 0 and seconds < LEAST_HEARTBEAT_S:
        raise ValueError(f"0, which is none, or at least {LEAST_HEARTBEAT_S:g}")


def a_certificate(file: Path) -> None:
    """Raise ValueError if it is none."""
    try:
        tls(file)
    except ssl.SSLError:
        raise ValueError("a PEM certificate") from None
    except OSError as error:
        raise ValueError(f"a readable file ({error.strerror})") from None


def _a_host(text: str) -> None:
    if not HOST.fullmatch(text):
        raise ValueError("a host name or address alone, without scheme or port")


def _a_prefix(text: str) -> None:
    if not all(is_id(level) for level in text.split("/")):
        raise ValueError(f"levels of {ID_RULE}, with '/' between them")


Id: TypeAlias = Annotated[str, _an_id]
Host: TypeAlias = Annotated[str, _a_host]


@dataclass(frozen=True, kw_only=True)
class Broker:
    """`[broker]`: where it is and how to speak to it."""

    host: Host | list[Host] = "localhost"
    port: Annotated[int, Limits(1, 65_535)] | None = None
    protocol: Literal["5", "3.1.1"] = "5"
    username: str | None = None
    password_file: str | None = None
    ca_file: Annotated[Path, a_certificate] | None = None
    keepalive_s: Annotated[int, Limits(2, 65_535)] = 60

    @property
    def hosts(self) -> list[str]:
        """The addresses of one logical broker."""
        return [self.host] if isinstance(self.host, str) else self.host

    @property
    def tcp_port(self) -> int:
        """The port given, or the usual one."""
        return self.port or (TLS_PORT if self.ca_file else PLAIN_PORT)


@dataclass(frozen=True, kw_only=True)
class Log:
    """`[log]`: how much is said, and in which form."""

    level: log.Level = "info"
    format: log.Format = "auto"


@dataclass(frozen=True, kw_only=True)
class Supervisor:
    """`[supervisor]`: how `penates start` looks after the sensors."""

    watchdog_s: Annotated[float, Limits(0.5, YEAR_S)] = 30.0
    log_mb: Annotated[float, Limits(low=0.001)] = 1.0


@dataclass(frozen=True, kw_only=True)
class History:
    """`[history]`: how long and how much a sensor keeps of what the broker has not got, and how fast it delivers it."""

    recorder: bool = False
    records: Annotated[int, Limits(1, 10_000_000)] = 100_000
    days: Annotated[float, Limits(0.001, 36_500)] = 90.0
    rate: Annotated[float, Limits(0.1, 10_000)] = 200.0


@dataclass(frozen=True, kw_only=True)
class HomeAssistant:
    """`[homeassistant]`: whether it is told of the sensors, and below which topic it listens."""

    enabled: bool = True
    prefix: Annotated[str, _a_prefix] = "homeassistant"

    def topic(self, topics: Topics) -> str:
        """Where a sensor is announced."""
        return f"{self.prefix}/device/{topics.group}-{topics.sensor}/config"


@dataclass(frozen=True, kw_only=True)
class House:
    """`house.toml`."""

    group: Id
    heartbeat_s: Annotated[float, _a_heartbeat] = 60.0
    state: Path | None = None
    broker: Broker = Broker()
    log: Log = Log()
    history: History = History()
    supervisor: Supervisor = Supervisor()
    homeassistant: HomeAssistant = HomeAssistant()


@dataclass(frozen=True, kw_only=True)
class Names:
    """What a device's file may say beside its kind and settings."""

    group: Id | None = None
    sensor: Id | None = None


@dataclass(frozen=True)
class Address:
    """The broker as one sensor sees it."""

    folder: Path
    broker: Broker
    topics: Topics

    @property
    def hosts(self) -> list[str]:
        """The addresses of one logical broker."""
        return self.broker.hosts

    @property
    def facts(self) -> dict[str, object]:
        """What the log may say of it."""
        secured = "TLS" if self.broker.ca_file else "plain"
        return {"host": self.broker.host, "port": self.port, "protocol": self.broker.protocol, "security": secured}

    @property
    def port(self) -> int:
        """The port given, or the usual one."""
        return self.broker.tcp_port

    @property
    def ca_file(self) -> Path | None:
        """With one, TLS. Read at each connect, so that a new one needs no restart."""
        return self.broker.ca_file

    def hello(self) -> Hello:
        """What CONNECT says."""
        file = password_file(self.folder, self.broker.password_file, self.topics.sensor)
        username = self.broker.username or (self.topics.sensor if file else None)
        return Hello(
            client_id=self.topics.client_id,
            protocol=self.broker.protocol,
            keepalive_s=self.broker.keepalive_s,
            will=will(self.topics.status("state")),
            username=username,
            password=read_password(file) if file else None,
        )


def password_file(folder: Path, named: str | None, sensor: str) -> Path | None:
    """The credential systemd gives (`password`, or `password_SENSOR` in a unit of several), else what this names."""
    if credentials := os.environ.get("CREDENTIALS_DIRECTORY"):
        for given in (Path(credentials, "password"), Path(credentials, f"password_{sensor}")):
            if given.exists():
                return given
    return folder / named.replace("{sensor}", sensor) if named else None


def read_password(file: Path) -> str:
    """The first line of a file.

    Raises:
        OSError: it cannot be read.
        ValueError: it is empty, too long, or no text.
    """
    try:
        password = contents(file).split(b"\n")[0].rstrip(b"\r").decode()
    except UnicodeDecodeError:
        raise ValueError("is no text") from None  # and says nothing of what it is
    if not password:
        raise ValueError("is empty")
    if len(password.encode()) > LONGEST_PASSWORD:
        raise ValueError(f"has more than {LONGEST_PASSWORD} bytes in its first line")
    return password


@dataclass(frozen=True)
class Settings:
    """All that one daemon needs to know."""

    file: str
    topics: Topics
    kind: str
    device: Device
    address: Address
    heartbeat_s: float
    folders: Folders
    log: Log
    history: History = History()
    homeassistant: HomeAssistant = HomeAssistant()

    @property
    def about(self) -> dict[str, Any]:
        """What it is: all that discovery, displays and recorders need."""
        every_s, commands = self.device.every_s, self.device.commands
        return {
            "kind": self.kind,
            "measures": {name: {**one.facts, "every_s": every_s} for name, one in self.device.measures.items()},
            "actions": {name: takes.facts for name, takes in commands.items()},
            "heartbeat_s": self.heartbeat_s,
            "version": __version__,
            "host": socket.gethostname(),
        }

    @cached_property
    def announcement(self) -> bytes:
        """The same as Home Assistant is told it; nothing if it is told nothing."""
        if not self.homeassistant.enabled:
            return b""
        from bootstrap.homeassistant import announcement  # noqa: PLC0415 - not where nobody has it

        return announcement(self.topics, self.about)


@dataclass
class Configuration:
    """A folder, read as far as it can be; what is wrong with it is in `faults`.

    `drafts` are files of devices that are yet to be written, by sensor.
    Without `secrets` the passwords may be missing: whoever makes them asks first whose there are to be.
    """

    folder: Path
    faults: list[Fault] = field(default_factory=list)
    drafts: Mapping[str, bytes] = field(default_factory=dict)
    secrets: bool = True

    def __post_init__(self) -> None:
        if not os.access(self.folder / DEVICES, os.R_OK | os.X_OK):
            self.faults.append(Fault(DEVICES, 1, "no such folder, or no right to read it"))
        self._source = Source(self.folder, HOUSE)
        self.house = self._source.fill(House, self._source.table) if self._source.loaded else None
        self.faults += self._source.faults

    @cached_property
    def sensors(self) -> list[str]:
        """The sensors there is a file for."""
        try:
            names = [path.name for path in (self.folder / DEVICES).iterdir()]
        except OSError:
            return []
        there = sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml") and name[0] != ".")
        return [*there, *self.drafts]  # last, so that what they share with others is their fault

    def all(self, names: Sequence[str] = ()) -> dict[str, Settings]:
        """Everything for each sensor whose file has no fault of its own; `faults` has all, also those between them.

        With `names`, as if there were no others.
        """
        found = {sensor: self.settings(sensor) for sensor in names or self.sensors}
        whole = {sensor: settings for sensor, settings in found.items() if settings}
        self.faults += self._shared_lines([*whole.values()])
        self.faults += _same_names([*whole.values()]) + _same_announcements([*whole.values()])
        self.faults = sorted(set(self.faults))
        return whole

    def settings(self, sensor: str) -> Settings | None:
        """Everything for one sensor, or None with the reasons added to `faults`."""
        if sensor not in self.sensors:
            there = suggestion(sensor, self.sensors) if self.sensors else f"{self.folder / DEVICES} has no .toml file"
            self.faults.append(Fault(device_file(sensor), 1, f"not there; {there}"))
            return None
        source = self._device_source(device_file(sensor))
        try:
            return self._settings(sensor, source)
        finally:
            self.faults += source.faults

    def _device_source(self, file: str) -> Source:
        drafts = {device_file(sensor): text for sensor, text in self.drafts.items()}
        return Source(self.folder, file, drafts.get(file))

    def _settings(self, sensor: str, source: Source) -> Settings | None:
        if not source.loaded:
            return None
        table = dict(source.table)
        names = source.fill(Names, {key: table.pop(key) for key in ("group", "sensor") if key in table})
        kind, device = self._device(source, table)
        if device and names:
            sensor = names.sensor or device.sensor_id(sensor)
        self._check_name(sensor, kind, source)
        if self.secrets:
            self._check_password(sensor)
        if not (device and names and self.house) or source.faults:
            return None
        topics = Topics(names.group or self.house.group, sensor)
        address = Address(self.folder, self.house.broker, topics)
        folders = Folders.usual(self.house.state)
        house = self.house
        return Settings(
            source.name,
            topics,
            kind,
            device,
            address,
            house.heartbeat_s,
            folders,
            house.log,
            house.history,
            house.homeassistant,
        )

    def _shared_lines(self, found: list[Settings]) -> list[Fault]:
        """Two devices on one line."""
        owners: dict[int, str] = {}
        faults = []
        for settings in found:
            for name, value in lines(settings.device).items():
                owner = f"{name} of {settings.topics.sensor}"
                if owners.setdefault(value, owner) != owner:
                    line = self._device_source(settings.file).line(name)
                    faults.append(Fault(settings.file, line, f"GPIO{value} is the {owners[value]} already"))
        return faults

    def _check_name(self, sensor: str, kind: str, source: Source) -> None:
        if not is_id(sensor):
            source.fault(f"the sensor id must be {ID_RULE}, not {sensor!r}; rename the file, or say sensor = …")
        elif sensor in RESERVED_SENSORS - {kind}:
            source.fault(f"the sensor id {sensor!r} is reserved; rename the file, or say sensor = …")

    def _device(self, source: Source, table: dict[str, Any]) -> tuple[str, Device | None]:
        kind = table.pop("kind", None)
        if not isinstance(kind, str):
            source.fault("'kind' is missing" if kind is None else "'kind' must be text in quotes", source.line("kind"))
            return "", None
        try:
            device = source.fill(find(kind, self.folder), table)
        except KindError as error:
            source.fault(str(error), source.line("kind"))
            return kind, None
        except Exception as error:  # noqa: BLE001 - a class of the user's own may raise anything
            source.fault(f"kind {kind!r} cannot be made: {error!r}", source.line("kind"))
            return kind, None
        if device and device.every_s < LEAST_EVERY_S:
            limit = f"'every_s' must be at least {LEAST_EVERY_S:g}, not {device.every_s:g}"
            source.fault(limit, source.line("every_s"))
        return kind, device

    def _check_password(self, sensor: str) -> None:
        """Looked at even when `[broker]` has other faults: all in one run."""
        section = self._source.table.get("broker")
        named = section.get("password_file") if isinstance(section, dict) else None
        file = password_file(self.folder, named if isinstance(named, str) else None, sensor)
        if file and (why := _no_password(file)):
            line = self._source.line("password_file", "broker")
            self.faults.append(Fault(HOUSE, line, f"'password_file' {file} {why} (for {sensor})"))


def read_secret(file: Path) -> str:
    """Likewise, of a file that was good at the start: whatever is wrong with it now can be mended.

    Raises:
        OSError: it cannot be used.
    """
    try:
        return read_password(file)
    except ValueError as error:
        raise OSError(f"{file} {error}") from None


def a_secret(file: Path) -> None:
    """Raise ValueError if no secret can be read from it."""
    if why := _no_password(file):
        raise ValueError(f"a file with a secret in its first line, and it {why}")


def _no_password(file: Path) -> str | None:
    """Why a password cannot be read from this file, if it cannot."""
    try:
        read_password(file)
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    except ValueError as error:
        return str(error)
    return None


def _same_names(found: list[Settings]) -> list[Fault]:
    """Two files of one sensor id."""
    owners: dict[str, str] = {}
    faults = []
    for settings in found:
        owner = owners.setdefault(settings.topics.client_id, settings.file)
        if owner != settings.file:
            faults.append(Fault(settings.file, 1, f"{settings.topics.client_id} is {owner} already"))
    return faults


def lines(device: Device) -> dict[str, int]:
    """The lines it uses: what it calls `pin`, or something ending in `_pin`, is one, by its BCM number."""
    return {
        name: value
        for name, value in device.settings().items()
        if isinstance(value, int) and (name == "pin" or name.endswith("_pin"))
    }


def _same_announcements(found: list[Settings]) -> list[Fault]:
    """Two sensors that Home Assistant would take for one: `x/b-a` and `x-b/a`."""
    owners: dict[str, Settings] = {}
    faults = []
    for settings in found:
        owner = owners.setdefault(settings.homeassistant.topic(settings.topics), settings)
        if settings.homeassistant.enabled and owner.topics != settings.topics:
            both = f"{settings.topics.client_id} and {owner.topics.client_id} of {owner.file}"
            faults.append(Fault(settings.file, 1, f"{both} would be one to Home Assistant; say another sensor = …"))
    return faults


def usual_folder() -> Path | None:
    """The first usual folder that holds a house, if one does."""
    return next((usual for usual in DEFAULT_FOLDERS if (usual / HOUSE).exists()), None)


def folder_or_default(folder: Path | None) -> Path:
    """The folder named, or the first usual one that holds a house.

    Raises:
        SettingsError: there is none.
    """
    if folder is not None:
        if not folder.is_dir():
            raise SettingsError([Fault(str(folder), 1, "no such folder")])
        return folder
    if usual := usual_folder():
        return usual
    places = " and ".join(f"{usual / HOUSE}" for usual in DEFAULT_FOLDERS)
    raise SettingsError([Fault(HOUSE, 1, f"not found; looked for {places}; say --config DIR")])


def load(folder: Path, sensor: str, *, secrets: bool = True) -> Settings:
    """One sensor's settings; the other devices' files are not looked at, so their faults are not ours.

    Raises:
        SettingsError: with every fault of `house.toml` and this sensor's file.
    """
    configuration = Configuration(folder, secrets=secrets)
    settings = configuration.settings(sensor)
    if settings is None or configuration.faults:
        raise SettingsError(sorted(configuration.faults))
    return settings


def state_of(folder: Path) -> Path | None:
    """The `state` that `house.toml` names, whatever else is wrong with it."""
    named = Source(folder, HOUSE).table.get("state")
    return folder / named if isinstance(named, str) and named else None


def open_house(folder: Path) -> tuple[Configuration, House]:
    """The house; what is wrong with a device is no business of the others.

    Raises:
        SettingsError: with every fault of `house.toml`.
    """
    configuration = Configuration(folder.absolute())
    if configuration.house is None or configuration.faults:
        raise SettingsError(sorted(configuration.faults))
    return configuration, configuration.house


def check(folder: Path, names: Sequence[str] = (), *, secrets: bool = True) -> list[Settings]:
    """Every sensor's settings, or theirs.

    Raises:
        SettingsError: with every fault of every file.
    """
    configuration = Configuration(folder, secrets=secrets)
    whole = configuration.all(names)
    if not whole and not configuration.faults:
        configuration.faults.append(Fault(DEVICES, 1, "no device; make a file such as devices/cellar.toml"))
    if configuration.faults:
        raise SettingsError(configuration.faults)
    return [*whole.values()]
