"""The settings of a house and of one sensor, as dataclasses whose types say what is allowed."""

import re
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from bootstrap import __version__
from bootstrap.config.toml_file import a_path
from bootstrap.contract.sites import SITE_RULE, is_site
from bootstrap.contract.topics import ID_RULE, PRIVATE, Topics, is_id, is_private
from bootstrap.device import Device, Measure
from bootstrap.hosts import a_host
from bootstrap.limits import YEAR_S, Limits
from bootstrap.logs import log
from bootstrap.paths import Folders
from bootstrap.tls import tls

if TYPE_CHECKING:
    from bootstrap.filters.settings import SensorFilters

LEAST_HEARTBEAT_S, MOST_HEARTBEAT_S = 0.1, 86_400
MOST_LOG_MB = 10_000
PLAIN_PORT, TLS_PORT = 1883, 8883
LOCAL = ("localhost", "127.0.0.1", "::1")
HOUR_S = 3600
UNITS_S = {"h": HOUR_S, "d": 24 * HOUR_S}
OUTAGE = re.compile(r"\d{1,4}[hd]", re.ASCII)


def _an_id(text: str) -> None:
    if not is_id(text):
        raise ValueError(ID_RULE)


def _a_heartbeat(seconds: float) -> None:
    if seconds != 0 and not LEAST_HEARTBEAT_S <= seconds <= MOST_HEARTBEAT_S:
        raise ValueError(f"0 for none, or at least {LEAST_HEARTBEAT_S:g} and at most {MOST_HEARTBEAT_S} (a day)")


def a_certificate(file: Path) -> None:
    """Raise ValueError if `file` is not a PEM certificate that can be read."""
    try:
        tls(file)
    except ssl.SSLError:
        raise ValueError("a PEM certificate") from None
    except OSError as error:
        raise ValueError(f"a readable file ({error.strerror})") from None


def _different(hosts: list[str]) -> None:
    if len({host.lower() for host in hosts}) < len(hosts):
        raise ValueError("a list that names no host twice")


def a_prefix(text: str) -> None:
    """Raise ValueError, with what is allowed, unless a text may be Home Assistant's discovery prefix."""
    if not all(is_id(level) for level in text.split("/")):
        raise ValueError(f"levels of {ID_RULE}, with '/' between them")


def _a_public_group(text: str) -> None:
    _an_id(text)
    if is_private(text):
        raise ValueError(f"a group that does not end in {PRIVATE!r}, which is added to it for private sensors")


def _a_site(text: str) -> None:
    if text and not is_site(text):
        raise ValueError(SITE_RULE)


def _an_outage(text: str) -> None:
    if not OUTAGE.fullmatch(text) or not HOUR_S <= int(text[:-1]) * UNITS_S[text[-1]] <= YEAR_S:
        raise ValueError('a time from "1h" to "366d", in hours or days')


Id: TypeAlias = Annotated[str, _an_id]
Group: TypeAlias = Annotated[str, _a_public_group]
Shared: TypeAlias = Literal["history", "homeassistant", "sites"]  # who gets to know what a sensor measures
Share: TypeAlias = Literal["all", "none"] | list[Shared]
HostName: TypeAlias = Annotated[str, a_host]


@dataclass(frozen=True, kw_only=True)
class BrokerSettings:
    """`[broker]`: where the broker is, and how to connect to it."""

    host: HostName | Annotated[list[HostName], _different] = "localhost"
    port: Annotated[int, Limits(1, 65_535)] | None = None
    protocol: Literal["5", "3.1.1"] = "5"
    username: str | None = None
    password_file: Annotated[str, a_path] | None = None
    ca_file: Annotated[Path, a_certificate] | None = None
    keepalive_s: Annotated[int, Limits(2, 65_535)] = 60
    managed: bool = True
    websocket_port: Annotated[int, Limits(1, 65_535)] | None = None

    @property
    def hosts(self) -> list[str]:
        """The addresses of one logical broker."""
        return [self.host] if isinstance(self.host, str) else self.host

    @property
    def managed_here(self) -> bool:
        """Whether it is on this machine and set up by us, with a user of its own for each sensor."""
        return self.managed and self.username is None and all(host in LOCAL for host in self.hosts)

    @property
    def of_others(self) -> bool:
        """Whether somebody else looks after it; not so for ours on another machine, at which each sensor is a user."""
        unknown = self.password_file is None and not self.managed_here
        return not self.managed or self.username is not None or unknown

    @property
    def tcp_port(self) -> int:
        """The port given, or the usual one with or without TLS."""
        return self.port or (TLS_PORT if self.ca_file else PLAIN_PORT)


@dataclass(frozen=True, kw_only=True)
class LogSettings:
    """`[log]`: how much is logged, and in which format."""

    level: log.Level = "info"
    format: log.Format = "auto"


@dataclass(frozen=True, kw_only=True)
class SupervisorSettings:
    """`[supervisor]`: how `penates start` supervises the sensors."""

    watchdog_s: Annotated[float, Limits(0.5, YEAR_S)] = 30.0
    log_mb: Annotated[float, Limits(0.001, MOST_LOG_MB)] = 1.0


@dataclass(frozen=True, kw_only=True)
class HistorySettings:
    """`[history]`: how many undelivered readings a sensor keeps, for how long, and how fast it delivers them."""

    recorder: bool = False
    records: Annotated[int, Limits(1, 10_000_000)] = 100_000
    days: Annotated[float, Limits(0.001, 36_500)] = 90.0
    rate: Annotated[float, Limits(0.1, 10_000)] = 200.0


