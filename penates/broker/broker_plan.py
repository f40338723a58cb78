"""What a house's broker needs to know whom it speaks to: secrets, certificates, and Mosquitto's own files.

What is there and still good is kept: of two plans without a change between them, the second has nothing to do.
"""

import secrets
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from bootstrap.config.loader import HOUSE, Configuration
from bootstrap.config.model import HomeAssistantSettings, House
from bootstrap.config.secrets import read_password
from bootstrap.config.toml_file import Fault, SettingsError, TomlFile, contents
from bootstrap.contract.topics import EYES, RESERVED_SENSORS, Topics
from bootstrap.errors import Exit, Fatal
from bootstrap.history.topic_settings import TopicSettings
from daemons.recorder import FLEET
from penates.broker import mosquitto_files
from penates.broker.house_ca import Authority
from penates.files.install_paths import USER
from penates.files.planned_file import ENTERED, SECRET, Planned, secret

BROKER = "mosquitto"  # its user and group; 2.1 wants to own what is secret
SECRET_BYTES = 24
RECORDED = ("data/reading", "status/about", *FLEET)


@dataclass(frozen=True, kw_only=True)
class BrokerPlan:
    """One machine with a broker.

    Attributes:
        config: the house's folder.
        mosquitto: Mosquitto's.
        names: what this machine is called beside what it finds itself.
        guests: ids of sensors that run on other machines.
        plain_port: of this machine's own sensors.
        tls_port: of everybody else.
        tls_address: of the only interface that they may use; without one all.
    """

    config: Path = Path("/etc/penates")
    mosquitto: Path = Path("/etc/mosquitto")
    names: Collection[str] = ()
    guests: Collection[str] = ()
    plain_port: int = 1883
    tls_port: int = 8883
    tls_address: str = ""

    @property
    def private(self) -> Path:
        """The folder of what the broker alone may read."""
        return self.mosquitto / "penates"

    @property
    def conf_d(self) -> Path:
        """The folder of what Mosquitto reads beside its own settings."""
        return self.mosquitto / "conf.d"


@dataclass(frozen=True)
class Inhabitants:
    """Who speaks to the broker, and of what.

    Attributes:
        users: their names, in order.
        groups: the first levels of their topics, in order.
        heard: by recorder, what it hears; the user `recorder` is one even if it runs on another machine.
        announced: by user, where it tells Home Assistant of itself.
        prefix: the first part of Home Assistant's topics.
    """

    users: Sequence[str]
    groups: Sequence[str]
    heard: Mapping[str, Sequence[str]]
    announced: Mapping[str, Sequence[str]]
    prefix: str

    @classmethod
    def of(cls, folder: Path, guests: Collection[str] = ()) -> "Inhabitants":
        """By the house's configuration; the secrets may still be missing.

        Raises:
            SettingsError: it is faulty.
        """
        configuration = Configuration(folder, secrets=False)
        found = configuration.all().values()
        house = configuration.house
        faults = [*configuration.faults, *_one_name_for_all(folder, house)]
        if house is None or faults:
            raise SettingsError(faults)
        users = {*RESERVED_SENSORS, *guests, *(settings.topics.sensor for settings in found)}
        groups = {house.group, *(settings.topics.group for settings in found)}
        recorders = {one.topics.sensor: one.device for one in found if isinstance(one.device, TopicSettings)}
        heard = {user: one.unshared(*RECORDED) for user, one in ({"recorder": TopicSettings()} | recorders).items()}
        speakers = [*(one.topics for one in found), *(Topics(*pair) for pair in product(sorted(groups), guests))]
        return cls(
            sorted(users), sorted(groups), heard, _announced(house.homeassistant, speakers), house.homeassistant.prefix
        )


def _one_name_for_all(folder: Path, house: House | None) -> list[Fault]:
    if house is None or house.broker.username is None:
        return []
    line = TomlFile(folder, HOUSE).line("username", "broker")
    return [Fault(HOUSE, line, "'username' must go: at this broker each sensor is a user of its own, named as its id")]


