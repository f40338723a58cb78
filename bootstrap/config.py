"""The configuration: one `house.toml`, and one `devices/<sensor>.toml` for each device.

Everything is validated before anything is opened, and every fault is reported at once.
"""

import os
import ssl
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from bootstrap import log
from bootstrap.connection import Hello
from bootstrap.device import Device
from bootstrap.dial import tls
from bootstrap.kinds import KindError, find
from bootstrap.link import will
from bootstrap.settings import Fault, Limits, SettingsError, Source, suggestion
from bootstrap.topics import ID_RULE, RESERVED_SENSORS, Topics, is_id

HOUSE = "house.toml"
DEVICES = "devices"
DEFAULT_FOLDERS = (Path("/etc/penates"), Path("config"))
LEAST_EVERY_S = 0.01
PLAIN_PORT, TLS_PORT = 1883, 8883


@dataclass(frozen=True, kw_only=True)
class Broker:
    """`[broker]`: where it is and how to speak to it."""

    host: str | list[str] = "localhost"
    port: Annotated[int, Limits(1, 65_535)] | None = None
    protocol: Literal["5", "3.1.1"] = "5"
    username: str | None = None
    password_file: str | None = None
    ca_file: Path | None = None
    keepalive_s: Annotated[int, Limits(2, 65_535)] = 60


@dataclass(frozen=True, kw_only=True)
class Log:
    """`[log]`: how much is said, and in which form."""

    level: log.Level = "info"
    format: log.Format = "auto"


@dataclass(frozen=True, kw_only=True)
class House:
    """`house.toml`, without its sections."""

    group: str
    heartbeat_s: Annotated[float, Limits(0)] = 60.0


@dataclass(frozen=True)
class Address:
    """The broker as one sensor sees it."""

    folder: Path
    broker: Broker
    topics: Topics

    @property
    def hosts(self) -> list[str]:
        """The addresses of one logical broker."""
        host = self.broker.host
        return [host] if isinstance(host, str) else host

    @property
    def port(self) -> int:
        """The port given, or the usual one."""
        return self.broker.port or (TLS_PORT if self.broker.ca_file else PLAIN_PORT)

    @cached_property
    def trust(self) -> ssl.SSLContext | None:
        """With a CA file, TLS."""
        return tls(self.broker.ca_file) if self.broker.ca_file else None

    @property
    def password_file(self) -> Path | None:
        """The credential systemd gives if there is one, else what `password_file` names."""
        credentials = os.environ.get("CREDENTIALS_DIRECTORY")
        if credentials and (given := Path(credentials, "password")).exists():
            return given
        named = self.broker.password_file
        return self.folder / named.replace("{sensor}", self.topics.sensor) if named else None

    def hello(self) -> Hello:
        """What CONNECT says."""
        file = self.password_file
        username = self.broker.username or (self.topics.sensor if file else None)
        return Hello(
            client_id=self.topics.client_id,
            protocol=self.broker.protocol,
            keepalive_s=self.broker.keepalive_s,
            will=will(self.topics.status("state")),
            username=username,
            password=read_password(file) if file else None,
        )


def read_password(file: Path) -> str:
    """The first line of a file.

    Raises:
        OSError: it cannot be read.
        ValueError: it is empty, or no text.
    """
    lines = file.read_text(encoding="utf-8").splitlines()
    if not lines or not lines[0]:
        raise ValueError("is empty")
    return lines[0]


@dataclass(frozen=True)
class Settings:
    """All that one daemon needs to know."""

    topics: Topics
    kind: str
    device: Device
    address: Address
    heartbeat_s: float
    log: Log


