"""Whether the broker can be reached, and by which certificate."""

import ssl
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bootstrap.config.loader import load
from bootstrap.config.model import BrokerSettings
from bootstrap.mqtt.address import BrokerAddress
from bootstrap.mqtt.connect import connect
from penates.commands import doctor
from penates.doctor import reachability
from penates.doctor.broker_checks import BrokerSession
from penates.doctor.findings import Finding, Verdict
from penates.fleet.probe import MqttProbe
from support.secrets_and_certificates import write_certificates, write_chain
from support.world import Broker, FakeBroker, House, puback, swallow_syns

GOOD, BAD, UNKNOWN = Verdict


def found(house: House, about: str = "cm/cellar", *names: str) -> dict[str, Finding]:
    """By check; of the good and bad of one check the worse."""
    (report,) = (one for one in doctor.examine(house.folder, [*names]) if one.about == about)
    return {one.check: one for one in sorted(report.found, key=lambda one: [GOOD, UNKNOWN, BAD].index(one.verdict))}


@pytest.fixture(autouse=True)
def _like_the_sensors(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(house.folder / "state"))


def reach(host: str, port: int, ca_file: Path | None = None) -> list[Finding]:
    return reachability.reach(BrokerSettings(host=host, port=port, ca_file=ca_file))[0]


def test_no_such_host() -> None:
    (about,) = reach("no-such-host.invalid", 1883)
    assert (about.check, about.verdict) == ("broker", BAD)
    assert "name server" in about.advice


def test_hosts_that_answer_nothing_hold_nobody_up(house: House) -> None:
    house.thermometer()
    started = time.monotonic()
    with swallow_syns() as port:
        (about,) = reach("127.0.0.1", port)
    assert (about.verdict, "timed out" in about.text) == (BAD, True)
    silent = FakeBroker({0x10: lambda _: b""})
    house.write(silent.port)
    about = found(house)["broker"]
    silent.close()
    assert about.text == "127.0.0.1: no answer to CONNECT within 2 s"
    assert time.monotonic() - started < 8


def test_the_first_host_that_is_well_is_asked(broker: Broker) -> None:
    settings = BrokerSettings(host=["no-such-host.invalid", "127.0.0.1"], port=broker.port)
    findings, host = reachability.reach(settings)
    assert ([one.verdict for one in findings], host) == ([UNKNOWN, GOOD], "127.0.0.1")


@pytest.mark.parametrize(
    ("certificate", "verdict", "said", "advice"),
    [
        (("localhost", 40), GOOD, "valid for 40 more days", ""),
        (("localhost", 20), BAD, "valid for 20 more days", "penates certs --renew"),
        (("localhost", -0.5), BAD, "certificate has expired", "penates certs --renew"),
        (("broker.lan", 40), BAD, "Hostname mismatch", "penates certs --name localhost"),
    ],
)
def test_certificates(tls_port: Callable[..., Any], certificate: Any, verdict: Verdict, said: str, advice: str) -> None:
    about = reach("localhost", *tls_port(*certificate))[1]
    assert (about.check, about.verdict) == ("TLS", verdict)
    assert said in about.text
    assert advice in about.advice


@pytest.fixture
def tls_port(new_broker: Callable[..., Broker], tmp_path: Path) -> Callable[..., tuple[int, Path]]:
    """A broker with such a certificate: its port, and what trusts it."""

    def make(name: str, days: float) -> tuple[int, Path]:
        write_certificates(tmp_path, name, days)
        files = (f"certfile {tmp_path}/ca.pem", f"keyfile {tmp_path}/key.pem")
        return new_broker("tls", "listener {port} 127.0.0.1", *files, listener=False).port, tmp_path / "ca.pem"

    return make


def test_a_broker_of_another_ca(tls_port: Callable[..., tuple[int, Path]], tmp_path: Path) -> None:
    port, _ = tls_port("localhost", 40)
    (tmp_path / "other").mkdir()
    write_certificates(tmp_path / "other", "localhost")
    about = reach("localhost", port, tmp_path / "other" / "ca.pem")[1]
    assert (about.verdict, "is not the certificate of the broker's CA" in about.advice) == (BAD, True)


