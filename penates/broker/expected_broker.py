"""What a running broker of ours must be like: where it listens, whom it lets in, and what each user may do."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bootstrap.contract.topics import ADMIN, EYES
from bootstrap.mqtt.address import ConnectOptions
from bootstrap.mqtt.connect import connect
from penates.broker.open_ports import Endpoint, listens_on
from penates.fleet.access import KEEPALIVE_S
from penates.fleet.probe import MqttProbe, Silent

LOOPBACK, EVERYWHERE = "127.0.0.1", ("0.0.0.0", "::")  # noqa: S104 - it is only compared with
NAME = "installing"  # the last level of the topics that are tried


@dataclass(frozen=True)
class ExpectedBroker:
    """A broker on this machine. Each check yields what is wrong, in words that follow "Mosquitto".

    Attributes:
        plain_port: the port for this machine's own sensors.
        tls_port: the port for everybody else.
        tls_address: the address of the only interface that the TLS port uses; empty for all.
        websocket_port: the port for MQTT over WebSocket; None for none.
        ca_file: the CA that clients trust.
        group: a group of the house.
        passwords: the password of each user.
        sensors: the users that are sensors.
        carried: for each of them that is a gateway, the sensors that it carries, as `group/sensor`.
    """

    plain_port: int
    tls_port: int
    tls_address: str
    ca_file: Path
    group: str
    passwords: Mapping[str, str] = field(repr=False)
    sensors: Sequence[str]
    carried: Mapping[str, Sequence[str]] = field(default_factory=dict)
    websocket_port: int | None = None

    @property
    def ports(self) -> list[int]:
        """Its ports."""
        return [one for one in (self.plain_port, self.tls_port, self.websocket_port) if one]

    def wrong_listeners(self, pid: int) -> Iterator[str]:
        """Yield where the broker listens although it must not, and where it must but does not."""
        addresses = (self.tls_address,) if self.tls_address else EVERYWHERE
        wanted = [{Endpoint(LOOPBACK, self.plain_port)}, {Endpoint(one, self.tls_port) for one in addresses}]
        if self.websocket_port:
            wanted.append({Endpoint(one, self.websocket_port) for one in EVERYWHERE})
        found = listens_on(pid)
        yield from (f"also listens on {one}" for one in sorted(found.difference(*wanted)))
        yield from (f"does not listen on port {min(ports).port}" for ports in wanted if not ports & found)

    def wrong_logins(self) -> Iterator[str]:
        """Yield whom the broker lets in although it must not, and whom it refuses although it must not."""
        for trust, port in ((None, self.plain_port), (self.ca_file, self.tls_port)):
            users = self.passwords if trust is None else [ADMIN]
            for user in (None, *users):
                try:
                    with self._connected(user, port, trust) as probe:
                        reason = probe.greet()
                except (OSError, Silent) as error:
                    yield f"does not answer on port {port}: {error}"
                    break
                if user is None and not reason.failed:
                    yield f"lets in clients without a password on port {port}"
                if user and reason.failed:
                    yield f"refuses the user {user} on port {port}: {reason.text}"

    def wrong_rights(self) -> Iterator[str]:
        """Yield which user may publish or receive what it must not. Only for a broker that nobody else uses."""
        owners = {f"{self.group}/{sensor}": sensor for sensor in self.sensors}
        owners |= {sensor: user for user, sensors in self.carried.items() for sensor in sensors}
        for user in (*self.sensors, EYES, ADMIN):
            with self._connected(user, self.plain_port) as probe:
                for sensor, owner in owners.items():
                    topic = f"{sensor}/data/{NAME}"
                    if (not probe.publish(topic).failed) != (user in (owner, ADMIN)):
                        yield f"{'refuses' if user in (owner, ADMIN) else 'accepts'} {topic} from the user {user}"
        with self._connected(ADMIN, self.plain_port) as admin:
            for user in self.sensors:
                yield from self._overheard(user, admin)

    def _overheard(self, user: str, admin: MqttProbe) -> Iterator[str]:
        """Yield which commands to other sensors a sensor receives."""
        sensors = sorted(self.sensors, key=lambda one: one != user)
        own, *others = (f"{self.group}/{one}/action/{NAME}" for one in sensors)
        with self._connected(user, self.plain_port) as probe:
            probe.subscribe("#")
            for topic in (*others, own):
                admin.publish(topic, b"1")
            if not probe.receives(own, b"1"):
                yield f"does not deliver {own} to the user {user}"
            yield from (f"delivers {one.topic} to the user {user}" for one in probe.received if one.topic in others)

    def _connected(self, user: str | None, port: int, trust: Path | None = None) -> MqttProbe:
        password = self.passwords[user] if user else None
        options = ConnectOptions(client_id="", protocol="5", keepalive_s=KEEPALIVE_S, username=user, password=password)
        return MqttProbe(connect("localhost" if trust else LOOPBACK, port, trust), options)
