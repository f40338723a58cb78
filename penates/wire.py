"""A person's end of the broker: whom to ask, and what comes, as a queue that the main thread reads."""

import argparse
import itertools
import os
import queue
import re
import select
import ssl
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TypeAlias

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from bootstrap.config import Broker, folder_or_default, open_house, password_file, read_password, usual_folder
from bootstrap.connection import PROTOCOLS
from bootstrap.dial import tls
from bootstrap.link import PASSING
from bootstrap.message import FAILURE
from bootstrap.settings import Fault, SettingsError
from penates.common import config_option

KEEPALIVE_S = 15
RETRY_S = 1, 5
LOCAL = "localhost"
HIGHEST_PORT = 65_535


@dataclass(frozen=True)
class Access:
    """Where a broker is, and as whom to speak to it."""

    hosts: list[str]
    port: int
    protocol: str = "5"
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    trust: ssl.SSLContext | None = None

    @property
    def name(self) -> str:
        """For people."""
        return f"{', '.join(self.hosts)}:{self.port}"


def access_arguments(parser: argparse.ArgumentParser) -> None:
    """`--config DIR`, or a broker of one's own."""
    config_option(parser)
    parser.add_argument(
        "--broker",
        type=place,
        metavar="HOST[:PORT]",
        help="another broker than the house's (default: the one in --config, else localhost)",
    )
    parser.add_argument("--username", metavar="NAME", help="as whom to speak to it")
    parser.add_argument("--password-file", type=Path, metavar="FILE", help="its first line is the password")
    parser.add_argument("--ca-file", type=Path, metavar="FILE", help="PEM certificate to trust; with it, TLS")


def place(text: str) -> tuple[str, int | None]:
    """`host`, `host:1883`, `[::1]:1883`."""
    found = re.fullmatch(
        r"\[(?P<six>[0-9A-Fa-f:.]+)\](:(?P<p6>\d{1,5}))?|(?P<host>[^:\[\]/]+)(:(?P<p4>\d{1,5}))?", text
    )
    if not found:
        raise argparse.ArgumentTypeError(f"say HOST or HOST:PORT, not {text!r}")
    port = found["p4"] or found["p6"]
    if port and not 0 < int(port) <= HIGHEST_PORT:
        raise argparse.ArgumentTypeError(f"a port is a number from 1 to {HIGHEST_PORT}, not {port}")
    return found["host"] or found["six"], int(port) if port else None


def access(given: argparse.Namespace, user: str) -> Access:
    """What the command line and `house.toml` say. `user` is whom the house knows us as, if it has passwords.

    Raises:
        SettingsError: something is wrong with either.
    """
    if given.broker or (given.config is None and usual_folder() is None):
        host, port = given.broker or (LOCAL, None)
        return _access(given, Broker(host=host, port=port), given.password_file, None)
    configuration, house = open_house(folder_or_default(given.config))
    file = given.password_file or password_file(configuration.folder, house.broker.password_file, user)
    return _access(given, house.broker, file, house.broker.username or (user if file else None))


def _access(given: argparse.Namespace, broker: Broker, file: Path | None, username: str | None) -> Access:
    """To this broker, but for what the command line says otherwise."""
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
    """Whom to trust, if it is to be TLS.

    Raises:
        SettingsError: the file is no certificate.
    """
    try:
        return tls(ca_file) if ca_file else None
    except OSError as error:
        why = "is no PEM certificate" if isinstance(error, ssl.SSLError) else f"cannot be read: {error.strerror}"
        raise SettingsError([Fault(str(ca_file), 1, f"the certificate {why}")]) from None


def _password(file: Path | None) -> str | None:
    try:
        return read_password(file) if file else None
    except OSError as error:
        raise SettingsError([Fault(str(file), 1, f"the password cannot be read: {error.strerror}")]) from None
    except ValueError as error:
        raise SettingsError([Fault(str(file), 1, f"the password {error}")]) from None


