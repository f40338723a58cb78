"""What another site needs to call the broker of this one, in one file, which is secret."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self

from bootstrap.config.loader import DEVICES, Configuration, device_file
from bootstrap.config.model import HomeAssistantSettings, House, SensorSettings
from bootstrap.contract.sites import SITE_RULE, STATE, is_site, notification, site_user, site_users
from bootstrap.contract.topics import is_id
from penates.broker.far_sites import KIND, bridged_groups
from penates.files.install_paths import HOUSE, LOOKERS, SECRETS, SITES, USER
from penates.files.planned_file import ENTERED, FOLDER_MODE, SECRET, SHARED, Planned, secret
from penates.files.toml_edit import with_settings
from penates.installer import json_fields
from penates.installer.json_fields import Rule, read_fields

THINNED_S = 900  # between heartbeats of a sensor over a metered link
NEW_FILE = """# The site {site}, as `penates bridge` has written it (docs/BRIDGE.md).
# Whether its sensors are announced to Home Assistant here.
announce = true
"""


@dataclass(frozen=True, kw_only=True)
class OwnSide:
    """What the device file of another site says of this one.

    Attributes:
        groups: the groups of this site.
        prefix: Home Assistant's discovery prefix here.
    """

    groups: list[str]
    prefix: str

    @classmethod
    def of(cls, found: Collection[SensorSettings], house: House, group: str | None = None) -> Self:
        """Return what is ours, if the group of the house is renamed to this one or stays."""
        renamed = {group if group and one == house.group else one for one in bridged_groups(found, house)}
        return cls(groups=sorted(renamed), prefix=house.homeassistant.prefix)

    @property
    def settings(self) -> dict[tuple[str, str], object]:
        """The settings of the device file of another site."""
        prefix = None if self.prefix == HomeAssistantSettings.prefix else self.prefix
        return {("", "own_groups"): [*self.groups], ("", "prefix"): prefix}


@dataclass(frozen=True, kw_only=True)
class SiteInvitation:
    """The invitation of one site by another.

    Attributes:
        site: the site that is invited, which calls.
        groups: its groups, as the other one expects them.
        by: the site that has invited it, and is called.
        by_groups: the groups of that.
        brokers: names and addresses of that site's broker that are in its certificate.
        port: the port under which they are reached.
        ca: the CA certificate to trust, in PEM.
        secrets: the password of each user of the invited site.
    """

    site: str
    groups: list[str]
    by: str
    by_groups: list[str]
    brokers: list[str]
    port: int
    ca: str
    secrets: Mapping[str, str] = field(repr=False)

    @classmethod
    def read(cls, file: Path) -> Self:
        """Read an invitation from a file.

        Raises:
            Fatal: the file cannot be read, or is not an invitation; the message names each wrong field.
        """
        return cls(**read_fields(file, FIELDS, "an invitation, as `penates bridge invite` writes one"))

    @property
    def planned(self) -> Planned:
        """The file, as it is kept at the site that is called and copied to the other one."""
        text = json.dumps(asdict(self), indent=2) + "\n"
        return Planned(SITES / f"{self.site}.json", text.encode(), SECRET)

    def joined(
        self, own: OwnSide, hosts: Sequence[str], *, both_call: bool = False, metered: bool = False
    ) -> Iterator[Planned]:
        """Yield what the invited site writes; `hosts` are those of the brokers that it reaches.

        `both_call` means that the other site will call this one, too: then each brings only what is its own.
        """
        yield Planned(SITES, None, FOLDER_MODE)
        yield Planned(ca_file(self.by), self.ca.encode())
        yield Planned(SECRETS, None, ENTERED, group=LOOKERS)
        for given, ours in zip(site_users(self.site), site_users(self.by), strict=True):
            content = f"{self.secrets[given]}\n".encode()
            shown = ours == site_user(self.by)  # the daemon reads it, which runs as the sensors' user
            file = SECRETS / ours
            yield Planned(file, content, SHARED, group=USER) if shown else secret(file, content, shared=False)
        called = calling(self.by, self.site, hosts, self.port, fetch=not both_call)
        called |= {"heartbeats_every_s": THINNED_S} if metered else {}
        yield far_site_file(self.by, self.by_groups, self.by if both_call else self.site, own, called)


def ca_file(site: str) -> Path:
    """Return where the CA certificate of a site that we call is kept."""
    return SITES / f"{site}.pem"


def calling(site: str, own: str, hosts: Sequence[str], port: int, *, fetch: bool) -> dict[str, object]:
    """Return the settings by which the site `own` calls another one; to fetch its commands is what usually is done."""
    return {
        "host": [*hosts],
        "port": port,
        "ca_file": f"{SITES.name}/{site}.pem",
        "username": site_user(own),
        "password_file": f"{SECRETS.name}/{site_user(site)}",
        "fetch": None if fetch else False,
    }


def far_site_file(
    site: str, groups: Sequence[str], caller: str, own: OwnSide, called: Mapping[str, object] | None = None
) -> Planned:
    """Return the device file of another site; what else an existing one sets is kept.

    `called` are the settings by which we call it.
    """
    file = HOUSE / device_file(site)
    text = file.read_text() if file.exists() else NEW_FILE.format(site=site)
    link = {"kind": KIND, "groups": [*groups], "link": notification(caller, STATE), **(called or {})}
    settings = {("", name): value for name, value in link.items()}
    return Planned(file, with_settings(text, settings | own.settings).encode())


def with_groups(site: str, groups: Sequence[str]) -> Planned:
    """Return the device file of a known site, with these as its groups."""
    file = HOUSE / device_file(site)
    return Planned(file, with_settings(file.read_text(), {("", "groups"): [*groups]}).encode())


def renewed_site_files(configuration: Configuration) -> Iterator[Planned]:
    """Yield the device files of other sites in which our groups, or our prefix, are no longer those of the house."""
    found = configuration.all().values()
    own = OwnSide.of(found, configuration.house) if configuration.house else None
    for settings in found if own else ():
        known = settings.device.settings()
        if own and settings.kind == KIND and (known["own_groups"], known["prefix"]) != (own.groups, own.prefix):
            text = (settings.folder / settings.file).read_text()
            yield Planned(HOUSE / settings.file, with_settings(text, own.settings).encode())


def files_of(site: str) -> list[Path]:
    """Return all files of the house that are about another site."""
    secrets = [SECRETS / user for user in (site, *site_users(site))]
    return [HOUSE / DEVICES / f"{site}.toml", SITES / f"{site}.json", ca_file(site), *secrets]


def _are_groups(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, str) and is_id(one) for one in value)


SITE: Rule = (lambda value: isinstance(value, str) and is_site(value), SITE_RULE)
GROUPS: Rule = (_are_groups, "a list of groups, at least one")
FIELDS: Mapping[str, Rule] = {
    "site": SITE,
    "groups": GROUPS,
    "by": SITE,
    "by_groups": GROUPS,
    "brokers": json_fields.HOSTS,
    "port": json_fields.PORT,
    "ca": json_fields.CERTIFICATE,
    "secrets": json_fields.SECRETS,
}
