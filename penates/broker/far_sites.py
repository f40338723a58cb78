"""Other sites that this broker knows: what the files of kind `bridge` mean for Mosquitto's settings and rules."""

import hashlib
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from bootstrap.config.model import TLS_PORT, House, SensorSettings
from bootstrap.config.toml_file import Fault, SettingsError, TomlFile
from bootstrap.contract.sites import (
    CONNECTIONS,
    OF_A_BRIDGE,
    OF_A_SENSOR,
    STATE,
    caller_of,
    connection_user,
    notification,
    site_user,
    site_users,
)
from bootstrap.contract.topics import is_private

KIND = "bridge"
CLIENT_ID_DIGITS = 24


@dataclass(frozen=True, kw_only=True)
class LinkedSite:
    """Another site, as this one sees it.

    Attributes:
        name: its name, and the id of the sensor here that looks after the link.
        sensor: that sensor, as `group/sensor`.
        own: the name of this site.
        groups: its groups.
        caller: the site whose connection brings its state to here: `own` if only we can call.
        hosts: where our broker calls it; empty if it does not.
        port: its broker's TLS port.
        metered: whether heartbeats are thinned on the link that we make.
    """

    name: str
    own: str
    groups: Sequence[str]
    caller: str
    hosts: Sequence[str] = ()
    port: int = TLS_PORT
    metered: bool = False
    sensor: str = ""

    @classmethod
    def of(cls, settings: SensorSettings, house: House) -> "LinkedSite":
        """Return the site that a file of kind `bridge` describes.

        Raises:
            SettingsError: the file, or `[site]`, is not complete.
        """
        device: dict[str, Any] = settings.device.settings()
        name, own, link = settings.topics.sensor, house.site.name, str(device["link"])
        host = device.get("host") or ()
        caller = caller_of(link)
        line = TomlFile(settings.folder, settings.file).line
        if not own:
            raise SettingsError([Fault("house.toml", 1, f"{settings.file} needs the name of this site: [site] name")])
        if caller not in (own, name):
            wrong = f"'link' must be {notification(own, STATE)} if this site calls, else {notification(name, STATE)}"
            raise SettingsError([Fault(settings.file, line("link"), wrong)])
        hosts = (host,) if isinstance(host, str) else tuple(host)
        if caller == own and not hosts:
            raise SettingsError([Fault(settings.file, line("host"), f"'host' is missing: where {name} is called")])
        metered = bool(device.get("heartbeats_every_s"))
        if metered and caller != own:
            wrong = f"'heartbeats_every_s' has to be set at the site that calls, which is {name}; remove it here"
            raise SettingsError([Fault(settings.file, line("heartbeats_every_s"), wrong)])
        port = device.get("port") or TLS_PORT
        groups, sensor = list(device["groups"]), settings.topics.client_id
        return cls(
            name=name,
            own=own,
            groups=groups,
            caller=caller,
            hosts=hosts,
            port=port,
            metered=metered,
            sensor=sensor,
        )

    @property
    def calls(self) -> bool:
        """Whether our broker calls that of the other site."""
        return bool(self.hosts)

    @property
    def pulls(self) -> bool:
        """Whether our broker also fetches what is theirs, because they cannot call."""
        return self.caller == self.own

    @property
    def callers(self) -> list[str]:
        """The sites whose connections make the link: one that does it for both, or each of the two."""
        return [self.caller, *([self.own] if self.calls and not self.pulls else [])]

    @property
    def is_called(self) -> bool:
        """Whether the broker of the other site calls ours."""
        return self.caller == self.name

    @property
    def users(self) -> list[str]:
        """The other site's users at our broker."""
        return site_users(self.name) if self.is_called else []


def own_groups(found: Iterable[SensorSettings], house: House) -> list[str]:
    """Return the groups of this site, sorted: the house's, and those of its sensors."""
    return sorted({house.group, *(one.topics.group for settings in found for one in settings.all_carried)})


def bridged_groups(found: Iterable[SensorSettings], house: House) -> list[str]:
    """Return the groups of this site that a bridge carries, sorted: all but those of private sensors."""
    return bridged(own_groups(found, house))


def bridged(groups: Iterable[str]) -> list[str]:
    """Return those of our groups that a bridge carries."""
    return [group for group in groups if not is_private(group)]


def far_sites(found: Collection[SensorSettings], house: House) -> list[LinkedSite]:
    """Return the other sites that these settings name.

    Raises:
        SettingsError: a file is not complete, two sites claim a group, or only this one can call two of them.
    """
    bridges = [one for one in found if one.kind == KIND]
    sites = [LinkedSite.of(one, house) for one in bridges]
    one_link = [(settings, site) for settings, site in zip(bridges, sites, strict=True) if site.pulls]
    for settings, site in one_link[1:]:
        line = TomlFile(settings.folder, settings.file).line("link")
        first = f"one topic cannot tell of the connections to both {one_link[0][1].name} and {site.name}"
        raise SettingsError([Fault(settings.file, line, f"{first}: join one of them with --callable, or be called")])
    owners = dict.fromkeys(own_groups(found, house), "this site")
    for settings, site in zip(bridges, sites, strict=True):
        for group in site.groups:
            if (owner := owners.setdefault(group, site.name)) != site.name:
                line = TomlFile(settings.folder, settings.file).line("groups")
                why = f"the group {group!r} belongs to {owner}: a group is of one site alone, so rename one of the two"
                raise SettingsError([Fault(settings.file, line, why)])
    return sites


def bridge_values(
    site: LinkedSite, groups: Sequence[str], ca_file: str, password: Callable[[str], str]
) -> dict[str, Sequence[str]]:
    """Return what fills in `mosquitto/bridge.conf` for a site that we call.

    `groups` are ours that are bridged, and `password` returns the one of a user at the other broker.
    """
    values: dict[str, Sequence[str]] = {
        "<far site>": [site.name],
        "<address>": [" ".join(f"{host}:{site.port}" for host in site.hosts)],
        "<ca file>": [ca_file],
        "<own>": groups,
        "<far>": site.groups if site.pulls else [],
        "<status>": sorted([*OF_A_SENSOR, *OF_A_BRIDGE]) if site.metered else ["+"],
    }
    for connection in CONNECTIONS:
        secret = password(connection_user(site.name, connection))
        values |= {
            f"<{connection} user>": [connection_user(site.own, connection)],
            f"<{connection} password>": [secret],
            f"<{connection} topic>": [notification(site.own, connection)],
            f"<{connection} id>": [_client_id(secret, "remote" if site.pulls else "remote, out")],
            f"<local {connection} id>": [_client_id(secret, "local")],
        }
    return values


def _client_id(secret: str, end: str) -> str:
    """Return a client id that is always the same, and that nobody can guess who does not know the secret.

    At the other broker it is not the same for a connection that only sends: a broker keeps a session's subscriptions.
    """
    return f"penates-{hashlib.sha256(f'{end}:{secret}'.encode()).hexdigest()[:CLIENT_ID_DIGITS]}"


def caller_rules(site: LinkedSite, groups: Sequence[str]) -> dict[str, Sequence[str]]:
    """Return what fills in the paragraphs of the access rules for a site that calls us; `groups` are ours.

    It may neither see nor command what is private.
    """
    groups = bridged(groups)
    fetched = groups if not site.calls else []
    return {
        "<caller>": [site_user(site.name)],
        "<calling site>": [site.name],
        "<far>": site.groups,
        "<group>": groups,
        "<pulled>": fetched,
    }