def _announced(assistant: HomeAssistantSettings, speakers: Iterable[Topics]) -> dict[str, list[str]]:
    """Where each user may announce itself, or take that back; which group a guest is of we do not know."""
    owners: dict[str, str] = {}
    announced: dict[str, list[str]] = {}
    for topics in speakers:
        topic, user = assistant.topic(topics), topics.sensor
        if (other := owners.setdefault(topic, user)) != user:
            raise SettingsError(
                [Fault(HOUSE, 1, f"{other!r} and {user!r} would both be announced by {topic}; rename one")]
            )
        announced.setdefault(user, []).append(topic)
    return announced


def plan(site: BrokerPlan) -> list[Planned]:
    """All files, in the order in which they are to be written.

    Raises:
        SettingsError: the configuration is faulty, or Mosquitto's own lets others in.
        Fatal: something that is there is not what it should be.
        OSError: it cannot be read.
    """
    settings = _settings(site)
    if faults := [*mosquitto_files.other_entrances(site.mosquitto, {file.path for file in settings})]:
        raise SettingsError(faults)
    house = Inhabitants.of(site.config, site.guests)
    folder = site.config / "secrets"
    known = {user: _secret(folder / user) for user in house.users}
    authority = Authority(folder=site.config, names=site.names)
    return [
        Planned(folder, None, ENTERED, group=USER),
        *(planned for _, planned in known.values()),
        *authority.plan(),
        *settings,
        *_rules(site, house, {user: password for user, (password, _) in known.items()}),
        *_shown(site, authority),
    ]


def _secret(file: Path) -> tuple[str, Planned]:
    """The password, and its file as it is or is to be."""
    try:
        password, content = read_password(file), contents(file)
    except FileNotFoundError:
        password = secrets.token_urlsafe(SECRET_BYTES)
        content = f"{password}\n".encode()
    except ValueError as error:
        raise Fatal(Exit.SETTINGS, f"{file} {error}; remove it for a new secret") from None
    return password, secret(file, content, shared=file.name == EYES)


def _settings(site: BrokerPlan) -> list[Planned]:
    """What all may read."""
    places = {
        "folder": site.private,
        "plain_port": site.plain_port,
        "tls_port": site.tls_port,
        "tls_address": site.tls_address,
    }
    return [
        Planned(site.conf_d / "penates.conf", mosquitto_files.text("penates.conf").encode()),
        Planned(site.conf_d / "penates-listeners.conf", mosquitto_files.listeners(places).encode()),
    ]


def _rules(site: BrokerPlan, house: Inhabitants, known: Mapping[str, str]) -> list[Planned]:
    """Who there is, and what each may do; the house's owner may add to both."""
    there = site.private / "passwords"
    passwords = mosquitto_files.passwords(known, contents(there).decode() if there.exists() else "")
    acl = mosquitto_files.acl(house.groups, house.heard, house.announced, house.prefix)
    own = site.config / "mosquitto"
    users = passwords + mosquitto_files.added(own / "passwords", mosquitto_files.a_user)
    if twice := [user for user, times in Counter(mosquitto_files.users_in(users)).items() if times > 1]:
        raise SettingsError([Fault(str(own / "passwords"), 1, f"{twice[0]!r} is there twice, or is the house's own")])
    rules = acl + mosquitto_files.added(own / "acl", mosquitto_files.a_rule)
    return [
        Planned(site.private, None, ENTERED, group=BROKER),
        _private(there, users),
        _private(site.private / "acl", rules),
    ]


def certificate_files(site: BrokerPlan, authority: Authority) -> list[Planned]:
    """The certificates alone; the broker's own copy only where Mosquitto has been set up."""
    return [*authority.plan(), *(_shown(site, authority) if site.private.is_dir() else [])]


def _shown(site: BrokerPlan, authority: Authority) -> list[Planned]:
    """The certificate as the broker has it."""
    files = {planned.path.name: planned.content for planned in authority.plan()}
    return [_private(site.private / name, files[name]) for name in ("server.pem", "server.key")]


def _private(file: Path, content: str | bytes | None) -> Planned:
    """What the broker alone may read."""
    return Planned(file, content.encode() if isinstance(content, str) else content, SECRET, BROKER, BROKER)
