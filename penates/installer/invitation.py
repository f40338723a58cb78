"""What a machine of the house needs to connect to the broker on another one, in one file, which is secret."""

import json
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from bootstrap.config.secrets import LONGEST_PASSWORD
from bootstrap.config.toml_file import contents
from bootstrap.contract.topics import ID_RULE, is_id
from bootstrap.errors import Exit, Fatal
from bootstrap.hosts import a_host
from penates.files.install_paths import INVITED
from penates.files.planned_file import SECRET, Planned
from penates.fleet.access import HIGHEST_PORT


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
        try:
            found = json.loads(contents(file))
        except OSError as error:
            raise Fatal(Exit.SETTINGS, f"{file} cannot be read: {error.strerror}") from None
        except (ValueError, RecursionError):
            raise _no_invitation(file, "it is not JSON") from None
        if problems := [*_problems(found)]:
            raise _no_invitation(file, "; ".join(problems))
        return cls(**found)

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


def _no_invitation(file: Path, why: str) -> Fatal:
    return Fatal(Exit.SETTINGS, f"{file} is not an invitation, as `penates invite` writes one: {why}")


def _problems(found: object) -> Iterator[str]:
    """Yield what is wrong with the fields of an invitation. No value is repeated, because it may be a secret."""
    if not isinstance(found, dict):
        yield "it is not a JSON object"
        return
    for name, (is_valid, rule) in FIELDS.items():
        if name not in found:
            yield f"{name!r} is missing"
        elif not is_valid(found[name]):
            yield f"{name!r} must be {rule}"
    yield from (f"there is no field {name!r}" for name in found.keys() - FIELDS)


def _is_name(value: object) -> bool:
    return isinstance(value, str) and is_id(value)


def _are_hosts(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_is_host, value))


def _is_host(value: object) -> bool:
    with suppress(ValueError):
        if isinstance(value, str):
            a_host(value)
            return True
    return False


def _is_port(value: object) -> bool:
    return type(value) is int and 0 < value <= HIGHEST_PORT


def _is_certificate(value: object) -> bool:
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if isinstance(value, str):
        with suppress(ssl.SSLError, ValueError):
            trust.load_verify_locations(cadata=value)
    return bool(trust.get_ca_certs())


def _are_secrets(value: object) -> bool:
    return isinstance(value, dict) and bool(value) and all(is_id(user) and _is_secret(value[user]) for user in value)


def _is_secret(value: object) -> bool:
    return isinstance(value, str) and value.isprintable() and 0 < len(value.encode()) <= LONGEST_PASSWORD


FIELDS: Mapping[str, tuple[Callable[[object], bool], str]] = {
    "machine": (_is_name, ID_RULE),
    "group": (_is_name, ID_RULE),
    "brokers": (_are_hosts, "a list of host names or addresses, at least one"),
    "port": (_is_port, f"a number from 1 to {HIGHEST_PORT}"),
    "recorder": (lambda value: isinstance(value, bool), "true or false"),
    "ca": (_is_certificate, "a PEM certificate"),
    "secrets": (_are_secrets, f"an object of user: password; a user is {ID_RULE}, a password is text in one line"),
}


def invited() -> dict[str, list[str]]:
    """Return the invited sensors on other machines, by machine.

    Raises:
        Fatal: the file of an invitation is damaged.
    """
    found = [Invitation.read(file) for file in sorted(INVITED.glob("*.json"))]
    return {one.machine: sorted({*one.secrets} - {"eyes"}) for one in found}
