"""What a broker that somebody else looks after lacks for what penates promises, with the settings that would mend it.

`penates doctor` and `penates install --broker` use the same checks. They disturb nobody: what they publish is one byte,
not retained, and on `status/doctor` below the recorder's name (docs/TOPICS.md).
"""

import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from bootstrap.config.model import House
from bootstrap.contract.topics import RECORDER, Topics
from bootstrap.mqtt.address import BrokerAddress, ConnectOptions
from bootstrap.mqtt.connect import connect
from bootstrap.mqtt.refusals import cure
from bootstrap.mqtt.session import Connack
from penates.doctor import machine
from penates.doctor.findings import SUDO, Finding, bad, good, unknown
from penates.doctor.reachability import BROKER, local
from penates.fleet.broker_facts import OLDEST, BrokerFacts
from penates.fleet.probe import PATIENCE_S, MqttProbe, Silent
from penates.fleet.queue_probe import kept_messages

NAME = "doctor"
MANY = 1100  # more than the usual limit of a queue
LEAST_PACKET = 65_536  # bytes: the largest message that penates reads
DOCS = "docs/BROKER.md, Beside the broker you have"
KEEP = "persistence true, autosave_interval 60 and max_queued_messages 200000, as in mosquitto/penates.conf"


@dataclass(frozen=True)
class OtherBrokerCheck:
    """The checks of a broker at one of its addresses.

    Attributes:
        house: the settings of the house.
        folder: its folder, to which secrets are relative.
        host: the broker's address.
        conf: the main file of a Mosquitto's settings, if the broker is on this machine.
    """

    house: House
    folder: Path
    host: str
    conf: Path = machine.CONF

    def findings(self) -> Iterator[Finding]:
        """Check what penates needs of a broker beyond being there."""
        try:
            options = self._options()
        except PermissionError as error:
            yield unknown("promises", f"not allowed to read {error.filename}", SUDO)
            return
        except (OSError, ValueError):
            return  # each sensor's own password is checked with the sensor
        try:
            yield from self._checked(options)
        except (OSError, Silent) as error:
            yield unknown("promises", f"not checked: {self.host}: {error}")

    def _options(self) -> ConnectOptions:
        broker = self.house.broker
        address = BrokerAddress(self.folder, broker, Topics(self.house.group, RECORDER))
        options = replace(address.connect_options(), will=None)
        return replace(options, client_id=f"{options.client_id}/{NAME}-queue")

    def _open(self) -> socket.socket:
        broker = self.house.broker
        return connect(self.host, broker.tcp_port, broker.ca_file, PATIENCE_S)

    def _checked(self, options: ConnectOptions) -> Iterator[Finding]:
        with MqttProbe(self._open(), options) as probe:
            reason = probe.greet()
            if reason.failed or probe.connack is None:
                yield bad(BROKER, f"it refuses us: {reason.text}", cure(reason.code, options))
                return
            facts = BrokerFacts.of(probe)
            yield from _offered(options, probe.connack, facts)
        yield _users(options, open_to_all=self._lets_in_anybody(options), local_only=local(self.host))
        yield from self._kept(options, partial(self._open))

    def _lets_in_anybody(self, options: ConnectOptions) -> bool:
        """Return whether it lets in clients without a user, whichever it knows besides."""
        nobody = replace(options, client_id=f"{options.client_id}-nobody", username=None, password=None)
        try:
            with MqttProbe(self._open(), nobody) as probe:
                return not probe.greet().failed
        except (OSError, Silent):  # it ends the connection without a word
            return False

    def _kept(self, options: ConnectOptions, open_socket: Callable[[], socket.socket]) -> Iterator[Finding]:
        """Check what it keeps for a recorder: by its own settings if they are here, else by trying."""
        if local(self.host) and (found := [*machine.mosquitto(self.house, self.conf)]):
            yield from found
        elif self.house.history.recorder:
            topic = Topics(self.house.group, RECORDER).status(NAME)
            yield _queue(kept_messages(open_socket, options, topic, MANY))
            text = "what it keeps through a restart or a power cut cannot be seen from here"
            yield unknown("storage", text, f"a Mosquitto needs {KEEP}")


def _offered(options: ConnectOptions, offer: Connack, facts: BrokerFacts) -> Iterator[Finding]:
    """Check what it said of itself when we connected."""
    if options.version_5:
        yield good("MQTT 5", f"{facts.version or 'it'} speaks it")
    else:
        lost = "neither a denied message nor a command that has expired can be told from others"
        yield unknown("MQTT 5", f"not used: {lost}", 'protocol = "5" in house.toml, if the broker speaks it')
    if facts.too_old:
        oldest = ".".join(map(str, OLDEST))
        yield bad("version", f"{facts.version} is older than {oldest}", "upgrade it: older ones lose what waits")
    if not offer.retains:
        yield bad("retained", "it keeps no retained messages, which penates cannot do without", "retain_available true")
    if not offer.largest_qos:
        yield bad("QoS", "it takes QoS 0 only, and penates needs QoS 1", "max_qos 1")
    if offer.largest < LEAST_PACKET:
        text = f"it takes messages of at most {offer.largest:.0f} bytes, and penates may send up to {LEAST_PACKET}"
        yield bad("size", text, "max_packet_size 100000")


def _users(options: ConnectOptions, *, open_to_all: bool, local_only: bool) -> Finding:
    """Check whether somebody else may pose as a sensor."""
    if not open_to_all:
        return good("users", f"it lets us in as {options.username}")
    who = (
        "anybody on this machine, and in its networks if it listens there," if local_only else "anybody in its network"
    )
    text = f"it lets in clients without a password: {who} may publish as a sensor, and command one"
    return bad("users", text, f"give each program a user there, then run this with --username; or {DOCS}")


def _queue(kept: int) -> Finding:
    if kept >= MANY:
        return good("queues", f"it keeps more than {machine.QUEUE} messages for a recorder that is away")
    text = f"it keeps {kept} messages for a recorder that is away, and drops what comes after as if it had delivered it"
    return bad("queues", text, f"a Mosquitto needs {KEEP}")
