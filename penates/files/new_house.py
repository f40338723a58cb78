"""Writing a first configuration: a house, and a device that runs on every machine."""

import errno
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from bootstrap.config.loader import DEVICES, HOUSE, open_house
from bootstrap.package_data import folder as packaged
from bootstrap.paths import write_new
from penates.datasheet import sheet
from penates.files.new_device import NewDevice
from penates.files.toml_edit import toml, with_settings

CA, SECRETS = "ca.pem", "secrets"
SECRET_MODE, FOLDER_MODE = 0o600, 0o700
GROUP = "home"
MACHINE, RECORDER = "pi", "recorder"


@dataclass(frozen=True, kw_only=True)
class NewHouse:
    """A house that is to be written.

    Attributes:
        group: the first level of its topics.
        host: of the broker.
        port: of the broker, if it is not the usual one.
        username: the user at the broker, if it wants one.
        password: of that user.
        ca: the certificate to trust, in PEM; with it, the connection uses TLS.
        store: where a recorder stores; empty for no recorder.
        homeassistant: whether sensors are announced to Home Assistant.
    """

    group: str = GROUP
    host: str = "localhost"
    port: int | None = None
    username: str = ""
    password: str = field(default="", repr=False)
    ca: bytes = b""
    store: str = ""
    homeassistant: bool = True

    def write(self, folder: Path) -> Iterator[Path]:
        """Write what is not there yet, and yield each file. Nothing that is there is changed.

        Raises:
            OSError: a file cannot be written.
            SettingsError: the `house.toml` that is there has faults.
        """
        (folder / DEVICES).mkdir(parents=True, exist_ok=True)
        if not os.path.lexists(folder / HOUSE):
            yield from self._secrets(folder)
            write_new(folder / HOUSE, self.text())
            yield folder / HOUSE
        configuration, house = open_house(folder)
        if not configuration.sensors:
            recorder = [(RECORDER, {"store": toml(self.store or "sqlite")})] if house.history.recorder else []
            # The recorder first: without it, a house that is left half written would promise one.
            for kind, values in [*recorder, (MACHINE, {})]:
                new = NewDevice(folder, kind, sheet(kind, None), values)
                new.write()
                yield new.file

    def text(self) -> str:
        """Return `house.toml`, in which each setting is explained."""
        settings: dict[tuple[str, str], object] = {("", "group"): self.group, ("broker", "host"): self.host}
        given = {"port": self.port, "username": self.username, "password_file": self.password and self._secret}
        given["ca_file"] = CA if self.ca else None
        settings |= {("broker", name): value for name, value in given.items() if value}
        settings |= {("history", "recorder"): True} if self.store else {}
        settings |= {} if self.homeassistant else {("homeassistant", "enabled"): False}
        return with_settings((packaged("config") / HOUSE).read_text(encoding="utf-8"), settings)

    @property
    def _secret(self) -> str:
        """The file with the password, relative to the folder; quoted because a broker's user may have any name."""
        name = quote(self.username, safe="@+=, ")
        return f"{SECRETS}/{name if name.strip('.') else name.replace('.', '%2E')}"

    def _secrets(self, folder: Path) -> Iterator[Path]:
        """Write the password, which its owner alone can read, and the certificate, unless they are there.

        Raises:
            OSError: another one is there, or it cannot be written.
        """
        if self.password:
            (folder / SECRETS).mkdir(mode=FOLDER_MODE, exist_ok=True)
            file, content = folder / self._secret, f"{self.password}\n".encode()
            if _is_wanted(file, content):
                descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, SECRET_MODE)
                with os.fdopen(descriptor, "wb") as stream:
                    stream.write(content)
                yield file
        if self.ca and _is_wanted(folder / CA, self.ca):
            write_new(folder / CA, self.ca)
            yield folder / CA


def _is_wanted(file: Path, content: bytes) -> bool:
    """Return whether a file is not there yet.

    Raises:
        OSError: it is there, and says something else.
    """
    if not os.path.lexists(file):
        return True
    if file.read_bytes() != content:
        raise FileExistsError(errno.EEXIST, "another one is there; remove it first", str(file))
    return False
