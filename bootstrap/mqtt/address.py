"""The address of the broker, and the fields of CONNECT."""

from dataclasses import dataclass, field
from pathlib import Path

from bootstrap.config.model import BrokerSettings, SensorSettings
from bootstrap.config.secrets import password_file, read_password
from bootstrap.contract.topics import Topics
from bootstrap.outbox.message import Message


@dataclass(frozen=True, kw_only=True)
class ConnectOptions:
    """The fields of CONNECT."""

    client_id: str
    protocol: str
    keepalive_s: int
    will: Message | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    @property
    def version_5(self) -> bool:
        """Whether this is MQTT 5, not 3.1.1."""
        return self.protocol == "5"


@dataclass(frozen=True)
class BrokerAddress:
    """The broker as one sensor connects to it. `folder` is the configuration folder, which secrets are relative to.

    `user` is the sensor's name at a broker at which each sensor is a user, if that is not its own.
    """

    folder: Path
    broker: BrokerSettings
    topics: Topics
    user: str = ""

    @classmethod
    def of(cls, settings: SensorSettings) -> "BrokerAddress":
        """Return the address of this sensor's broker."""
        return cls(settings.folder, settings.broker, settings.topics, settings.user)

    @property
    def hosts(self) -> list[str]:
        """The addresses of one logical broker, tried in turn."""
        return self.broker.hosts

    @property
    def port(self) -> int:
        """The TCP port."""
        return self.broker.tcp_port

    @property
    def ca_file(self) -> Path | None:
        """The CA to trust, which turns TLS on. It is read at each connect, so that a new one needs no restart."""
        return self.broker.ca_file

    @property
    def facts(self) -> dict[str, object]:
        """The facts of the broker that may be logged."""
        secured = "TLS" if self.broker.ca_file else "plain"
        return {"host": self.broker.host, "port": self.port, "protocol": self.broker.protocol, "security": secured}

    def connect_options(self) -> ConnectOptions:
        """Return the fields of CONNECT. The password is read each time, so that a new one needs no restart.

        Raises:
            OSError: the password cannot be read.
            ValueError: it is empty, or not text.
        """
        user = self.user or self.topics.sensor
        file = password_file(self.folder, self.broker.password_file, user)
        return ConnectOptions(
            client_id=self.topics.client_id,
            protocol=self.broker.protocol,
            keepalive_s=self.broker.keepalive_s,
            will=will(self.topics.status("state")),
            username=self.broker.username or (user if file else None),
            password=read_password(file) if file else None,
        )


def will(state_topic: str) -> Message:
    """Return the last will, which the broker publishes when it loses the connection of a sensor."""
    return Message(state_topic, b"lost", retain=True)
