"""A private CA, and the certificate of this machine's broker made by it.

By `cryptography` and not by the program `openssl`: keys are never in a file before their right owner and mode are, and
what a certificate says is read from it and not from text meant for people.
"""

import ipaddress
import socket
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

import ifaddr
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CA_LIFE = timedelta(days=20 * 365)
SERVER_LIFE = timedelta(days=2 * 365)
RENEW_BEFORE = timedelta(days=90)
# A Pi has no clock chip: one that starts some weeks in the past must not find the certificate not valid yet. With the
# server's life it must be no more than 825 days: Apple's devices believe no certificate that is made for longer.
BACKDATED = timedelta(days=90)
NAME_LENGTH = 64  # of a common name, at most
PEM = serialization.Encoding.PEM
USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)
LOCAL_NAMES = ("localhost", "127.0.0.1")

Key: TypeAlias = ec.EllipticCurvePrivateKey
Name: TypeAlias = x509.DNSName | x509.IPAddress


@dataclass(frozen=True)
class Identity:
    """A certificate, and its key, which may be elsewhere."""

    certificate: x509.Certificate
    key: Key | None = field(repr=False)


def pem(certificate: x509.Certificate) -> bytes:
    """A certificate as a file holds it."""
    return certificate.public_bytes(PEM)


def key_pem(key: Key) -> bytes:
    """A key likewise; who reads it is whom it stands for."""
    return key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def read_certificate(text: bytes) -> x509.Certificate:
    """The first in a PEM file.

    Raises:
        ValueError: there is none.
    """
    return x509.load_pem_x509_certificate(text)


def read_key(text: bytes) -> Key:
    """A key of ours.

    Raises:
        ValueError: it is none.
    """
    try:
        key = serialization.load_pem_private_key(text, password=None)
    except TypeError as error:  # it wants a password
        raise ValueError(str(error)) from None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError("no key on an elliptic curve")  # noqa: TRY004 - it is what the file holds
    return key


def expiry(text: bytes) -> datetime:
    """Until when the first certificate in a PEM file is good.

    Raises:
        ValueError: there is none.
    """
    return read_certificate(text).not_valid_after_utc


def new_ca(key: Key | None = None) -> Identity:
    """One that signs servers, and nothing between them and itself; with a new key if there is none yet."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    title = f"penates CA of {socket.gethostname()}"[:NAME_LENGTH]
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, title)])
    builder = _builder(subject, subject, key.public_key(), datetime.now(UTC) + CA_LIFE)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage("key_cert_sign", "crl_sign"), critical=True)
    return Identity(builder.sign(key, hashes.SHA256()), key)


def new_server(ca: Identity, names: Collection[str]) -> Identity:
    """One for a broker by these names and addresses.

    Raises:
        ValueError: the CA's key is not here.
    """
    if ca.key is None:
        raise ValueError("no key to sign with")
    key = ec.generate_private_key(ec.SECP256R1())
    wanted = [general(name) for name in sorted(names)]
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "penates broker")])
    until = min(datetime.now(UTC) + SERVER_LIFE, ca.certificate.not_valid_after_utc)
    builder = _builder(subject, ca.certificate.subject, key.public_key(), until)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_usage("digital_signature"), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    builder = builder.add_extension(x509.SubjectAlternativeName(wanted), critical=False)
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca.key.public_key())
    return Identity(builder.add_extension(issuer, critical=False).sign(ca.key, hashes.SHA256()), key)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, until: datetime
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(datetime.now(UTC) - BACKDATED).not_valid_after(until)
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)


def _usage(*wanted: str) -> x509.KeyUsage:
    return x509.KeyUsage(**{name: name in wanted for name in USAGES})


def general(name: str) -> Name:
    """An address, or a host's name, as a certificate holds it."""
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def names_in(certificate: x509.Certificate) -> set[str]:
    """What it is good for."""
    try:
        held = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return set()
    return {*held.get_values_for_type(x509.DNSName), *map(str, held.get_values_for_type(x509.IPAddress))}


def why_not(server: Identity, ca: x509.Certificate, names: Collection[str], forgotten: Collection[str]) -> str | None:
    """Why a server's certificate must be made anew, if it must."""
    until, held = server.certificate.not_valid_after_utc, names_in(server.certificate)
    if server.key is None or server.certificate.public_key() != server.key.public_key():
        return "its key is another's"
    if not _issued(server.certificate, ca):
        return "it is by another CA"
    if until - datetime.now(UTC) < RENEW_BEFORE and until < ca.not_valid_after_utc:
        return f"it is good until {until:%Y-%m-%d} only"
    if missing := sorted({*names} - held):
        return f"it lacks {', '.join(missing)}"
    return "it holds what is to be forgotten" if held & {*forgotten} else None


def _issued(certificate: x509.Certificate, ca: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(ca)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def own_names() -> set[str]:
    """What others may call this machine: its names, and its IPv4 addresses in every network it is in.

    Not those of IPv6: some change daily.
    """
    host = socket.gethostname().partition(".")[0]
    found = [
        ipaddress.ip_address(str(one.ip)) for adapter in ifaddr.get_adapters() for one in adapter.ips if one.is_IPv4
    ]
    outward = {str(address) for address in found if not (address.is_loopback or address.is_link_local)}
    return {host, f"{host}.local", *LOCAL_NAMES} | outward
