"""What a machine of the house needs to connect to the broker on another one, in one file, which is secret."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from penates.files.install_paths import INVITED
from penates.files.planned_file import SECRET, Planned
from penates.installer.json_fields import CERTIFICATE, HOSTS, NAME, PORT, SECRETS, Rule, read_fields


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

    @classmethod
    def read(cls, file: Path) -> Self:
        """Read an invitation from a file.

        Raises:
            Fatal: the file cannot be read, or is not an invitation; the message names each wrong field.
        """
        return cls(**read_fields(file, FIELDS, "an invitation, as `penates invite` writes one"))

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


FIELDS: Mapping[str, Rule] = {
    "machine": NAME,
    "group": NAME,
    "brokers": HOSTS,
    "port": PORT,
    "recorder": (lambda value: isinstance(value, bool), "true or false"),
    "ca": CERTIFICATE,
    "secrets": SECRETS,
}


def invited() -> dict[str, list[str]]:
    """Return the invited sensors on other machines, by machine.

    Raises:
        Fatal: the file of an invitation is damaged.
    """
    found = [Invitation.read(file) for file in sorted(INVITED.glob("*.json"))]
    return {one.machine: sorted({*one.secrets} - {"eyes"}) for one in found}