@pytest.fixture
def chained(new_broker: Callable[..., Broker], tmp_path: Path) -> Callable[..., tuple[int, Path]]:
    """A broker whose certfile has these certificates of its chain: its port, and its CA."""
    write_chain(tmp_path, "localhost", 40)

    def make(*names: str) -> tuple[int, Path]:
        (tmp_path / "chain.pem").write_bytes(b"".join((tmp_path / f"{name}.pem").read_bytes() for name in names))
        files = (f"certfile {tmp_path}/chain.pem", f"keyfile {tmp_path}/key.pem")
        return new_broker("chain", "listener {port} 127.0.0.1", *files, listener=False).port, tmp_path / "ca.pem"

    return make


def test_a_broker_that_does_not_send_what_is_between_it_and_its_ca(chained: Callable[..., tuple[int, Path]]) -> None:
    about = reach("localhost", *chained("broker"))[1]
    assert about.verdict == BAD
    assert about.advice.startswith("append the certificates between it and its CA to the broker's certfile, if")


def test_a_ca_without_the_extensions_that_later_pythons_demand_is_trusted(
    chained: Callable[..., tuple[int, Path]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As from Python 3.13 on, whichever this one is."""
    usual = ssl.create_default_context

    def strict(**options: Any) -> ssl.SSLContext:
        context = usual(**options)
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        return context

    monkeypatch.setattr(ssl, "create_default_context", strict)
    assert reach("localhost", *chained("broker", "between"))[1].verdict == GOOD


def test_a_port_without_tls(broker: Broker, tmp_path: Path) -> None:
    write_certificates(tmp_path, "localhost")
    about = reach("localhost", broker.port, tmp_path / "ca.pem")[1]
    assert (about.verdict, about.advice) == (BAD, "is `port` in house.toml the one with TLS?")


@pytest.mark.parametrize(
    ("setting", "protocol", "said"),
    [
        ("retain_available false", "5", ("it refuses the sensor: Retain not supported", "retain_available")),
        ("max_qos 0", "5", ("it refuses the sensor: QoS not supported", "max_qos")),
        ("retain_available false", "3.1.1", ("if the last will is retained and at QoS 1", "log")),
    ],
)
def test_what_a_broker_lacks_is_no_password(
    house: House, new_broker: Callable[..., Broker], setting: str, protocol: str, said: tuple[str, str]
) -> None:
    """It is asked as the sensor asks it: with the same last will, retained, at the same QoS."""
    house.write(new_broker("lacking", setting).port, broker=f'protocol = "{protocol}"')
    house.thermometer()
    findings = found(house)
    assert (findings["broker"].verdict, "password" in findings) == (BAD, False)
    assert said[0] in findings["broker"].text
    assert said[1] in findings["broker"].advice


def test_a_broker_of_an_older_protocol_gets_the_setting(house: House) -> None:
    old = FakeBroker({0x10: lambda _: b"\x20\x02\x00\x01"})
    house.write(old.port)
    house.thermometer()
    about = found(house)["broker"]
    old.close()
    assert about.advice == 'set protocol = "3.1.1" in [broker] of house.toml'


def test_to_hang_up_is_to_deny(house: House) -> None:
    def publish(body: bytes) -> bytes:
        if body[2:].startswith(b"cm/not-cellar/"):
            raise EOFError
        return puback(body)

    broker = FakeBroker({0x30: publish})
    house.write(broker.port)
    house.thermometer()
    settings = load(house.folder, "cellar")
    open_socket = partial(connect, "127.0.0.1", broker.port, None)
    options = BrokerAddress.of(settings).connect_options()
    with MqttProbe(open_socket(), options) as probe:
        session = BrokerSession(settings, probe, options, open_socket)
        assert session.publish("cm/not-cellar/status/doctor").failed
        session.reopen()
        assert not session.publish("cm/cellar/status/doctor").failed
    broker.close()
