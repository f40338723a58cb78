"""The house's CA and its broker's certificate, as files in the house's folder.

What exists and is still valid is kept. An existing CA is never replaced, because every machine of the house trusts it.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from bootstrap.config.toml_file import contents
from bootstrap.contract.timestamps import Clock, newest
from bootstrap.errors import Exit, Fatal
from penates.broker import x509
from penates.broker.x509 import Identity
from penates.files.planned_file import SECRET, Planned

CLOSED = 0o700
START_OVER = (
    "remove it and the folder certs, run this command again, and give every client the new ca.pem (docs/BROKER.md, "
    "Certificates)"
)

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Authority:
    """The certificates that the house's folder contains, and those that it should contain.

    Attributes:
        folder: the house's folder.
        names: names of this machine besides those that it finds itself and those in its present certificate.
        forgotten: names to leave out of the certificate from now on.
        renew: whether to replace the broker's certificate even if it is still valid.
    """

    folder: Path
    names: Collection[str] = ()
    forgotten: Collection[str] = ()
    renew: bool = False

    @property
    def ca_file(self) -> Path:
        """The CA certificate, which clients trust."""
        return self.folder / "ca.pem"

    @property
    def server_file(self) -> Path:
        """The certificate that the broker presents to clients."""
        return self._keys / "server.pem"

    @property
    def _keys(self) -> Path:
        return self.folder / "certs"

    @property
    def names_held(self) -> list[str]:
        """The names and addresses in the broker's certificate, sorted."""
        return sorted(x509.names_in(self.server.certificate))

    def plan(self) -> list[Planned]:
        """Return the files, in the order in which they must be written.

        Raises:
            Fatal: an existing file is not what it should be, or a certificate cannot be made.
            OSError: a file cannot be read.
        """
        ca = [(self._keys / "ca.key", self.ca.key)] if self.ca.key else []
        keys = [*ca, (self._keys / "server.key", self.server.key)]
        return [
            Planned(self._keys, None, CLOSED),
            *(Planned(file, x509.key_pem(key), SECRET) for file, key in keys if key),
            Planned(self.ca_file, x509.pem(self.ca.certificate)),
            Planned(self.server_file, x509.pem(self.server.certificate)),
        ]

    @cached_property
    def ca(self) -> Identity:
        """The existing CA, whose key may be kept elsewhere, or a new one."""
        certificate = _read(self.ca_file, x509.read_certificate)
        key = _read(self._keys / "ca.key", x509.read_key)
        if certificate is None:
            _require_set_clock()
            return x509.new_ca(self._known, key)
        if key is not None and certificate.public_key() != key.public_key():
            raise Fatal(Exit.SETTINGS, f"{self._keys / 'ca.key'} is not the key of {self.ca_file}")
        return Identity(certificate, key)

    @cached_property
    def server(self) -> Identity:
        """The broker's certificate: the existing one if it is still valid, or a new one."""
        existing = self._existing
        if existing and not self.why:
            return existing
        _require_set_clock()
        if self.ca.key is None:
            absent = f"the CA's key {self._keys / 'ca.key'} is missing"
            raise Fatal(Exit.SETTINGS, f"the broker needs a new certificate ({self.why}), but {absent}")
        return x509.new_server(self.ca, self._wanted)

    @cached_property
    def why(self) -> str | None:
        """Why the broker's certificate must be replaced; None if it need not be."""
        if self._existing is None:
            return "there is none"
        if self.renew:
            return "as requested"
        return x509.why_replace(self._existing, self.ca.certificate, self._wanted, self.forgotten)

    @cached_property
    def _existing(self) -> Identity | None:
        certificate = _read(self.server_file, x509.read_certificate)
        key = _read(self._keys / "server.key", x509.read_key)
        return Identity(certificate, key) if certificate and key else None

    @property
    def _known(self) -> set[str]:
        """The names that are known. Earlier addresses stay: a lease may come back, and others may use them."""
        held = x509.names_in(self._existing.certificate) if self._existing else set()
        return ({*self.names, *x509.own_names()} | held) - {*self.forgotten}

    @property
    def _wanted(self) -> set[str]:
        """The names for the certificate: those that are known, and that the CA can vouch for.

        With any other one in it, clients would refuse the whole certificate.
        """
        ca = self.ca.certificate
        if foreign := sorted(name for name in self.names if not x509.permits(ca, name)):
            raise Fatal(Exit.SETTINGS, f"{self.ca_file} was not made for {', '.join(foreign)}: {START_OVER}")
        return {name for name in self._known if x509.permits(ca, name)}


def _read(file: Path, parse: Callable[[bytes], T]) -> T | None:
    """Return the parsed contents of a file, or None if it does not exist."""
    try:
        return parse(contents(file))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise Fatal(Exit.SETTINGS, f"{file} cannot be used: {error}; restore it, or remove it for a new one") from None


def _require_set_clock() -> None:
    """Raise Fatal if the clock is not set: a certificate made at a wrong time is valid at a wrong time."""
    if Clock(newest([Path(__file__).parent])).unsure:
        raise Fatal(Exit.ABSENT, "this machine's clock is not set, and a certificate needs the time; try again later")
