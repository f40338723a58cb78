"""The house's folder as it will be, assembled in a temporary copy: whatever follows from it is known beforehand."""

import grp
import os
import shutil
import stat
import tempfile
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bootstrap.config.loader import DEVICES, Configuration, device_file
from bootstrap.config.loader import HOUSE as HOUSE_FILE
from bootstrap.config.model import LOCAL, PLAIN_PORT, TLS_PORT, BrokerSettings, House, SensorSettings
from bootstrap.config.secrets import password_file
from bootstrap.config.toml_file import Fault, SettingsError, TomlFile, contents
from bootstrap.contract.topics import EYES, ID_RULE, is_id
from bootstrap.device import this_host
from bootstrap.errors import Exit, Fatal, to_install
from bootstrap.package_data import folder
from penates.files.install_paths import CA, HOUSE, LOOKERS, MOSQUITTO, SECRETS, STATE, USER
from penates.files.planned_file import ENTERED, FOLDER_MODE, Planned, secret
from penates.files.toml_edit import with_settings
from penates.fleet.access import Access, trusting
from penates.installer.invitation import Invitation, invited
from penates.installer.other_broker import OtherBroker
from penates.installer.site_invitation import renewed_site_files

if TYPE_CHECKING:
    from penates.broker.broker_plan import BrokerPlan
    from penates.broker.expected_broker import ExpectedBroker

MEMORY = "/run"  # a tmpfs, which only root may write to
FIRST_SETTINGS = {
    ("", "state"): str(STATE),
    ("broker", "password_file"): "secrets/{sensor}",
    ("history", "recorder"): True,
}
HIDDEN = (Path("/home"), Path("/root"), Path("/run/user"))  # from units, by ProtectHome=


@dataclass(frozen=True, kw_only=True)
class HouseChanges:
    """What a command changes in a house that is installed.

    Attributes:
        settings: of `house.toml`.
        files: in the house's folder.
        removed: files of it that go.
        names: names for the broker's certificate.
        taken: files of a Mosquitto that is taken over, without what controls access.
    """

    settings: Mapping[tuple[str, str], Any] = field(default_factory=dict)
    files: Sequence[Planned] = ()
    removed: Sequence[Path] = ()
    names: Sequence[str] = ()
    taken: Sequence[Planned] = ()


@contextmanager
def scratch() -> Iterator[Path]:
    """Provide a temporary folder for a copy of the house with its keys: in memory if root asks for it."""
    with tempfile.TemporaryDirectory(prefix="penates-", dir=None if os.geteuid() else MEMORY) as place:
        yield Path(place)


def first_group() -> str:
    """Return the group of a new house."""
    return str(tomllib.loads((folder("config") / HOUSE_FILE).read_text(encoding="utf-8"))["group"])