@dataclass(frozen=True)
class Up:
    """The broker has accepted us."""


@dataclass(frozen=True)
class Down:
    """There is no broker, or no more; `refused` if it does not want us."""

    why: str
    refused: bool = False


@dataclass(frozen=True)
class Granted:
    """What was asked for will come from now on."""


@dataclass(frozen=True)
class Heard:
    """A message; `at` is by the monotonic clock."""

    topic: str
    payload: bytes
    retained: bool
    at: float


Event: TypeAlias = Up | Down | Granted | Heard


class Wire:
    """Keeps a connection, or tries to, in a thread of its own that only hands in events."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._wake, self._poke = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._client = client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=PROTOCOLS[access.protocol])
        client.username_pw_set(access.username, access.password)
        if access.trust:
            client.tls_set_context(access.trust)
        client.reconnect_delay_set(*RETRY_S)
        client.on_connect, client.on_disconnect = self._on_connect, self._on_disconnect
        client.on_connect_fail = self._on_connect_fail
        client.on_subscribe, client.on_message = self._on_subscribe, self._on_message
        self._closing = False
        self._hosts = itertools.cycle(access.hosts)
        self._dial()
        self._thread = threading.Thread(target=partial(client.loop_forever, retry_first_connection=True), daemon=True)
        self._thread.start()

    def _dial(self) -> None:
        self._client.connect_async(next(self._hosts), self._access.port, KEEPALIVE_S)

    # paho's callbacks, in its thread: an exception there would end it, and nobody would know.

    def _put(self, event: Event) -> None:
        self._events.put(event)
        try:
            os.write(self._poke, b".")
        except BlockingIOError:
            return  # it will wake all the same

    def _on_connect(
        self, _client: mqtt.Client, _data: object, _flags: object, reason: ReasonCode, _more: object
    ) -> None:
        if reason.value >= FAILURE:
            self._put(Down(f"{self._access.name} refused us: {reason}", refused=reason.value not in PASSING))
        else:
            self._put(Up())

    def _on_connect_fail(self, _client: mqtt.Client, _data: object) -> None:
        why = sys.exc_info()[1]  # paho calls us from its own handler, and does not say
        self._put(Down(f"{self._access.name}: {why or 'cannot be reached'}"))
        if not self._closing:
            self._dial()

    def _on_disconnect(
        self, _client: mqtt.Client, _data: object, _flags: object, reason: ReasonCode, _more: object
    ) -> None:
        self._put(Down(f"{self._access.name}: {reason}"))
        if not self._closing:
            self._dial()

    def _on_subscribe(self, *_: object) -> None:
        self._put(Granted())

    def _on_message(self, _client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            return
        self._put(Heard(topic, bytes(message.payload), bool(message.retain), time.monotonic()))

    # The main thread's side.

    def events(self, wait_s: float, *others: int) -> Iterator[Event]:
        """What has come; if nothing has, wait so long, or until one of these other descriptors is readable."""
        ready, _, _ = select.select([self._wake, *others], [], [], max(0.0, wait_s))
        if self._wake in ready:
            os.read(self._wake, 65_536)
        while not self._events.empty():
            yield self._events.get()

    def subscribe(self, *topics: str) -> None:
        """Ask for these; `Granted` tells when they will come."""
        self._client.subscribe([(topic, 0) for topic in topics])

    def publish(self, topic: str, payload: bytes) -> None:
        """Send once."""
        self._client.publish(topic, payload)  # at QoS 1 paho would send it again after a reconnect

    def clear(self, topic: str) -> None:
        """Have the broker hold nothing there any more."""
        self._client.publish(topic, b"", qos=1, retain=True)

    def close(self) -> None:
        """Say goodbye, if there is somebody to say it to; a connection that is just being tried is left behind."""
        self._closing = True
        self._client.disconnect()
        self._thread.join(1.0)
