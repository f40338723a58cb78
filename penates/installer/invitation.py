"""What a machine of the house needs to connect to the broker on another one, in one file, which is secret."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from bootstrap.config.toml_file import contents
from bootstrap.contract.topics import is_id
from bootstrap.errors import Exit, Fatal
from penates.files.install_paths import INVITED
from penates.files.planned_file import SECRET, Planned


@dataclass(frozen=True, kw_only=True)
class Invitation:
    """The invitation of one machine.

    Attributes:
        machine: its host name, from which the id of its sensor of kind `pi` is made.
        group: the house's group.
        brokers: the names and addresses of the broker's machine that are in its certificate.
        port: the broker's TLS port.
        recorder: whether the house has a recorder.
        ca: the CA certificate to trust, in PEM.
        secrets: the password of each user: the machine's sensors and `eyes`.
    """

    machine: str
    group: str
    brokers: list[str]
    port: int
    recorder: bool
    ca: str
    secrets: Mapping[str, str] = field(repr=False)

    def __post_init__(self) -> None:
        if not all(map(is_id, (self.machine, self.group, *self.secrets))):  # they become file names
            raise ValueError("a name that is not an id")
        if not all(isinstance(self.secrets[user], str) for user in self.secrets):
            raise ValueError("a password that is not a string")

    @classmethod
    def read(cls, file: Path) -> Self:
        """Read an invitation from a file.

        Raises:
            Fatal: the file cannot be read, or is not an invitation.
        """
        try:
            return cls(**json.loads(contents(file)))
        except OSError as error:
            raise Fatal(Exit.SETTINGS, f"{file} cannot be read: {error.strerror}") from None
        except (ValueError, TypeError, AttributeError):
            raise Fatal(Exit.SETTINGS, f"{file} is not an invitation; `penates invite` writes one") from None

    @property
    def planned(self) -> Planned:
        """The file, as it is kept on the broker's machine and copied to the other one."""
        text = json.dumps(asdict(self), indent=2) + "\n"
        return Planned(INVITED / f"{self.machine}.json", text.encode(), SECRET)

    @property
    def settings(self) -> dict[tuple[str, str], Any]:
        """The settings that it gives `house.toml`."""
        return {
            ("", "group"): self.group,
            ("broker", "host"): self.brokers,
            ("broker", "port"): self.port,
            ("broker", "ca_file"): "ca.pem",
            ("broker", "username"): None,
            ("broker", "password_file"): "secrets/{sensor}",
            ("history", "recorder"): self.recorder,
        }


def invited() -> dict[str, list[str]]:
    """Return the invited sensors on other machines, by machine.

    Raises:
        Fatal: the file of an invitation is damaged.
    """
    found = [Invitation.read(file) for file in sorted(INVITED.glob("*.json"))]
    return {one.machine: sorted({*one.secrets} - {"eyes"}) for one in found}
