"""A broker that somebody else looks after: what is asked for on the command line, and what is found there."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

from bootstrap.config.model import LOCAL, BrokerSettings
from bootstrap.contract.recording_word import NAME, KnownRecorders
from bootstrap.errors import Exit, Fatal
from bootstrap.mqtt.connect import connect
from penates.broker.local_mosquitto import LocalMosquitto
from penates.files.install_paths import CA
from penates.fleet.access import Access, trusting
from penates.fleet.probe import PATIENCE_S, MqttProbe, Silent

NOT_ALLOWED = frozenset({0x86, 0x87})  # CONNACK: bad user name or password, not authorized
VERSIONS = ("5", "3.1.1")


@dataclass(frozen=True, kw_only=True)
class OtherBroker:
    """A broker that somebody else looks after: `--broker`.

    Attributes:
        host: its name or address.
        port: its port; None for the usual one.
        username: the user as which all sensors connect; None if it takes none.
        password: that user's password; None keeps the one that is known already.
        ca: the certificate to trust; with it, TLS is used.
        protocol: the version of MQTT.
        recorder: whether a new house brings a recorder; one is enough for a broker.
        each: whether each sensor is a user of its own, whom we add to the files of a Mosquitto on this machine.
        local: whether it is on this machine.
    """

    host: str
    port: int | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ca: bytes | None = None
    protocol: str = VERSIONS[0]
    recorder: bool = True
    each: bool = False
    local: bool = False

    @classmethod
    def beside(cls, mosquitto: LocalMosquitto) -> Self:
        """Return a Mosquitto on this machine that others use."""
        return cls(host=mosquitto.host, port=mosquitto.port, each=mosquitto.passwords is not None, local=True)

    @property
    def settings(self) -> dict[tuple[str, str], Any]:
        """The settings that it gives `house.toml`; None stands for the default."""
        values = {"host": self.host, "port": self.port, "ca_file": self.ca and CA}
        values |= {"username": self.username, "password_file": self._password_file}
        values["protocol"] = self.protocol if self.protocol != VERSIONS[0] else None
        values["managed"] = False if self.local or self.host in LOCAL else None
        return {("broker", key): value for key, value in values.items()}

    @property
    def _password_file(self) -> str | None:
        if self.each:
            return "secrets/{sensor}"
        return f"secrets/{self.secret}" if self.secret else None

    @property
    def secret(self) -> str | None:
        """The name of the file with its password, quoted because a broker's user may have any name."""
        return None if self.username is None else quote(self.username, safe="@+=, ")

    def looked_at(self, group: str, ca_file: Path | None, password: str | None) -> tuple[Self, str]:
        """Return it as it was found, and why it could not be looked at; `password` is the one to use.

        Raises:
            Fatal: it does not let us in.
        """
        port = BrokerSettings(port=self.port, ca_file=ca_file).tcp_port
        why = ""
        for protocol in VERSIONS:
            access = Access([self.host], port, protocol, self.username, password, trusting(ca_file))
            try:
                recorded = _recorded(access, group)
            except (OSError, Silent) as error:
                why = why or f"{access.name}: {error}"
                continue
            return replace(self, protocol=protocol, recorder=not recorded), ""
        return self, why


def _recorded(access: Access, group: str) -> bool:
    """Return whether a recorder says at this broker that it records the group.

    Raises:
        Fatal: the broker does not let us in.
        OSError, Silent: it cannot be asked.
    """
    with MqttProbe(connect(access.hosts[0], access.port, access.trust, PATIENCE_S), access.connect_options()) as probe:
        reason = probe.greet()
        if reason.code in NOT_ALLOWED:
            raise Fatal(Exit.SETTINGS, f"{access.name} does not let us in: {reason.text}; {_remedy(access)}")
        if reason.failed:
            raise Silent(f"it refuses us: {reason.text}")
        recorders = KnownRecorders(group, wanted=True)
        for topic, payload in probe.retained([f"+/+/status/{NAME}"]).items():
            recorders.note(topic, payload)
        return not recorders.missing


def _remedy(access: Access) -> str:
    if access.username is None:
        return "name a user of it with --username NAME; the password is asked for, or read with --password-file FILE"
    return f"check the user {access.username} and its password there, then give the new one with --password-file FILE"
