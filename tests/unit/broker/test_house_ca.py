"""The house's CA and the broker's certificate."""

import dataclasses
import grp
import os
import pwd
import ssl
from contextlib import suppress
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any, TypeVar

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID

from bootstrap.contract.timestamps import Clock
from bootstrap.errors import Fatal
from penates.broker import x509 as certificates
from penates.broker.house_ca import Authority
from penates.files.planned_file import Planned
from support.secrets_and_certificates import write_certificates

Kind = TypeVar("Kind", bound=x509.ExtensionType)
ME, MINE = pwd.getpwuid(os.getuid()).pw_name, grp.getgrgid(os.getgid()).gr_name


def made(folder: Path, **more: Any) -> Authority:
    """Its files, written."""
    authority = Authority(folder=folder, **more)
    for one in authority.plan():
        mine(one).write()
    return authority


def mine(planned: Planned) -> Planned:
    return dataclasses.replace(planned, owner=ME, group=MINE)


def news(folder: Path, **more: Any) -> list[str]:
    """What would be written."""
    return [one.path.name for one in map(mine, Authority(folder=folder, **more).plan()) if one.differs]


def later(monkeypatch: pytest.MonkeyPatch, days: float) -> None:
    class Later(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> "Later":
            return cls.fromtimestamp(datetime.now(tz).timestamp() + days * 86_400, tz)

    monkeypatch.setattr(certificates, "datetime", Later)


def extension(certificate: x509.Certificate, kind: type[Kind]) -> x509.Extension[Kind]:
    return certificate.extensions.get_extension_for_class(kind)


def key_of(identity: certificates.Identity) -> certificates.Key:
    assert identity.key
    return identity.key


def test_what_the_certificates_say(tmp_path: Path) -> None:
    found = made(tmp_path, names=["broker.example.org", "192.0.2.7", "2001:db8::1"])
    ca, server = found.ca.certificate, found.server.certificate
    now = datetime.now(UTC)
    assert ca.not_valid_after_utc - now > timedelta(days=3650)
    assert timedelta(days=700) < server.not_valid_after_utc - now <= timedelta(days=731)
    assert server.not_valid_after_utc - server.not_valid_before_utc <= timedelta(days=825)
    constraints = extension(ca, x509.BasicConstraints)
    assert (constraints.critical, constraints.value.ca, constraints.value.path_length) == (True, True, 0)
    assert not extension(server, x509.BasicConstraints).value.ca
    may = extension(ca, x509.KeyUsage)
    assert (may.critical, may.value.key_cert_sign, may.value.digital_signature) == (True, True, False)
    assert list(extension(server, x509.ExtendedKeyUsage).value) == [ExtendedKeyUsageOID.SERVER_AUTH]
    held = {"broker.example.org", "192.0.2.7", "2001:db8::1", "localhost", "127.0.0.1"}
    assert held <= set(found.names_held)
    assert any(name.endswith(".local") for name in found.names_held)


def greeted(folder: Path, server: certificates.Identity, name: str) -> dict[str, Any]:
    """The certificate that a client as strict as Python 3.13 accepts for this name."""
    (folder / "it.pem").write_bytes(certificates.pem(server.certificate))
    (folder / "it.key").write_bytes(certificates.key_pem(key_of(server)))
    client = ssl.create_default_context(cafile=folder / "ca.pem")
    client.verify_flags |= ssl.VerifyFlags.VERIFY_X509_STRICT
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "it.pem", folder / "it.key")
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    one = client.wrap_bio(to_client, to_server, server_hostname=name)
    other = context.wrap_bio(to_server, to_client, server_side=True)
    for side in (one, other, one, other):
        with suppress(ssl.SSLWantReadError):
            side.do_handshake()
    return one.getpeercert() or {}


def test_openssls_strictest_eye_finds_nothing_wrong(tmp_path: Path) -> None:
    """Python's own from 3.13 on."""
    found = made(tmp_path, names=["broker.example.org", "192.0.2.7", "2001:db8::1"])
    for name in ("localhost", "127.0.0.1", "broker.example.org", "192.0.2.7", "2001:db8::1"):
        assert greeted(tmp_path, found.server, name)["subjectAltName"]


@pytest.mark.parametrize("name", ["later.local", "pi.home.arpa", "10.1.2.3", "fd00::7", "100.100.1.1"])
def test_a_ca_vouches_for_private_names_that_come_later(tmp_path: Path, name: str) -> None:
    ca = made(tmp_path).ca
    assert certificates.permits(ca.certificate, name)
    assert greeted(tmp_path, certificates.new_server(ca, [name]), name)


@pytest.mark.parametrize("name", ["bank.example", "notlocal", "8.8.8.8", "2001:4860::1", "192.0.2.8"])
def test_who_steals_a_ca_can_pose_as_nobody_else(tmp_path: Path, name: str) -> None:
    found = made(tmp_path, names=["broker.example.org", "192.0.2.7"])
    assert not certificates.permits(found.ca.certificate, name)
    with pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree violation"):
        greeted(tmp_path, certificates.new_server(found.ca, [name]), name)
    assert extension(found.ca.certificate, x509.NameConstraints).critical


def test_a_name_that_the_ca_was_not_made_for_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made(tmp_path)
    with pytest.raises(Fatal, match=r"ca\.pem was not made for broker\.example\.org: remove it and the folder certs"):
        Authority(folder=tmp_path, names=["broker.example.org"]).plan()
    monkeypatch.setattr(certificates, "own_names", lambda: {"renamed", "renamed.local", "203.0.113.7", "localhost"})
    after = made(tmp_path).names_held
    assert "renamed.local" in after
    assert not {"renamed", "203.0.113.7"} & {*after}


