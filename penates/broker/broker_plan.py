"""The files of a house's broker: secrets, certificates, and Mosquitto's configuration.

What exists and is still valid is kept: if nothing has changed since the last plan, there is nothing to do.
"""

import secrets
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import TypeVar

from bootstrap.config.loader import HOUSE, Configuration
from bootstrap.config.model import HomeAssistantSettings, House, SensorSettings
from bootstrap.config.secrets import read_password
from bootstrap.config.toml_file import Fault, SettingsError, TomlFile, contents
from bootstrap.contract.heard import heard_with
from bootstrap.contract.sites import site_user
from bootstrap.contract.topics import ADMIN, EYES, HOME_ASSISTANT, RECORDER, RESERVED_SENSORS, Topics, private_group
from bootstrap.errors import Exit, Fatal
from bootstrap.history.topic_settings import TopicSettings
from bootstrap.needs import Listened, Need, Told, needs_of
from daemons.recorder import FLEET
from penates.broker import mosquitto_files
from penates.broker.expected_broker import ExpectedBroker
from penates.broker.far_sites import LinkedSite, bridge_values, bridged, far_sites, own_groups
from penates.broker.house_ca import Authority
from penates.broker.mosquitto_files import SensorRules
from penates.broker.trial import BrokerTrial
from penates.files.install_paths import LOOKERS, USER
from penates.files.planned_file import ENTERED, SECRET, SHARED, Planned, secret

BROKER = "mosquitto"  # its user and group, which from Mosquitto 2.1 on must own the secret files
SECRET_BYTES = 24
RECORDED = ("data/reading", "status/about", *FLEET)
SITES = "sites"  # the folder of what other sites have given us

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class BrokerPlan:
    """What the broker of one machine must be like.

    Attributes:
        config: the house's folder.
        mosquitto: Mosquitto's folder.
        names: names of this machine besides those that it finds itself.
        guests: ids of sensors that run on other machines.
        plain_port: the port for this machine's own sensors.
        tls_port: the port for everybody else.
        tls_address: the address of the only interface that the TLS port uses; empty for all.
        websocket_port: the port for MQTT over WebSocket; None for none.
        taken: files of a Mosquitto that is taken over, without what controls access.
    """

    config: Path = Path("/etc/penates")
    mosquitto: Path = Path("/etc/mosquitto")
    names: Collection[str] = ()
    guests: Collection[str] = ()
    plain_port: int = 1883
    tls_port: int = 8883
    tls_address: str = ""
    websocket_port: int | None = None
    taken: Sequence[Planned] = ()

    @property
    def private(self) -> Path:
        """The folder that only the broker may read."""
        return self.mosquitto / "penates"

    @property
    def conf_d(self) -> Path:
        """The folder of settings that Mosquitto reads in addition to its main file."""
        return self.mosquitto / "conf.d"


@dataclass(frozen=True)
class BrokerUsers:
    """The users of the broker, and the topics they need.

    Attributes:
        users: their names, sorted.
        groups: the first levels of their topics, sorted.
        recorded: for each recorder, the topics it subscribes to; the user `recorder` may run on another machine.
        sensors: for each user, what the announcements of its sensors to Home Assistant and their devices' settings
            need, and which sensors it carries.
        prefix: Home Assistant's discovery prefix.
        sites: the other sites that this broker knows.
        waiting: how many readings there may be of our groups while another site is away, as `[site] outage` allows.
        outage_s: that time, in seconds.
    """

    users: Sequence[str]
    groups: Sequence[str]
    recorded: Mapping[str, Sequence[str]]
    sensors: Mapping[str, SensorRules]
    prefix: str
    sites: Sequence[LinkedSite] = ()
    waiting: int = 0
    outage_s: int = 0

    @classmethod
    def of(cls, folder: Path, guests: Collection[str] = ()) -> "BrokerUsers":
        """Read them from the house's configuration; the secrets may still be missing.

        Raises:
            SettingsError: the configuration is faulty.
        """
        configuration = Configuration(folder, secrets=False)
        found = configuration.all().values()
        house = configuration.house
        faults = [*configuration.faults, *_shared_username(folder, house)]
        if house is None or faults:
            raise SettingsError(faults)
        sites = far_sites(found, house)
        users = {*RESERVED_SENSORS, *guests, *(settings.topics.sensor for settings in found)}
        users |= {user for site in sites for user in site.users}
        groups = own_groups(found, house)
        recorded = {RECORDER: TopicSettings().unshared(*RECORDED)} | {
            one.topics.sensor: [*device.unshared(*RECORDED), *device.own_readings(one.topics.client_id)]
            for one in found
            if isinstance(device := one.device, TopicSettings)
        }
        _refuse_users_of_that_name(found, users)
        each = [one for settings in found for one in settings.all_carried]
        topics = [*((one.topics, one.broker_user) for one in each)]
        topics += [(Topics(*pair), pair[1]) for pair in product(groups, guests)]
        needed = [(one.broker_user, need) for one in each for _name, need in needs_of(one.device)]
        announced = _announced(house.homeassistant, topics).items()
        sensors = {user: _rules(own, [need for by, need in needed if by == user]) for user, own in announced}
        for one in found:
            if one.carried:
                carried = sorted(other.topics.client_id for other in one.carried.values())
                sensors[one.broker_user] = sensors[one.broker_user]._replace(carried=carried)
        outage_s = house.site.outage_s if sites else 0
        waiting = round(outage_s * sum(1 / one.device.every_s for one in each if one.device.every_s))
        prefix = house.homeassistant.prefix
        if guests:  # whose sensors may be private ones
            groups = sorted({*groups, private_group(house.group)})
        return cls(sorted(users), groups, recorded, sensors, prefix, sites, waiting, outage_s)