@dataclass
class Configuration:
    """A folder, read as far as it can be; what is wrong with it is in `faults`."""

    folder: Path
    faults: list[Fault] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._source = Source(self.folder, HOUSE)
        table = dict(self._source.table)
        sections = {name: self._section(table, name) for name in ("broker", "log")}
        self.broker = self._source.fill(Broker, sections["broker"], "broker")
        self.log = self._source.fill(Log, sections["log"], "log")
        self.house = self._source.fill(House, table) if self._source.loaded else None
        if self.house and not is_id(self.house.group):
            self._source.fault(f"'group' must be {ID_RULE}, not {self.house.group!r}", self._source.line("group"))
        self._check_ca()
        self.faults += self._source.faults

    def _section(self, table: dict[str, Any], name: str) -> dict[str, Any]:
        section = table.pop(name, {})
        if isinstance(section, dict):
            return section
        self._source.fault(f"{name!r} must be a section, [{name}]", self._source.line(name))
        return {}

    def _check_ca(self) -> None:
        if not self.broker or not self.broker.ca_file:
            return
        try:
            tls(self.broker.ca_file)
        except ssl.SSLError:
            why = "is no PEM certificate"
        except OSError as error:
            why = f"cannot be read: {error.strerror}"
        else:
            return
        self._source.fault(f"'ca_file' {self.broker.ca_file} {why}", self._source.line("ca_file", "broker"))

    @property
    def sensors(self) -> list[str]:
        """The sensors there is a file for."""
        return sorted(path.stem for path in (self.folder / DEVICES).glob("[!.]*.toml"))

    def settings(self, sensor: str) -> Settings | None:
        """Everything for one sensor, or None with the reasons added to `faults`."""
        if not (self.folder / DEVICES / f"{sensor}.toml").is_file():
            self.faults.append(Fault(f"{DEVICES}/{sensor}.toml", 1, f"not there; {suggestion(sensor, self.sensors)}"))
            return None
        source = Source(self.folder, f"{DEVICES}/{sensor}.toml")
        try:
            return self._settings(sensor, source)
        finally:
            self.faults += source.faults

    def _settings(self, sensor: str, source: Source) -> Settings | None:
        table = dict(source.table)
        if not source.loaded:
            return None
        topics = self._topics(sensor, source, table.pop("group", None))
        kind, device = self._device(source, table)
        if not (topics and device and self.house and self.broker and self.log):
            return None
        address = Address(self.folder, self.broker, topics)
        self._check_password(address)
        return Settings(topics, kind, device, address, self.house.heartbeat_s, self.log)

    def _topics(self, sensor: str, source: Source, group: object) -> Topics | None:
        if not is_id(sensor):
            source.fault(f"the file's name is the sensor id and must be {ID_RULE}, not {sensor!r}")
        elif sensor in RESERVED_SENSORS:
            source.fault(f"the sensor id {sensor!r} is reserved; rename the file")
        if group is not None and not (isinstance(group, str) and is_id(group)):
            source.fault(f"'group' must be {ID_RULE}, not {group!r}", source.line("group"))
        elif self.house and not source.faults:
            group = group or self.house.group
            return Topics(group, sensor) if isinstance(group, str) and is_id(group) else None
        return None

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
        if device and device.every_s < LEAST_EVERY_S:
            limit = f"'every_s' must be at least {LEAST_EVERY_S:g}, not {device.every_s:g}"
            source.fault(limit, source.line("every_s"))
        return kind, device

    def _check_password(self, address: Address) -> None:
        file = address.password_file
        if file is None:
            return
        try:
            read_password(file)
        except OSError as error:
            why = f"cannot be read: {error.strerror}"
        except UnicodeDecodeError:
            why = "is no text"
        except ValueError as error:
            why = str(error)
        else:
            return
        line = self._source.line("password_file", "broker")
        self.faults.append(Fault(HOUSE, line, f"'password_file' {file} {why} (for {address.topics.sensor})"))


def folder_or_default(folder: Path | None) -> Path:
    """The folder named, or the first usual one that holds a house.

    Raises:
        SettingsError: there is none.
    """
    if folder is not None:
        return folder
    for usual in DEFAULT_FOLDERS:
        if (usual / HOUSE).exists():
            return usual
    places = " and ".join(f"{usual / HOUSE}" for usual in DEFAULT_FOLDERS)
    raise SettingsError([Fault(HOUSE, 1, f"not found; looked for {places}; say --config DIR")])


def load(folder: Path, sensor: str) -> Settings:
    """One sensor's settings; the other devices' files are not looked at, so their faults are not ours.

    Raises:
        SettingsError: with every fault of `house.toml` and this sensor's file.
    """
    configuration = Configuration(folder)
    settings = configuration.settings(sensor)
    if settings is None or configuration.faults:
        raise SettingsError(sorted(configuration.faults))
    return settings


def check(folder: Path) -> list[Settings]:
    """Every sensor's settings.

    Raises:
        SettingsError: with every fault of every file.
    """
    configuration = Configuration(folder)
    found = [configuration.settings(sensor) for sensor in configuration.sensors]
    if not found:
        configuration.faults.append(Fault(DEVICES, 1, "no device; make a file such as devices/cellar.toml"))
    if configuration.faults:
        raise SettingsError(sorted(set(configuration.faults)))
    return [settings for settings in found if settings]