@dataclass(frozen=True, kw_only=True)
class HomeAssistantSettings:
    """`[homeassistant]`: whether sensors are announced to Home Assistant, and below which topic it listens."""

    enabled: bool = True
    prefix: Annotated[str, a_prefix] = "homeassistant"

    def topic(self, topics: Topics) -> str:
        """Return the topic on which a sensor is announced."""
        return f"{self.prefix}/device/{topics.group}-{topics.sensor}/config"

    def of(self, sensor: "AnnouncementSettings") -> "HomeAssistantSettings":
        """Return the settings with what a sensor's own file says."""
        return self if sensor.enabled is None else replace(self, enabled=sensor.enabled)


@dataclass(frozen=True, kw_only=True)
class SiteSettings:
    """`[site]`: this house as one of several sites, each with a broker of its own (docs/BRIDGE.md)."""

    name: Annotated[str, _a_site] = ""
    outage: Annotated[str, _an_outage] = "7d"

    @property
    def outage_s(self) -> int:
        """For how long another site may be away without a loss of readings, in seconds."""
        return int(self.outage[:-1]) * UNITS_S[self.outage[-1]]


@dataclass(frozen=True, kw_only=True)
class House:
    """The settings of `house.toml`."""

    group: Group
    heartbeat_s: Annotated[float, _a_heartbeat] = 60.0
    state: Path | None = None
    broker: BrokerSettings = BrokerSettings()
    log: LogSettings = LogSettings()
    history: HistorySettings = HistorySettings()
    supervisor: SupervisorSettings = SupervisorSettings()
    homeassistant: HomeAssistantSettings = HomeAssistantSettings()
    site: SiteSettings = SiteSettings()


@dataclass(frozen=True, kw_only=True)
class AnnouncementSettings:
    """`[homeassistant]` in a device's file, or in a section of a gateway's: whether the sensor is announced.

    None leaves it to `house.toml`, or to the gateway's file.
    """

    enabled: bool | None = None


@dataclass(frozen=True, kw_only=True)
class DeviceNames:
    """What a device's file may set beside its kind and the settings of that kind."""

    group: Group | None = None
    sensor: Id | None = None
    shared_with: Share | None = None
    homeassistant: AnnouncementSettings = AnnouncementSettings()


@dataclass(frozen=True, kw_only=True)
class SensorSettings:
    """Everything that one sensor needs to know.

    Attributes:
        folder: the configuration folder; secrets are relative to it.
        file: the device's file, relative to `folder`.
        kind: as the device's file names it.
        filters: what becomes of its values before they are published; None if they stay as they are.
        section: the section of that file, for a sensor that a gateway carries.
        user: its name at the broker if that is not its own: a gateway's, for the sensors that it carries.
        recorded: whether its readings are for recorders.
        carried: the sensors that a gateway carries, by name.
        unusable: why other sections of a gateway's file cannot be used, by the sensor's name.
    """

    folder: Path
    file: str
    topics: Topics
    kind: str
    device: Device
    folders: Folders
    filters: "SensorFilters | None" = None
    heartbeat_s: float = 60.0
    broker: BrokerSettings = BrokerSettings()
    log: LogSettings = LogSettings()
    history: HistorySettings = HistorySettings()
    homeassistant: HomeAssistantSettings = HomeAssistantSettings()
    section: str = ""
    user: str = ""
    recorded: bool = True
    carried: Mapping[str, "SensorSettings"] = field(default_factory=dict)
    unusable: Mapping[str, str] = field(default_factory=dict)

    @property
    def broker_user(self) -> str:
        """Its name at a broker at which each sensor is a user, unless another carries it."""
        return self.user or self.topics.sensor

    @property
    def all_carried(self) -> list["SensorSettings"]:
        """Itself, and the sensors that it carries: each is a sensor on the broker."""
        return [self, *self.carried.values()]

    @property
    def measures(self) -> Mapping[str, Measure]:
        """What it publishes: what its device measures, after all filters."""
        return self.filters.published(self.device.measures) if self.filters else self.device.measures

    def every_s(self, measure: str) -> float:
        """Return the seconds within which a measure is published again."""
        period_s = self.device.period_s
        return self.filters.every_s(measure, period_s) if self.filters else period_s

    @property
    def about(self) -> dict[str, Any]:
        """The sensor's `status/about`: all that discovery, displays and recorders need."""
        device = self.device
        shown = {name: {"shown_as": what} for name, what in device.shown_as.items()}
        measures = self.measures
        added = {name: self.filters.about(name) for name in measures} if self.filters else {}
        more = {
            name: {"every_s": self.every_s(name), **shown.get(name, {}), **added.get(name, {})} for name in measures
        }
        return {
            "kind": self.kind,
            "measures": {name: {**one.facts, **more[name]} for name, one in measures.items()},
            "actions": {name: takes.facts for name, takes in device.commands.items()},
            "heartbeat_s": self.heartbeat_s,
            "version": __version__,
            "host": socket.gethostname(),
            **device.facts(),
        }


@dataclass(frozen=True, kw_only=True)
class ProcessSettings:
    """What one process runs: a sensor, or several that their owner has put together.

    Attributes:
        name: that of its sensor's file, or that in `[together]`.
        sensors: the sensors that have a file of their own.
        together: whether it is one of `[together]`.
    """

    name: str
    sensors: tuple[SensorSettings, ...]
    together: bool = False

    @property
    def label(self) -> str:
        """Its name in the log: that of its only sensor on the broker, or its own."""
        return self.name if self.together else self.sensors[0].topics.client_id

    @property
    def kind(self) -> str | None:
        """The kind of its sensor; None if there are several."""
        return None if self.together else self.sensors[0].kind

    @property
    def names(self) -> list[Topics]:
        """The names of its sensors on the broker; if they change, a new process is needed."""
        return [one.topics for one in self.sensors]
