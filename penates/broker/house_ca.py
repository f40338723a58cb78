"""The house's CA and its broker's certificate, as files in the house's folder.

What is there and still good is kept; a CA, once there, is never replaced: every machine of the house trusts it.
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

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Authority:
    """What the house's folder holds, and what it is to hold.

    Attributes:
        folder: the house's.
        names: what this machine is called, beside what it knows of itself and what its certificate holds already.
        forgotten: names that are to be in it no longer.
        renew: whether it is to be new, however good the one is that is there.
    """

    folder: Path
    names: Collection[str] = ()
    forgotten: Collection[str] = ()
    renew: bool = False

    @property
    def ca_file(self) -> Path:
        """What clients trust."""
        return self.folder / "ca.pem"

    @property
    def server_file(self) -> Path:
        """What the broker shows them."""
        return self._keys / "server.pem"

    @property
    def _keys(self) -> Path:
        return self.folder / "certs"

    @property
    def names_held(self) -> list[str]:
        """What the broker's certificate is good for."""
        return sorted(x509.names_in(self.server.certificate))

    def plan(self) -> list[Planned]:
        """Its files, in the order in which they are to be written.

        Raises:
            Fatal: what is there is not what it should be, or something cannot be made of it.
            OSError: it cannot be read.
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
        """The one that is there, whose key may be kept elsewhere, or a new one."""
        certificate = _read(self.ca_file, x509.read_certificate)
        key = _read(self._keys / "ca.key", x509.read_key)
        if certificate is None:
            _believe_the_clock()
            return x509.new_ca(key)
        if key is not None and certificate.public_key() != key.public_key():
            raise Fatal(Exit.SETTINGS, f"{self._keys / 'ca.key'} is not the key of {self.ca_file}")
        return Identity(certificate, key)

    @cached_property
    def server(self) -> Identity:
        """The broker's: the one that is there if it will do, or a new one."""
        there = self._there
        if there and not self.why:
            return there
        _believe_the_clock()
        if self.ca.key is None:
            absent = f"{self._keys / 'ca.key'}, to make it by, is not there"
            raise Fatal(Exit.SETTINGS, f"the broker needs a new certificate ({self.why}); {absent}")
        return x509.new_server(self.ca, self._wanted)

    @cached_property
    def why(self) -> str | None:
        """Why the broker's certificate is to be made anew, if it is."""
        if self._there is None:
            return "there is none"
        if self.renew:
            return "as asked"
        return x509.why_not(self._there, self.ca.certificate, self._wanted, self.forgotten)

    @cached_property
    def _there(self) -> Identity | None:
        certificate = _read(self.server_file, x509.read_certificate)
        key = _read(self._keys / "server.key", x509.read_key)
        return Identity(certificate, key) if certificate and key else None

    @property
    def _wanted(self) -> set[str]:
        """An address that was is kept: a lease may come back, and others may have been told of it."""
        held = x509.names_in(self._there.certificate) if self._there else set()
        return ({*self.names, *x509.own_names()} | held) - {*self.forgotten}


def _read(file: Path, understood: Callable[[bytes], T]) -> T | None:
    """What a file holds, or None if it is not there."""
    try:
        return understood(contents(file))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise Fatal(Exit.SETTINGS, f"{file} cannot be used: {error}; restore it, or remove it for a new one") from None


def _believe_the_clock() -> None:
    """What is made at a wrong time is good for a wrong time."""
    if Clock(newest([Path(__file__).parent])).unsure:
        raise Fatal(Exit.ABSENT, "this machine's clock is not set, and a certificate needs the time; try again later")