def _refuse_users_of_that_name(found: Iterable[SensorSettings], users: Collection[str]) -> None:
    """Raise SettingsError if a user could publish as a sensor of that name, which a gateway carries as another user."""
    why = "is the name of a user of the broker, who could publish as this sensor, too; rename the section"
    faults = [
        Fault(gateway.file, TomlFile(gateway.folder, gateway.file).line(one.section), f"{name!r} {why}")
        for gateway in found
        for name, one in gateway.carried.items()
        if name in users
    ]
    if faults:
        raise SettingsError(faults)


def _rules(announced: Sequence[str], needed: Sequence[Need]) -> SensorRules:
    """Return the rules of a sensor; what a device on another machine declares is not known here."""
    listened = [one for need in needed if isinstance(need, Listened) for one in heard_with(need.filter)]
    told = [need.topic for need in needed if isinstance(need, Told)]
    return SensorRules(announced, [*dict.fromkeys(listened)], [*dict.fromkeys(told)])


def _shared_username(folder: Path, house: House | None) -> list[Fault]:
    if house is None or house.broker.username is None:
        return []
    line = TomlFile(folder, HOUSE).line("username", "broker")
    return [Fault(HOUSE, line, "remove 'username': at this broker each sensor is a user of its own, named by its id")]


def _announced(assistant: HomeAssistantSettings, sensors: Iterable[tuple[Topics, str]]) -> dict[str, list[str]]:
    """Return the topics by which each user may announce itself; a guest's group is unknown, so it gets one for each."""
    owners: dict[str, str] = {}
    announced: dict[str, list[str]] = {}
    for topics, user in sensors:
        topic = assistant.topic(topics)
        if (other := owners.setdefault(topic, topics.sensor)) != topics.sensor:
            raise SettingsError(
                [Fault(HOUSE, 1, f"{other!r} and {topics.sensor!r} would both be announced by {topic}; rename one")]
            )
        announced.setdefault(user, []).append(topic)
    return announced


def plan(wanted: BrokerPlan) -> list[Planned]:
    """Return all files, in the order in which they must be written.

    Raises:
        SettingsError: the configuration is faulty, or Mosquitto's other settings control access as well.
        Fatal: an existing file is not what it should be.
        OSError: a file cannot be read.
    """
    ours = {*(wanted.conf_d / name for name in mosquitto_files.CONF_D), *(one.path for one in wanted.taken)}
    if faults := [*mosquitto_files.conflicting_settings(wanted.mosquitto, ours)]:
        raise SettingsError(faults)
    house = BrokerUsers.of(wanted.config, wanted.guests)
    settings = _settings(wanted, house)
    folder = wanted.config / "secrets"
    read_here = {site_user(site.name) for site in house.sites if site.calls}  # by the daemon, which calls that site
    known = {user: secret_of_user(folder / user, by_sensors=user in read_here) for user in house.users}
    authority = Authority(folder=wanted.config, names=wanted.names)
    return [
        Planned(folder, None, ENTERED, group=LOOKERS),
        *(planned for _, planned in known.values()),
        *authority.plan(),
        *wanted.taken,
        *settings,
        *_access(wanted, house, {user: password for user, (password, _) in known.items()}),
        *_broker_copy(wanted, authority),
        *_bridges(wanted, house),
    ]


def _bridges(wanted: BrokerPlan, house: BrokerUsers) -> Iterator[Planned]:
    """Yield the settings of the connections to other sites, and the CA certificate of each, if there are any."""
    values = []
    for site in (one for one in house.sites if one.calls):
        trusted = wanted.private / f"site-{site.name}.pem"
        yield _private(trusted, _of_site(wanted.config / SITES / f"{site.name}.pem", site, contents))
        values.append(bridge_values(site, bridged(house.groups), str(trusted), partial(_password, wanted, site)))
    if values:
        yield _private(wanted.conf_d / mosquitto_files.BRIDGES, mosquitto_files.bridges(values))


def _password(wanted: BrokerPlan, site: LinkedSite, user: str) -> str:
    return _of_site(wanted.config / "secrets" / user, site, read_password)


