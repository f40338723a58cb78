"""The house's own folder as it is to be, made in a place beside it: whatever follows from it is known beforehand."""

import grp
import os
import shutil
import stat
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from bootstrap.config.loader import DEVICES, Configuration, device_file
from bootstrap.config.loader import HOUSE as HOUSE_FILE
from bootstrap.config.model import PLAIN_PORT, TLS_PORT, House, SensorSettings
from bootstrap.config.secrets import password_file
from bootstrap.config.toml_file import Fault, SettingsError, TomlFile, contents
from bootstrap.contract.topics import EYES, ID_RULE, is_id
from bootstrap.device import host_name
from bootstrap.errors import Exit, Fatal, to_install
from penates.files.install_paths import HOUSE, SECRETS, STATE, USER
from penates.files.package_data import folder
from penates.files.planned_file import ENTERED, FOLDER_MODE, Planned, secret
from penates.files.toml_edit import with_settings
from penates.installer.invitation import Invitation, invited

if TYPE_CHECKING:
    from penates.broker.broker_plan import BrokerPlan

LOCAL = ("localhost", "127.0.0.1", "::1")
CA = "ca.pem"
MEMORY = "/run"
UNSEEN = (Path("/home"), Path("/root"), Path("/run/user"))  # by ProtectHome=