class HousePlan:
    """The plan for the folder of a house, new or existing."""

    def __init__(
        self,
        place: Path,
        source: Invitation | OtherBroker | None = None,
        guests: Collection[str] | None = None,
        changes: HouseChanges | None = None,
    ) -> None:
        """Assemble the house in `place`, an empty private folder; `guests` are sensors on other machines.

        Raises:
            SettingsError: the configuration is faulty.
            OSError: it cannot be read.
        """
        self.place, self._source, self.changes = place, source, changes or HouseChanges()
        self._guests = {*(guests or ()), *(sensor for own in invited().values() for sensor in own)}
        if HOUSE.exists():
            _copy(HOUSE, place)
        for file in self.changes.removed:
            (place / file.relative_to(HOUSE)).unlink(missing_ok=True)
        self.own = [*self._own()]
        for one in self.own:
            self._write_copy(one)
        for one in renewed_site_files(Configuration(place, secrets=False)):
            self.own.append(one)
            self._write_copy(one)
        self.configuration = Configuration(place, secrets=False)
        self.devices = self.configuration.all()
        faults = [*self.configuration.faults, *_misnamed(self.configuration), *self._unusable()]
        if faults := [*faults, *_unreadable(self.configuration)]:
            raise SettingsError(faults)

    def _own(self) -> Iterator[Planned]:
        """Yield the files that the installation writes: the settings, the first devices, and those from the source."""
        yield Planned(HOUSE, None, FOLDER_MODE)
        yield Planned(HOUSE / DEVICES, None, FOLDER_MODE)
        settings = HOUSE / HOUSE_FILE
        first = not settings.exists()
        text = (folder("config") / HOUSE_FILE if first else settings).read_text(encoding="utf-8")
        values: dict[tuple[str, str], Any] = {**FIRST_SETTINGS} if first else {}
        values |= self._source.settings if self._source else {}
        values |= self.changes.settings
        yield from self.changes.files
        for kind in _first_devices(self._source) if first else ():
            if not (HOUSE / device_file(kind)).exists():
                yield Planned(HOUSE / device_file(kind), (folder("config") / device_file(kind)).read_bytes())
        yield from self._from_source()
        if values:  # written last: if this run is interrupted, the next one still counts as the first
            yield Planned(settings, with_settings(text, values).encode())

    def _from_source(self) -> Iterator[Planned]:
        match self._source:
            case Invitation(ca=ca, secrets=secrets):
                yield Planned(HOUSE / CA, ca.encode())
                yield Planned(SECRETS, None, ENTERED, group=LOOKERS)
                for user, password in secrets.items():
                    yield secret(SECRETS / user, f"{password}\n".encode(), shared=user == EYES)
            case OtherBroker(password=password, ca=certificate) as source:
                if certificate:
                    yield Planned(HOUSE / CA, certificate)
                if source.secret:
                    yield Planned(SECRETS, None, ENTERED, group=LOOKERS)
                if source.secret and password:
                    yield secret(SECRETS / source.secret, f"{password}\n".encode(), shared=True)

    def _write_copy(self, one: Planned) -> None:
        copy = self.place / one.path.relative_to(HOUSE)
        if one.content is None:
            copy.mkdir(exist_ok=True)
        else:
            copy.write_bytes(one.content)

    def _unusable(self) -> Iterator[Fault]:
        """Yield a fault for each setting that cannot work: a folder hidden from units, or the other listener's port."""
        line = TomlFile(self.place, HOUSE_FILE).line
        if (house := self.configuration.house) is None:
            return
        if house.state and any(map(house.state.is_relative_to, (self.place, *HIDDEN))):
            hidden = ", ".join(map(str, HIDDEN))
            yield Fault(HOUSE_FILE, line("state"), f"for units 'state' must be an absolute path, not below {hidden}")
        if house.broker.tcp_port == (PLAIN_PORT if house.broker.ca_file else TLS_PORT) and self.local:
            which = "'port' is the broker's other port: the one with TLS, or without"
            yield Fault(HOUSE_FILE, line("port", "broker"), which)
        yield from _unusable_port(house.broker, line("websocket_port", "broker"))

    @property
    def house(self) -> House:
        """The settings of the house."""
        assert self.configuration.house is not None, "it is without faults"  # noqa: S101
        return self.configuration.house

    @property
    def access(self) -> Access | None:
        """Access to the broker for people who look; None before our own broker has been set up."""
        return self.access_as(EYES)

    def access_as(self, wanted: str) -> Access | None:
        """Return access to the broker as this user; None before our own broker has been set up."""
        broker = self.house.broker
        user = broker.username or (wanted if broker.password_file else None)
        if (self.local or self.beside) and not (user and (SECRETS / user).exists()):
            return None
        password = self.password(user) if user else None
        trust = trusting(broker.ca_file)
        return Access(broker.hosts, broker.tcp_port, broker.protocol, user, password, trust)

    @property
    def state(self) -> Path | None:
        """The folder in which sensors keep their state, if it is not the one that systemd makes for them."""
        return None if self.house.state in (None, STATE) else self.house.state

    @property
    def state_folder(self) -> list[Planned]:
        """The state folder, if it must be made; one that exists is left as it is."""
        return [Planned(self.state, None, ENTERED, USER, USER)] if self.state and not self.state.exists() else []

    @property
    def local(self) -> bool:
        """Whether the broker is on this machine and ours to set up, with a user of its own for each sensor."""
        return self.house.broker.managed_here

    @property
    def beside(self) -> bool:
        """Whether the broker is a Mosquitto of others on this machine that has a user for each of our sensors."""
        broker = self.house.broker
        return not broker.managed and broker.username is None and broker.password_file is not None

    @cached_property
    def planned(self) -> list[Planned]:
        """All files and folders, including the broker's if it is ours.

        Raises:
            SettingsError, Fatal, OSError: the plan cannot be made.
        """
        if self.beside:
            return [*self.own, *(replace(one, path=self.final_path(one.path)) for one in self._guest_files)]
        if not self.local:
            self._require_secrets()
            return self.own
        return [*self.own, *(replace(one, path=self.final_path(one.path)) for one in self._broker_files)]

    @cached_property
    def _broker_files(self) -> list[Planned]:
        """The broker's files; those of the house are in the temporary copy."""
        try:
            from penates.broker.broker_plan import plan  # noqa: PLC0415 - needs cryptography, for our own broker alone
        except ImportError as error:
            advice = to_install("cryptography", "ifaddr")
            raise Fatal(Exit.ABSENT, f"our own broker needs cryptography and ifaddr ({error}); {advice}") from None
        with self._final_names():
            return plan(self._broker_plan)

    @cached_property
    def _guest_files(self) -> list[Planned]:
        """Return the files of a Mosquitto of others with our users; secrets are in the temporary copy."""
        from penates.broker.guest_plan import GuestPlan  # noqa: PLC0415 - needs cryptography
        from penates.broker.local_mosquitto import local_mosquitto  # noqa: PLC0415 - for such a broker alone

        found = local_mosquitto(MOSQUITTO, port=self.house.broker.tcp_port)
        with self._final_names():
            return GuestPlan(self.place, found).files() if found else []

    @contextmanager
    def _final_names(self) -> Iterator[None]:
        """Name files of the temporary copy in faults as they are named in the house."""
        try:
            yield
        except SettingsError as error:
            faults = [replace(one, file=str(self.final_path(Path(one.file)))) for one in error.faults]
            raise SettingsError(faults) from None

    @property
    def expected_broker(self) -> "ExpectedBroker":
        """What our broker must be like once it runs."""
        from penates.broker.broker_plan import expected_broker  # noqa: PLC0415 - needs cryptography

        return replace(expected_broker(self._broker_plan, self._broker_files), ca_file=HOUSE / CA)

    def try_broker(self, mosquitto: str) -> None:
        """Try our broker's files with the program Mosquitto; nothing of this machine is changed.

        Raises:
            SettingsError, Unavailable, OSError: the broker would not be as it must be.
        """
        from penates.broker.broker_plan import trial  # noqa: PLC0415 - needs cryptography

        with self._final_names():
            trial(self._broker_plan, self._broker_files, mosquitto).require_success()

    @property
    def _broker_plan(self) -> "BrokerPlan":
        from penates.broker.broker_plan import BrokerPlan  # noqa: PLC0415 - needs cryptography

        broker = self.house.broker
        plain, secured = (PLAIN_PORT, broker.tcp_port) if broker.ca_file else (broker.tcp_port, TLS_PORT)
        guests, names = sorted(self._guests), self.changes.names
        more: dict[str, Any] = {"plain_port": plain, "tls_port": secured, "websocket_port": broker.websocket_port}
        return BrokerPlan(config=self.place, guests=guests, names=names, taken=self.changes.taken, **more)

    @property
    def broker_address(self) -> tuple[list[str], int]:
        """The names and addresses in our broker's certificate under which other machines reach it, and its port."""
        from penates.broker.house_ca import Authority  # noqa: PLC0415 - needs cryptography

        wanted = self._broker_plan
        held = Authority(folder=wanted.config, names=wanted.names).names_held
        return sorted({*held} - {*LOCAL}, key=_by_permanence), wanted.tls_port

    def final_path(self, path: Path) -> Path:
        """Return where a file of the temporary copy belongs in the house; other paths are unchanged."""
        return HOUSE / path.relative_to(self.place) if path.is_relative_to(self.place) else path

    def _require_secrets(self) -> None:
        """Raise SettingsError unless each sensor has a password for the broker, which is on another machine."""
        missing = {
            settings.topics.sensor: file
            for settings in self.devices.values()
            if (file := self.secret_of(settings)) and not (self.place / file.relative_to(HOUSE)).exists()
        }
        if missing and self.house.broker.username:
            raise SettingsError([Fault(HOUSE_FILE, 1, "no password yet: use --broker HOST --username NAME once more")])
        if missing:
            ask = f"on the broker's machine run: sudo penates invite {this_host()} {' '.join(sorted(missing))}"
            raise SettingsError(
                [
                    Fault(settings.file, 1, f"the broker does not know {settings.topics.sensor}; {ask}")
                    for settings in self.devices.values()
                    if settings.topics.sensor in missing
                ]
            )

    def secret_of(self, settings: SensorSettings) -> Path | None:
        """Return the path of the file with a sensor's password, if it has one."""
        return password_file(HOUSE, self.house.broker.password_file, settings.topics.sensor)

    def content(self, path: Path) -> bytes:
        """Return what a file will contain; nothing if it will not exist."""
        for one in self.planned:
            if one.path == path and one.content is not None:
                return one.content
        try:
            return contents(self.place / path.relative_to(HOUSE))
        except OSError:
            return b""

    def password(self, user: str) -> str | None:
        """Return the password of one of the broker's users, if there is one."""
        return self.content(SECRETS / user).decode().partition("\n")[0] or None


