"""A private CA, and the certificate that it issues for this machine's broker.

`cryptography` is used instead of the program `openssl`: a key is never in a file without the right owner and mode, and
certificates are parsed instead of text that is meant for people.
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
# A Pi has no clock chip: the certificate must be valid even on one that starts some weeks in the past. Together with
# SERVER_LIFE it must not exceed 825 days, because Apple's devices reject certificates with a longer validity.
BACKDATED = timedelta(days=90)
NAME_LENGTH = 64  # the longest common name
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
# What nobody on the Internet is called: the CA of a house may vouch for these, and for the names that it is made with.
PRIVATE_DOMAINS = ("local", "localhost", "lan", "home", "internal", "home.arpa")
PRIVATE_NETWORKS = (
    *("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10"),
    *("::1/128", "fc00::/7", "fe80::/10"),
)

Key: TypeAlias = ec.EllipticCurvePrivateKey
Name: TypeAlias = x509.DNSName | x509.IPAddress
Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address | ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True)
class Identity:
    """A certificate and its key, which may be kept elsewhere."""

    certificate: x509.Certificate
    key: Key | None = field(repr=False)


def pem(certificate: x509.Certificate) -> bytes:
    """Return a certificate in PEM."""
    return certificate.public_bytes(PEM)


def key_pem(key: Key) -> bytes:
    """Return a key in PEM, unencrypted: whoever can read it can pose as its owner."""
    return key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def read_certificate(text: bytes) -> x509.Certificate:
    """Return the first certificate in the text of a PEM file.

    Raises:
        ValueError: there is none.
    """
    return x509.load_pem_x509_certificate(text)


def read_key(text: bytes) -> Key:
    """Return the key in the text of a PEM file.

    Raises:
        ValueError: there is none, or not one that we make.
    """
    try:
        key = serialization.load_pem_private_key(text, password=None)
    except TypeError as error:  # the key is encrypted
        raise ValueError(str(error)) from None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError("it is not an elliptic curve key")  # noqa: TRY004 - the content of the file is wrong
    return key


def expiry(text: bytes) -> datetime:
    """Return when the first certificate in the text of a PEM file expires.

    Raises:
        ValueError: there is none.
    """
    return read_certificate(text).not_valid_after_utc


def new_ca(names: Collection[str] = (), key: Key | None = None) -> Identity:
    """Make a CA that signs server certificates, but no intermediate CAs; with a new key unless one is given.

    It can vouch for private names and addresses and for `names`: whoever steals its key can pose as no other.
    """
    key = key or ec.generate_private_key(ec.SECP256R1())
    title = f"penates CA of {socket.gethostname()}"[:NAME_LENGTH]
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, title)])
    builder = _builder(subject, subject, key.public_key(), datetime.now(UTC) + CA_LIFE)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage("key_cert_sign", "crl_sign"), critical=True)
    builder = builder.add_extension(x509.NameConstraints(_permitted(names), None), critical=True)
    return Identity(builder.sign(key, hashes.SHA256()), key)


def new_server(ca: Identity, names: Collection[str]) -> Identity:
    """Make a certificate for a broker with these names and addresses.

    Raises:
        ValueError: the CA's key is kept elsewhere.
    """
    if ca.key is None:
        raise ValueError("no key to sign with")
    key = ec.generate_private_key(ec.SECP256R1())
    wanted = [_general_name(name) for name in sorted(names)]
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


def _general_name(name: str) -> Name:
    """Return an address or a host's name in the form that certificates use."""
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _permitted(names: Collection[str]) -> list[Name]:
    """Return what a CA of these names may vouch for, in the form that name constraints use."""
    networks = [ipaddress.ip_network(network) for network in PRIVATE_NETWORKS]
    private: list[Name] = [*map(x509.DNSName, PRIVATE_DOMAINS), *map(x509.IPAddress, networks)]
    others = [_general_name(name) for name in sorted(names)]
    own = [
        x509.IPAddress(ipaddress.ip_network(one.value)) if isinstance(one, x509.IPAddress) else one for one in others
    ]
    return [*private, *(one for one in own if not _among(one, private))]


def permits(ca: x509.Certificate, name: str) -> bool:
    """Return whether a CA can vouch for a name or an address; one without name constraints can for all."""
    try:
        permitted = ca.extensions.get_extension_for_class(x509.NameConstraints).value.permitted_subtrees
    except x509.ExtensionNotFound:
        return True
    return _among(_general_name(name), permitted or [])


def _among(one: Name, permitted: Collection[x509.GeneralName]) -> bool:
    """Return whether a name is in one of these domains, or an address in one of these networks."""
    if isinstance(one, x509.DNSName):
        domains = [domain.value for domain in permitted if isinstance(domain, x509.DNSName)]
        return any(f".{one.value}".lower().endswith(f".{domain}".lower()) for domain in domains)
    networks = [network.value for network in permitted if isinstance(network, x509.IPAddress)]
    return any(_within(one.value, network) for network in networks)


def _within(one: Address, network: Address) -> bool:
    inner, outer = ipaddress.ip_network(str(one)), ipaddress.ip_network(str(network))
    return inner.version == outer.version and inner.subnet_of(outer)  # type: ignore[arg-type]  # of one version


def names_in(certificate: x509.Certificate) -> set[str]:
    """Return the names and addresses in a certificate."""
    try:
        held = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return set()
    return {*held.get_values_for_type(x509.DNSName), *map(str, held.get_values_for_type(x509.IPAddress))}


def why_replace(
    server: Identity, ca: x509.Certificate, names: Collection[str], forgotten: Collection[str]
) -> str | None:
    """Return why a server's certificate must be replaced; None if it need not be."""
    until, held = server.certificate.not_valid_after_utc, names_in(server.certificate)
    if server.key is None or server.certificate.public_key() != server.key.public_key():
        return "its key belongs to another certificate"
    if not _issued(server.certificate, ca):
        return "it was issued by another CA"
    if until - datetime.now(UTC) < RENEW_BEFORE and until < ca.not_valid_after_utc:
        return f"it expires on {until:%Y-%m-%d}"
    if missing := sorted({*names} - held):
        return f"it lacks {', '.join(missing)}"
    return "it contains a name to be forgotten" if held & {*forgotten} else None


def _issued(certificate: x509.Certificate, ca: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(ca)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def own_names() -> set[str]:
    """Return the names of this machine, and its IPv4 addresses in all its networks.

    IPv6 addresses are left out, because some of them change daily.
    """
    host = socket.gethostname().partition(".")[0]
    found = [
        ipaddress.ip_address(str(one.ip)) for adapter in ifaddr.get_adapters() for one in adapter.ips if one.is_IPv4
    ]
    outward = {str(address) for address in found if not (address.is_loopback or address.is_link_local)}
    return {host, f"{host}.local", *LOCAL_NAMES} | outward
