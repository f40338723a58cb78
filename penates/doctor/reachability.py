"""What `penates doctor` checks about the broker before it speaks MQTT: host name, port, certificate."""

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from queue import Empty, SimpleQueue

from bootstrap.config.model import BrokerSettings
from bootstrap.tls import tls
from penates.console.output import DAY
from penates.doctor.findings import Finding, Verdict, bad, good, unknown
from penates.fleet.probe import PATIENCE_S

BROKER = "broker"
NAME_S = 5.0  # longest wait for a name server
LEAST_DAYS = 30
# OpenSSL's error codes (x509_vfy.h) for which there is specific advice.
EXPIRED, NOT_YET, NAME_WRONG = frozenset({10}), frozenset({9}), frozenset({62, 64})
NO_ISSUER, OTHER_CA = frozenset({2, 20, 21}), frozenset({7, 18, 19})
RENEW = "on the broker's machine: sudo penates certs --renew; sudo systemctl reload mosquitto"


def reach(broker: BrokerSettings) -> tuple[list[Finding], str | None]:
    """Check name, port and certificate of each of the broker's addresses. Also returns the first good one, or None.

    While one is good, another that cannot be reached is not bad: they may be several names of one machine.
    """
    with ThreadPoolExecutor(len(broker.hosts)) as pool:
        checked = pool.map(lambda host: [*_host(host, broker.tcp_port, broker.ca_file)], broker.hosts)
        found = dict(zip(broker.hosts, checked, strict=True))
    usable = next((host for host, rows in found.items() if all(row.verdict is Verdict.GOOD for row in rows)), None)
    return [_downgraded(row) if usable else row for rows in found.values() for row in rows], usable


def _downgraded(finding: Finding) -> Finding:
    spare = finding.check == BROKER and finding.verdict is Verdict.BAD
    return unknown(BROKER, f"{finding.text}; another address is used", finding.advice) if spare else finding


def _host(host: str, port: int, ca_file: Path | None) -> Iterator[Finding]:
    found = _addresses(host, port)
    if isinstance(found, str):
        yield bad(BROKER, f"{host}: {found}", "check `host` in house.toml, and this machine's name server")
        return
    try:
        plain = socket.create_connection((host, port), timeout=PATIENCE_S)
    except OSError as error:
        where = ", ".join(found)
        advice = "systemctl status mosquitto" if local(host) else f"systemctl status mosquitto, on {host}; a firewall?"
        yield bad(BROKER, f"{host}:{port} ({where}) cannot be reached: {error}", advice)
        return
    with plain:
        yield good(BROKER, f"{host}:{port} can be reached")
        if ca_file:
            yield _certificate(host, plain, ca_file)


def _addresses(host: str, port: int) -> list[str] | str:
    """Return the addresses of a host, or why there are none. A daemon thread asks, because that may take for ever."""
    answers: SimpleQueue[list[str] | str] = SimpleQueue()

    def ask() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            answers.put(getattr(error, "strerror", None) or str(error))
        else:
            answers.put(sorted({str(entry[4][0]) for entry in found}))

    threading.Thread(target=ask, daemon=True).start()
    try:
        return answers.get(timeout=NAME_S)
    except Empty:
        return f"the name server does not answer within {NAME_S:g} s"


def local(host: str) -> bool:
    """Return whether a host name can only mean this machine."""
    with suppress(ValueError):
        return ip_address(host).is_loopback
    return host == "localhost"


def _certificate(host: str, plain: socket.socket, ca_file: Path) -> Finding:
    try:
        with tls(ca_file).wrap_socket(plain, server_hostname=host) as secured:
            return _validity(host, str((secured.getpeercert() or {})["notAfter"]))
    except ssl.SSLCertVerificationError as error:
        return bad("TLS", f"{host}: {error.verify_message}", _certificate_advice(host, error.verify_code, ca_file))
    except OSError as error:
        return bad("TLS", f"{host}: no TLS: {error}", "is `port` in house.toml the one with TLS?")


def _certificate_advice(host: str, code: int, ca_file: Path) -> str:
    if code in EXPIRED:
        return RENEW
    if code in NOT_YET:
        return "set this machine's clock: timedatectl"
    if code in NAME_WRONG:
        return f"use a name of its certificate in house.toml, or add {host} to it: sudo penates certs --name {host}"
    other = f"{ca_file} is not the certificate of the broker's CA; copy that from the broker's machine"
    if code in NO_ISSUER:
        return f"append the certificates between it and its CA to the broker's certfile, if there are any; else {other}"
    return (
        other if code in OTHER_CA else f"openssl verify -CAfile {ca_file} CERTFILE, on the broker's machine, says why"
    )


def _validity(host: str, until: str) -> Finding:
    """Check how long a valid certificate will stay valid."""
    days = (ssl.cert_time_to_seconds(until) - time.time()) / DAY
    text = f"{host}: the certificate is valid for {days:.0f} more day{'s' * (f'{days:.0f}' != '1')}"
    if days < LEAST_DAYS:
        return bad("TLS", text, RENEW)
    return good("TLS", text)