def _unusable_port(broker: BrokerSettings, line: int) -> Iterator[Fault]:
    """Yield a fault for a port for browsers that cannot be opened."""
    if broker.websocket_port is None:
        return
    if not broker.managed_here:
        wrong = "'websocket_port' is for a broker that is set up on this machine; add a listener to yours there"
        yield Fault(HOUSE_FILE, line, wrong)
    elif broker.websocket_port in (PLAIN_PORT, TLS_PORT, broker.tcp_port):
        yield Fault(HOUSE_FILE, line, "'websocket_port' must be a port of its own, such as 8884")


def _first_devices(source: Invitation | OtherBroker | None) -> Sequence[str]:
    """Return the kinds of the devices that a new house begins with; one recorder is enough for a broker."""
    match source:
        case Invitation() | OtherBroker(recorder=False):
            return ("pi",)
        case _:
            return ("pi", "recorder")


def _misnamed(configuration: Configuration) -> Iterator[Fault]:
    """Yield a fault for each device file whose name a unit cannot have."""
    for name in configuration.sensors:
        if not is_id(name):
            rule = f"its unit has the file's name, which must be {ID_RULE}; set another id with sensor = … in it"
            yield Fault(device_file(name), 1, rule)


def _unreadable(configuration: Configuration) -> Iterator[Fault]:
    """Yield a fault for each file that the sensors' user cannot read, such as one made under a strict umask."""
    for name in (HOUSE_FILE, *map(device_file, configuration.sensors)):
        file = HOUSE / name
        if file.exists() and not _may_read(file):
            why = f"its unit runs as {USER}, which may not read it: sudo chmod o+r {file}"
            yield Fault(name, 1, why)


def _may_read(file: Path) -> bool:
    """Return whether the sensors' user may read a file. Its group does not exist before the first install."""
    status = file.stat()
    with suppress(KeyError):
        if status.st_mode & stat.S_IRGRP and status.st_gid == grp.getgrnam(USER).gr_gid:
            return True
    return bool(status.st_mode & stat.S_IROTH)


def _copy(house: Path, place: Path) -> None:
    try:
        shutil.copytree(house, place, dirs_exist_ok=True, ignore_dangling_symlinks=True)
    except shutil.Error:
        if os.geteuid():
            raise PermissionError(f"no permission to read all of {house}: use sudo") from None
        raise


def _by_permanence(name: str) -> tuple[bool, bool, str]:
    """Return a sort key: names outlast addresses, and `.local` comes first because the machine itself publishes it."""
    return not name[-1:].isalpha(), not name.endswith(".local"), name
