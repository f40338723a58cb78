"""The address of a broker and the user to connect as, from the command line and `house.toml`."""

import argparse
import re
import ssl
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path

from bootstrap.config.loader import folder_or_default, open_house, usual_folder
from bootstrap.config.model import BrokerSettings
from bootstrap.config.secrets import password_file, read_password
from bootstrap.config.toml_file import Fault, SettingsError
from bootstrap.hosts import a_host
from bootstrap.mqtt.address import ConnectOptions
from bootstrap.tls import tls
from penates.console.arguments import config_option

KEEPALIVE_S = 15
LOCAL = "localhost"
NO_HOUSE = "there is no house here, which `penates init` begins: the broker is looked for on this machine"
HIGHEST_PORT = 65_535


@dataclass(frozen=True)
class Access:
    """The address of a broker, and the user and password to connect with."""

    hosts: list[str]
    port: int
    protocol: str = "5"
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    trust: ssl.SSLContext | None = None

    @property
    def name(self) -> str:
        """The address as text for people."""
        return f"{', '.join(self.hosts)}:{self.port}"

    def connect_options(self, client_id: str = "") -> ConnectOptions:
        """Return the options of CONNECT. Without a `client_id` the broker assigns one."""
        return ConnectOptions(
            client_id=client_id,
            protocol=self.protocol,
            keepalive_s=KEEPALIVE_S,
            username=self.username,
            password=self.password,
        )


def access_arguments(parser: argparse.ArgumentParser) -> None:
    """Add `--config DIR`, and the options for another broker."""
    config_option(parser)
    parser.add_argument(
        "--broker",
        type=host_and_port,
        metavar="HOST[:PORT]",
        help="a broker other than the house's (default: the one in --config, else localhost)",
    )
    parser.add_argument("--username", metavar="NAME", help="the user to connect as")
    parser.add_argument("--password-file", type=Path, metavar="FILE", help="file with the password in its first line")
    parser.add_argument("--ca-file", type=Path, metavar="FILE", help="PEM certificate of the CA to trust; turns on TLS")


def host_and_port(text: str) -> tuple[str, int | None]:
    """Return host and port of text such as `host`, `host:1883` or `[::1]:1883`, for argparse."""
    found = re.fullmatch(
        r"\[(?P<six>[0-9A-Fa-f:.]+)\](:(?P<p6>\d{1,5}))?|(?P<host>[^:\[\]/]+)(:(?P<p4>\d{1,5}))?", text
    )
    if not found:
        raise argparse.ArgumentTypeError(f"enter HOST or HOST:PORT, not {text!r}")
    port = found["p4"] or found["p6"]
    if port and not 0 < int(port) <= HIGHEST_PORT:
        raise argparse.ArgumentTypeError(f"a port must be a number from 1 to {HIGHEST_PORT}, not {port}")
    host = found["host"] or found["six"]
    try:
        a_host(host)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{host!r} must be {error}") from None
    return host, int(port) if port else None


def access(given: argparse.Namespace, user: str) -> Access:
    """Return the access that the command line and `house.toml` set. If the house has passwords, connect as `user`.

    Raises:
        SettingsError: `house.toml`, a password or a certificate has a fault.
    """
    if given.broker or (given.config is None and usual_folder() is None):
        if not given.broker:
            print(NO_HOUSE, file=sys.stderr)
        host, port = given.broker or (LOCAL, None)
        return _access(given, BrokerSettings(host=host, port=port), given.password_file, None)
    configuration, house = open_house(folder_or_default(given.config))
    file = given.password_file or password_file(configuration.folder, house.broker.password_file, user)
    return _access(given, house.broker, file, house.broker.username or (user if file else None))


def _access(given: argparse.Namespace, broker: BrokerSettings, file: Path | None, username: str | None) -> Access:
    """Return the access to this broker, with the options of the command line applied."""
    broker = replace(broker, ca_file=given.ca_file or broker.ca_file)
    return Access(
        hosts=broker.hosts,
        port=broker.tcp_port,
        protocol=broker.protocol,
        username=given.username or username,
        password=_password(file),
        trust=trusting(broker.ca_file),
    )


def trusting(ca_file: Path | None) -> ssl.SSLContext | None:
    """Return a TLS context that trusts this CA, or None without a file.

    Raises:
        SettingsError: the file is not a certificate, or cannot be read.
    """
    try:
        return tls(ca_file) if ca_file else None
    except OSError as error:
        why = "is not a PEM certificate" if isinstance(error, ssl.SSLError) else f"cannot be read: {error.strerror}"
        raise SettingsError([Fault(str(ca_file), 1, f"the certificate {why}")]) from None


def _password(file: Path | None) -> str | None:
    try:
        return read_password(file) if file else None
    except OSError as error:
        raise SettingsError([Fault(str(file), 1, f"the password cannot be read: {error.strerror}")]) from None
    except ValueError as error:
        raise SettingsError([Fault(str(file), 1, f"the password {error}")]) from None