def _of_site(file: Path, site: LinkedSite, read: Callable[[Path], T]) -> T:
    """Return what another site has given us in a file.

    Raises:
        SettingsError: it cannot be read.
    """
    try:
        return read(file)
    except (OSError, ValueError) as error:
        again = f"join {site.name} again with its invitation: sudo penates bridge join FILE"
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise SettingsError([Fault(str(file), 1, f"{why}; {again}")]) from None


def trial(wanted: BrokerPlan, planned: Sequence[Planned], program: str) -> BrokerTrial:
    """Return a trial of these files, as `plan` returned them."""
    own_acl = wanted.config / "mosquitto" / "acl"
    return BrokerTrial(wanted.mosquitto, planned, own_acl, expected_broker(wanted, planned), program)


def expected_broker(wanted: BrokerPlan, planned: Sequence[Planned]) -> ExpectedBroker:
    """Return what the broker must be like with these files, as `plan` returned them."""
    house = BrokerUsers.of(wanted.config, wanted.guests)
    folder = wanted.config / "secrets"
    passwords = {one.path.name: one.content for one in planned if one.path.parent == folder and one.content}
    return ExpectedBroker(
        plain_port=wanted.plain_port,
        tls_port=wanted.tls_port,
        tls_address=wanted.tls_address,
        websocket_port=wanted.websocket_port,
        ca_file=wanted.config / "ca.pem",
        group=house.groups[0],
        passwords={user: content.decode().partition("\n")[0] for user, content in passwords.items()},
        sensors=[user for user in house.users if user not in (ADMIN, EYES, HOME_ASSISTANT)],
        carried={user: rules.carried for user, rules in house.sensors.items() if rules.carried},
    )


def secret_of_user(file: Path, *, by_sensors: bool = False) -> tuple[str, Planned]:
    """Return the password in a file, and the file as it is or will be; `by_sensors`: their user reads it."""
    try:
        password, content = read_password(file), contents(file)
    except FileNotFoundError:
        password = secrets.token_urlsafe(SECRET_BYTES)
        content = f"{password}\n".encode()
    except ValueError as error:
        raise Fatal(Exit.SETTINGS, f"{file} {error}; remove it for a new secret") from None
    if by_sensors:
        return password, Planned(file, content, SHARED, group=USER)
    return password, secret(file, content, shared=file.name == EYES)


def _settings(wanted: BrokerPlan, house: BrokerUsers) -> list[Planned]:
    """Return the settings, which everybody may read."""
    kept = mosquitto_files.kept(house.waiting, house.outage_s)
    values = {
        "folder": wanted.private,
        "plain_port": wanted.plain_port,
        "tls_port": wanted.tls_port,
        "tls_address": wanted.tls_address,
        "websocket_port": wanted.websocket_port,
    }
    return [
        Planned(wanted.conf_d / mosquitto_files.KEPT, kept.encode()),
        Planned(wanted.conf_d / mosquitto_files.LISTENERS, mosquitto_files.listeners(values).encode()),
    ]


def _access(wanted: BrokerPlan, house: BrokerUsers, known: Mapping[str, str]) -> list[Planned]:
    """Return the files of the users and of their access; the house's owner may add to both."""
    file = wanted.private / "passwords"
    passwords = mosquitto_files.passwords(known, contents(file).decode() if file.exists() else "")
    acl = mosquitto_files.acl(house.groups, house.recorded, house.sensors, house.prefix, house.sites)
    own = wanted.config / "mosquitto"
    users = passwords + mosquitto_files.added(own / "passwords", mosquitto_files.a_user)
    if twice := [user for user, times in Counter(mosquitto_files.users_in(users)).items() if times > 1]:
        wrong = f"the user {twice[0]!r} is defined twice, or is one of the house's own"
        raise SettingsError([Fault(str(own / "passwords"), 1, wrong)])
    more = mosquitto_files.added(own / "acl", mosquitto_files.a_rule)
    if nobodys := [*mosquitto_files.rules_of_nobody(more)]:
        wrong = "put 'user NAME' before it: Mosquitto applies a rule without one to anonymous clients, and none come in"
        raise SettingsError([Fault(str(own / "acl"), number, wrong) for number in nobodys])
    rules = acl + more
    return [
        Planned(wanted.private, None, ENTERED, group=BROKER),
        _private(file, users),
        _private(wanted.private / "acl", rules),
    ]


def certificate_files(wanted: BrokerPlan, authority: Authority) -> list[Planned]:
    """Return the files of the certificates; the broker's own copy only if Mosquitto has been set up."""
    return [*authority.plan(), *(_broker_copy(wanted, authority) if wanted.private.is_dir() else [])]


def _broker_copy(wanted: BrokerPlan, authority: Authority) -> list[Planned]:
    """Return the broker's own copy of its certificate and key."""
    files = {planned.path.name: planned.content for planned in authority.plan()}
    return [_private(wanted.private / name, files[name]) for name in ("server.pem", "server.key")]


def _private(file: Path, content: str | bytes | None) -> Planned:
    """Return a file that only the broker may read."""
    return Planned(file, content.encode() if isinstance(content, str) else content, SECRET, BROKER, BROKER)