def test_an_older_ca_without_constraints_vouches_for_all(tmp_path: Path) -> None:
    write_certificates(tmp_path, "localhost", days=100)
    (tmp_path / "certs").mkdir()
    (tmp_path / "key.pem").rename(tmp_path / "certs" / "ca.key")
    assert "broker.example.org" in made(tmp_path, names=["broker.example.org"]).names_held


def test_keys_are_their_owners_alone_from_the_first_byte_on(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        made(tmp_path)
    finally:
        os.umask(before)
    modes = {file.name: f"{file.stat().st_mode & 0o777:o}" for file in (tmp_path / "certs").iterdir()}
    assert modes == {"ca.key": "600", "server.key": "600", "server.pem": "644"}
    assert f"{(tmp_path / 'certs').stat().st_mode & 0o777:o}" == "700"


def test_what_is_good_is_left_alone(tmp_path: Path) -> None:
    made(tmp_path, names=["broker.example.org"])
    assert news(tmp_path) == []
    assert news(tmp_path, names=["broker.example.org"]) == []


def test_a_new_name_makes_a_new_certificate_which_keeps_the_others(tmp_path: Path) -> None:
    made(tmp_path, names=["one.lan"])
    assert news(tmp_path, names=["two.lan"]) == ["server.key", "server.pem"]
    assert {"one.lan", "two.lan"} <= set(made(tmp_path, names=["two.lan"]).names_held)
    left = made(tmp_path, forgotten=["one.lan"]).names_held
    assert "one.lan" not in left
    assert "two.lan" in left
    assert news(tmp_path, forgotten=["one.lan"]) == []


def test_renewed_in_time_by_the_same_ca(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = made(tmp_path)
    assert news(tmp_path, renew=True) == ["server.key", "server.pem"]
    later(monkeypatch, 2 * 365 - 91)
    assert news(tmp_path) == []
    later(monkeypatch, 2 * 365 - 89)
    assert news(tmp_path) == ["server.key", "server.pem"]
    after = made(tmp_path)
    assert after.server.certificate.not_valid_after_utc > before.server.certificate.not_valid_after_utc
    assert after.ca.certificate == before.ca.certificate


def test_no_certificate_outlives_its_ca(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ca = made(tmp_path).ca.certificate
    later(monkeypatch, 20 * 365 - 30)
    assert made(tmp_path).server.certificate.not_valid_after_utc == ca.not_valid_after_utc
    assert news(tmp_path) == []


def test_half_of_a_pair_is_no_certificate(tmp_path: Path) -> None:
    made(tmp_path)
    (tmp_path / "certs" / "server.key").write_bytes(certificates.key_pem(key_of(certificates.new_ca())))
    assert Authority(folder=tmp_path).why == "its key belongs to another certificate"
    (tmp_path / "certs" / "server.key").unlink()
    assert news(tmp_path) == ["server.key", "server.pem"]


def test_another_cas_certificate_is_replaced(tmp_path: Path) -> None:
    made(tmp_path / "one")
    made(tmp_path / "two")
    for name in ("server.pem", "server.key"):
        (tmp_path / "one" / "certs" / name).write_bytes((tmp_path / "two" / "certs" / name).read_bytes())
    assert Authority(folder=tmp_path / "one").why == "it was issued by another CA"


def test_the_cas_key_may_be_kept_elsewhere_until_it_is_needed(tmp_path: Path) -> None:
    made(tmp_path)
    (tmp_path / "certs" / "ca.key").unlink()
    assert news(tmp_path) == []
    with pytest.raises(Fatal, match=r"a new certificate \(as requested\), but the CA's key .*ca\.key is missing"):
        Authority(folder=tmp_path, renew=True).plan()


def test_a_ca_is_never_replaced(tmp_path: Path) -> None:
    made(tmp_path)
    other = certificates.new_ca()
    (tmp_path / "certs" / "ca.key").write_bytes(certificates.key_pem(key_of(other)))
    with pytest.raises(Fatal, match="is not the key of"):
        Authority(folder=tmp_path).plan()
    for damaged in (b"", b"no certificate", certificates.pem(other.certificate)[:200]):
        (tmp_path / "ca.pem").write_bytes(damaged)
        with pytest.raises(Fatal, match=r"ca\.pem cannot be used"):
            Authority(folder=tmp_path).plan()


def test_a_key_that_is_none_of_ours_is_named(tmp_path: Path) -> None:
    made(tmp_path)
    foreign = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    text = foreign.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "certs" / "server.key").write_bytes(text)
    with pytest.raises(Fatal, match=r"server\.key cannot be used: it is not an elliptic curve key"):
        Authority(folder=tmp_path).plan()


def test_nothing_is_made_while_the_clock_is_not_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Clock, "unsure", property(lambda _: True))
    with pytest.raises(Fatal, match="clock is not set"):
        Authority(folder=tmp_path).plan()


def test_expiry_is_read_from_a_file(tmp_path: Path) -> None:
    found = made(tmp_path)
    assert certificates.expiry(found.server_file.read_bytes()) == found.server.certificate.not_valid_after_utc
    with pytest.raises(ValueError, match="PEM"):
        certificates.expiry(b"nothing")