@dataclass(frozen=True, kw_only=True)
class OtherBroker:
    """A broker that is not ours to look after: `--broker`."""

    host: str
    port: int | None
    username: str
    password: str | None
    ca: bytes | None

    @property
    def settings(self) -> dict[tuple[str, str], Any]:
        """What it means for `house.toml`."""
        said = {"host": self.host, "port": self.port, "ca_file": self.ca and CA}
        said |= {"username": self.username, "password_file": f"secrets/{self.secret}"}
        return {("broker", key): value for key, value in said.items()}

    @property
    def secret(self) -> str:
        """The name of the file with its password: a broker's user may be called anything."""
        return quote(self.username, safe="@+=, ")


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder for a copy of the house, keys and all: in memory, where that can be."""
    with tempfile.TemporaryDirectory(prefix="penates-", dir=None if os.geteuid() else MEMORY) as place:
        yield Path(place)


class HousePlan:
    """Of a house that was there, or is new."""

    def __init__(
        self, place: Path, source: Invitation | OtherBroker | None = None, guests: Collection[str] | None = None
    ) -> None:
        """`place` is an empty folder that only we can enter; `guests` are sensors on other machines.

        Raises:
            SettingsError: the house is faulty.
            OSError: it cannot be read.
        """
        self.place, self._source = place, source
        self._guests = {*(guests or ()), *(sensor for own in invited().values() for sensor in own)}
        if HOUSE.exists():
            _copy(HOUSE, place)
        self.own = [*self._own()]
        for one in self.own:
            self._write_here(one)
        self.configuration = Configuration(place, secrets=False)
        self.devices = self.configuration.all()
        if faults := [*self.configuration.faults, *self._misnamed(), *self._misplaced(), *self._closed()]:
            raise SettingsError(faults)

    def _own(self) -> Iterator[Planned]:
        """Our part of it: the settings, the first devices, and what the source has brought."""
        yield Planned(HOUSE, None, FOLDER_MODE)
        yield Planned(HOUSE / DEVICES, None, FOLDER_MODE)
        settings = HOUSE / HOUSE_FILE
        first = not settings.exists()
        text = (folder("config") / HOUSE_FILE if first else settings).read_text()
        said = self._first_settings() if first else {}
        said |= self._source.settings if self._source else {}
        for kind in ("pi", "recorder") if first and not self._source else ("pi",) if first else ():
            if not (HOUSE / device_file(kind)).exists():
                yield Planned(HOUSE / device_file(kind), (folder("config") / device_file(kind)).read_bytes())
        yield from self._brought()
        if said:  # last: without it, however this ends, the next one is still the first
            yield Planned(settings, with_settings(text, said).encode())

    @staticmethod
    def _first_settings() -> dict[tuple[str, str], Any]:
        return {
            ("", "state"): str(STATE),
            ("broker", "password_file"): "secrets/{sensor}",
            ("history", "recorder"): True,
        }

    def _brought(self) -> Iterator[Planned]:
        match self._source:
            case Invitation(ca=ca, secrets=secrets):
                yield Planned(HOUSE / CA, ca.encode())
                yield Planned(SECRETS, None, ENTERED, group=USER)
                for user, password in secrets.items():
                    yield secret(SECRETS / user, f"{password}\n".encode(), shared=user == EYES)
            case OtherBroker(password=password, ca=certificate) as source:
                if certificate:
                    yield Planned(HOUSE / CA, certificate)
                yield Planned(SECRETS, None, ENTERED, group=USER)
                if password:
                    yield secret(SECRETS / source.secret, f"{password}\n".encode(), shared=True)

    def _write_here(self, one: Planned) -> None:
        here = self.place / one.path.relative_to(HOUSE)
        if one.content is None:
            here.mkdir(exist_ok=True)
        else:
            here.write_bytes(one.content)

    def _misnamed(self) -> Iterator[Fault]:
        """A unit is named as the file."""
        for name in self.configuration.sensors:
            if not is_id(name):
                yield Fault(device_file(name), 1, f"as a unit the file's name must be {ID_RULE}; say sensor = … in it")

    def _closed(self) -> Iterator[Fault]:
        """Whoever made it may have had a strict umask."""
        for name in (HOUSE_FILE, *map(device_file, self.configuration.sensors)):
            file = HOUSE / name
            if file.exists() and not _may_read(file):
                why = f"its unit runs as {USER}, who may not read it: sudo chmod o+r {file}"
                yield Fault(name, 1, why)

    def _misplaced(self) -> Iterator[Fault]:
        """Units do not see everything."""
        line = TomlFile(self.place, HOUSE_FILE).line
        if (house := self.configuration.house) is None:
            return
        if house.state and any(map(house.state.is_relative_to, (self.place, *UNSEEN))):
            unseen = ", ".join(map(str, UNSEEN))
            yield Fault(HOUSE_FILE, line("state"), f"for units 'state' must be an absolute path, not below {unseen}")
        if house.broker.tcp_port == (PLAIN_PORT if house.broker.ca_file else TLS_PORT) and self.local:
            yield Fault(HOUSE_FILE, line("port", "broker"), "'port' is that of the other way in: with TLS, or without")

    @property
    def house(self) -> House:
        """Its settings."""
        assert self.configuration.house is not None, "it is without faults"  # noqa: S101
        return self.configuration.house

    @property
    def state(self) -> Path | None:
        """Where sensors keep things, if that is another folder than the one that systemd makes for them."""
        return None if self.house.state in (None, STATE) else self.house.state

    @property
    def kept(self) -> list[Planned]:
        """That folder; one that is there is somebody else's to look after."""
        return [Planned(self.state, None, ENTERED, USER, USER)] if self.state and not self.state.exists() else []

    @property
    def local(self) -> bool:
        """Whether the broker is this machine's own, and ours: there each sensor is a user of its own."""
        broker = self.house.broker
        return broker.username is None and all(host in LOCAL for host in broker.hosts)

    @cached_property
    def planned(self) -> list[Planned]:
        """All of it, with what the broker needs if it is ours.

        Raises:
            SettingsError, Fatal, OSError: it cannot be made.
        """
        if not self.local:
            self._have_secrets()
            return self.own
        try:
            from penates.broker.broker_plan import plan  # noqa: PLC0415 - with what makes certificates, which only a broker needs
        except ImportError as error:
            advice = to_install("cryptography", "ifaddr")
            raise Fatal(Exit.ABSENT, f"a broker of our own needs cryptography and ifaddr ({error}); {advice}") from None
        return [*self.own, *(replace(one, path=self.really(one.path)) for one in plan(self._site))]

    @property
    def _site(self) -> "BrokerPlan":
        from penates.broker.broker_plan import BrokerPlan  # noqa: PLC0415 - likewise

        broker = self.house.broker
        plain, secured = (PLAIN_PORT, broker.tcp_port) if broker.ca_file else (broker.tcp_port, TLS_PORT)
        return BrokerPlan(config=self.place, guests=sorted(self._guests), plain_port=plain, tls_port=secured)

    @property
    def entrance(self) -> tuple[list[str], int]:
        """Where other machines find our broker: names that its certificate is good for, and the port."""
        from penates.broker.house_ca import Authority  # noqa: PLC0415 - likewise

        site = self._site
        held = Authority(folder=site.config, names=site.names).names_held
        return sorted({*held} - {*LOCAL}, key=_by_steadiness), site.tls_port

    def really(self, path: Path) -> Path:
        """Where something of this place is meant to be."""
        return HOUSE / path.relative_to(self.place) if path.is_relative_to(self.place) else path

    def _have_secrets(self) -> None:
        """A broker elsewhere must know each of our sensors."""
        missing = {
            settings.topics.sensor: file
            for settings in self.devices.values()
            if (file := self.secret_of(settings)) and not (self.place / file.relative_to(HOUSE)).exists()
        }
        if missing and self.house.broker.username:
            raise SettingsError([Fault(HOUSE_FILE, 1, "no password yet: say --broker HOST --username U once more")])
        if missing:
            ask = f"on the broker's machine say: sudo penates invite {host_name('')} {' '.join(sorted(missing))}"
            raise SettingsError(
                [
                    Fault(settings.file, 1, f"the broker does not know {settings.topics.sensor}; {ask}")
                    for settings in self.devices.values()
                    if settings.topics.sensor in missing
                ]
            )

    def secret_of(self, settings: SensorSettings) -> Path | None:
        """The file with a sensor's password, where it will be."""
        return password_file(HOUSE, self.house.broker.password_file, settings.topics.sensor)

    def content(self, path: Path) -> bytes:
        """What a file will hold; nothing if it will not be there."""
        for one in self.planned:
            if one.path == path and one.content is not None:
                return one.content
        try:
            return contents(self.place / path.relative_to(HOUSE))
        except OSError:
            return b""

    def password(self, user: str) -> str | None:
        """Of one of the broker's users."""
        return self.content(SECRETS / user).decode().partition("\n")[0] or None


def _may_read(file: Path) -> bool:
    """Whether the sensors' user may; the group's name is unknown before the first install."""
    there = file.stat()
    with suppress(KeyError):
        if there.st_mode & stat.S_IRGRP and there.st_gid == grp.getgrnam(USER).gr_gid:
            return True
    return bool(there.st_mode & stat.S_IROTH)


def _copy(house: Path, place: Path) -> None:
    try:
        shutil.copytree(house, place, dirs_exist_ok=True, ignore_dangling_symlinks=True)
    except shutil.Error:
        if os.geteuid():
            raise PermissionError(f"no right to read all of {house}: say sudo") from None
        raise


def _by_steadiness(name: str) -> tuple[bool, bool, str]:
    """A name outlives an address, and `.local` is told by the machine itself."""
    return not name[-1:].isalpha(), not name.endswith(".local"), name
