"""What a broker needs to know whom it speaks to."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from penates.broker.mosquitto_files import passwords


def write_password(place: Path, password: str) -> None:
    """Of a thermometer; and of those who look, theirs."""
    (place / "passwords").write_text(passwords({"cellar": password, "eyes": "eyes"}, ""))


def write_certificates(place: Path, name: str, days: float = 1) -> None:
    """One that signs itself, as the recipe of mosquitto-tls(7) makes a CA: without the extensions of RFC 5280."""
    key, certificate = _certificate("penates test", None, name, days)
    _write(place, key, ca=certificate)


def write_chain(place: Path, name: str, days: float) -> None:
    """Of a CA, of another that it has signed, and of a broker that the latter has signed: ca.pem, between.pem, …"""
    root = _certificate("root", None, "root.invalid", days)
    between = _certificate("between", root, "between.invalid", days)
    key, certificate = _certificate("broker", between, name, days)
    _write(place, key, ca=root[1], between=between[1], broker=certificate)


Signed: TypeAlias = tuple[ec.EllipticCurvePrivateKey, x509.Certificate]


def _certificate(common: str, by: Signed | None, name: str, days: float) -> Signed:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by[1].subject if by else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(by[0] if by else key, hashes.SHA256())
    )
    return key, certificate


def _write(place: Path, key: ec.EllipticCurvePrivateKey, **certificates: x509.Certificate) -> None:
    pem = serialization.Encoding.PEM
    for name, certificate in certificates.items():
        (place / f"{name}.pem").write_bytes(certificate.public_bytes(pem))
    (place / "key.pem").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
