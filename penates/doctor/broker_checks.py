"""What `penates doctor` asks of the broker as a sensor: what it lets it do.

Nothing here disturbs a sensor that is alive. The probes have client ids of their own, `group/sensor/doctor` and
`group/sensor/doctor-will`; they publish nothing that is retained, only to `status/doctor`, `data/doctor` and
`action/doctor/probe` below the sensor's own name and to `status/doctor` below one that is nobody's, and what could be
taken for a value is empty (docs/TOPICS.md).
"""

import socket
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from bootstrap.config.model import SensorSettings
from bootstrap.config.secrets import password_file, read_password
from bootstrap.contract.topics import ADMIN, EYES, RECORDER, Topics
from bootstrap.mqtt.address import BrokerAddress, ConnectOptions
from bootstrap.mqtt.connect import connect
from bootstrap.outbox.message import Message
from bootstrap.runtime.heartbeat import new_run
from penates.doctor.findings import SUDO, Finding, bad, good, unknown
from penates.doctor.reachability import BROKER, local
from penates.fleet.fleet_view import FleetView, SeenSensor
from penates.fleet.probe import PATIENCE_S, MqttProbe, Silent

NAME = "doctor"
INSTALL = "sudo penates install"
ACL = f"give the broker passwords and an ACL, as `{INSTALL}` does"
STATE = "/status/state"
WORDS = ("state", "heartbeat", "about")


@dataclass
class Visit:
    """One sensor's stay at the broker, as itself but under another client id."""

    settings: SensorSettings
    probe: MqttProbe
    options: ConnectOptions
    dialled: Callable[[], socket.socket]
    mark: bytes = field(default_factory=lambda: new_run().encode())  # by which we know our own words

    @property
    def topics(self) -> Topics:
        """The sensor's."""
        return self.settings.topics

    @property
    def address(self) -> BrokerAddress:
        """Where the sensor connects to."""
        return BrokerAddress.of(self.settings)

    @property
    def anybody(self) -> bool:
        """Whether it came in without a password."""
        return self.options.password is None

    @property
    def status(self) -> str:
        """Where we may speak as this sensor, and nobody listens."""
        return self.topics.status(NAME)

    @property
    def others(self) -> list[str]:
        """Sensors that it hears and is not."""
        states = (message.topic for message in self.probe.heard if message.topic.endswith(STATE))
        return sorted({topic.removesuffix(STATE) for topic in states} - {self.topics.client_id})


def consult(settings: SensorSettings, host: str) -> tuple[list[Finding], SeenSensor | None]:
    """Connect as this sensor, and look: returns what is found, and the sensor as the broker has it, if it was asked."""
    address = BrokerAddress.of(settings)
    try:
        options = replace(address.connect_options(), client_id=f"{settings.topics.client_id}/{NAME}", will=None)
    except PermissionError as error:
        return [unknown("password", f"no right to read {error.filename}", SUDO)], None
    except OSError as error:
        return [bad("password", f"there is none: {error.filename}: {error.strerror}", INSTALL)], None
    except ValueError as error:
        return [bad("password", f"the file with it {error}", INSTALL)], None
    found: list[Finding] = []
    try:
        dialled = partial(connect, host, address.port, address.ca_file, PATIENCE_S)
        with MqttProbe(dialled(), options) as probe:
            reason = probe.greet()
            if reason.failed:
                return [_refused(options, reason.text)], None
            found.append(_accepted(options))
            found.extend(_inside(Visit(settings, probe, options, dialled)))
            return found, _seen(probe).get(settings.topics.client_id)
    except (OSError, Silent) as error:
        return [*found, bad(BROKER, f"{host}: {error}", "its log says more: journalctl -u mosquitto -n 20")], None


def overheard(settings: SensorSettings, host: str) -> SeenSensor | None:
    """Return a sensor as the broker has it, as the user `eyes` sees it; None if nobody lets us look."""
    topics = settings.topics
    filters = [f"{topics.client_id}/status/#"]
    seen = _looked(BrokerAddress.of(settings), host, f"{topics.client_id}/{NAME}-{EYES}", filters)
    return None if seen is None else seen.get(topics.client_id, SeenSensor(topics))


def fleet(address: BrokerAddress, host: str, groups: Iterable[str]) -> dict[str, SeenSensor] | None:
    """Return every sensor of these groups as the broker has it, by client id; None if nobody lets us look."""
    filters = [f"{group}/+/status/{name}" for group in groups for name in WORDS]
    return _looked(address, host, f"{address.topics.group}/{NAME}-{EYES}", filters)


def _looked(address: BrokerAddress, host: str, client_id: str, filters: Sequence[str]) -> dict[str, SeenSensor] | None:
    """Return what is retained of these, as the user `eyes` sees it."""
    broker = address.broker
    options = ConnectOptions(client_id=client_id, protocol=broker.protocol, keepalive_s=broker.keepalive_s)
    try:
        options = _as(address, EYES, options)
        with MqttProbe(connect(host, address.port, address.ca_file, PATIENCE_S), options) as probe:
            if probe.greet().failed:
                return None
            probe.retained(filters)
            return _seen(probe)
    except (OSError, ValueError, Silent):
        return None


def _seen(probe: MqttProbe) -> dict[str, SeenSensor]:
    return FleetView.of(probe.newest(), time.monotonic()).sensors


def _as(address: BrokerAddress, user: str, options: ConnectOptions) -> ConnectOptions:
    """The same greeting, as one of the broker's users who are no sensors.

    Raises:
        OSError: the password cannot be read.
        ValueError: there is none.
    """
    file = password_file(address.folder, address.broker.password_file, user)
    name = address.broker.username or (user if file else None)
    return replace(options, username=name, password=read_password(file) if file else None)


def _accepted(options: ConnectOptions) -> Finding:
    if options.password is None:
        return good("password", "the broker asks for none")
    return good("password", f"the broker accepts the user {options.username}")


def _refused(options: ConnectOptions, why: str) -> Finding:
    who = f"the user {options.username}" if options.username else "anybody without a password"
    advice = f"{INSTALL} makes users and passwords anew" if options.username else "say `password_file` in house.toml"
    return bad("password", f"the broker refuses {who}: {why}", advice)


def may_speak(stay: Visit) -> Finding:
    """State and all that is said of it; and hear it back, as a sensor does to find one of its own name."""
    denied = stay.probe.publish(stay.status, stay.mark).failed
    if not denied and stay.probe.hears(stay.status, stay.mark):
        return good("status/#", "it may say and hear its own")
    if denied or not stay.probe.tells:
        what = "it may not say" if stay.probe.tells else "it may not say, or not hear,"
        return bad("status/#", f"{what} {stay.topics.client_id}/status/#", _allow(stay, "readwrite", "status"))
    return bad("status/#", f"it may not hear {stay.topics.client_id}/status/#", _allow(stay, "readwrite", "status"))


def _allow(stay: Visit, right: str, kind: str) -> str:
    return f"{INSTALL}; or in the broker's ACL: pattern {right} {stay.topics.group}/%u/{kind}/#"


def may_tell(stay: Visit) -> Finding:
    """Values and history."""
    if not stay.probe.tells:
        return unknown("data/#", "MQTT 3.1.1 does not tell whether a publish is denied")
    if stay.probe.publish(stay.topics.data(NAME)).failed:
        return bad("data/#", f"it may not say {stay.topics.client_id}/data/#", _allow(stay, "write", "data"))
    return good("data/#", "it may say its own")


def may_obey(stay: Visit) -> Finding:
    """Commands, which somebody else gives: below a level that the sensor itself does not listen to."""
    topic = f"{stay.topics.client_id}/action/{NAME}/probe"
    everything = (stay.anybody or stay.probe.tells) and not stay.probe.publish(topic, stay.mark).failed
    try:
        why = "" if everything else _command(stay, topic)
    except PermissionError as error:
        return unknown("action/#", f"no right to read {error.filename}, to send it a command", SUDO)
    if why:
        return unknown("action/#", f"nobody could send it a command: {why}")
    if stay.probe.hears(topic, stay.mark):
        return good("action/#", "it hears its own")
    return bad("action/#", f"it does not hear {stay.topics.client_id}/action/#", _allow(stay, "read", "action"))


def _command(stay: Visit, topic: str) -> str:
    """Publish as whoever may; returns why that could not be.

    Raises:
        PermissionError: we may not read the password.
    """
    try:
        options = _as(stay.address, ADMIN, replace(stay.options, client_id=f"{stay.options.client_id}-{ADMIN}"))
    except PermissionError:
        raise
    except (OSError, ValueError) as error:
        return str(error)
    with MqttProbe(stay.dialled(), options) as admin:
        reason = admin.greet()
        if not reason.failed:
            reason = admin.publish(topic, stay.mark)
    return f"the user {options.username}: {reason.text}" if reason.failed else ""


def may_not_forge(stay: Visit) -> Finding:
    """What a sensor must not be able to: speak for another."""
    if not stay.probe.tells:
        return unknown("only its own", "MQTT 3.1.1 does not tell whether a publish is denied")
    if stay.others and stay.settings.kind != RECORDER and not stay.address.broker.username:
        return bad("only its own", f"it hears others, such as {stay.others[0]}", ACL)
    other = Topics(stay.topics.group, f"not-{stay.topics.sensor}"[:64])
    if stay.probe.publish(other.status(NAME)).failed:
        return good("only its own", "it may neither speak for another nor hear it")
    if stay.anybody and all(map(local, stay.address.hosts)):
        return unknown("only its own", "anybody on this machine may speak for it: the broker asks for no password")
    if shared := stay.address.broker.username:
        return unknown("only its own", f"all sensors are the user {shared}, and may speak for each other")
    who = "anybody may speak for it" if stay.anybody else "it may speak for others"
    return bad("only its own", who, ACL)


def will_fires(stay: Visit) -> Finding:
    """Die as a sensor would, and hear of it."""
    will = Message(stay.status, b"will " + stay.mark)
    options = replace(stay.options, client_id=f"{stay.options.client_id}-will", will=will)
    dying = MqttProbe(stay.dialled(), options)
    try:
        reason = dying.greet()
    finally:
        dying.kill()
    if not reason.failed and stay.probe.hears(will.topic, will.payload):
        return good("last will", "the broker says `lost` for one that died")
    return bad(
        "last will",
        "nobody would hear that it died" + (f": {reason.text}" if reason.failed else ""),
        _allow(stay, "readwrite", "status"),
    )


AT_THE_BROKER: tuple[Callable[[Visit], Finding], ...] = (may_speak, may_tell, may_obey, may_not_forge, will_fires)


def _inside(stay: Visit) -> Iterator[Finding]:
    """All that is to be found there. What is retained of the sensor has come before the answer to our own word."""
    own = (f"{stay.topics.client_id}/{kind}/#" for kind in ("status", "action"))
    announced = stay.settings.homeassistant.topic(stay.topics)
    stay.probe.subscribe(*own, f"{stay.topics.group}/+{STATE}", announced)
    for check in AT_THE_BROKER:
        yield check(stay)
    heard = stay.probe.newest()
    if stay.settings.homeassistant.enabled and stay.topics.status("state") in heard:
        yield _announcement(announced, there=bool(heard.get(announced)))


def _announcement(topic: str, *, there: bool) -> Finding:
    """Whether Home Assistant is told of a sensor that has spoken. To say it ourselves would be to change it."""
    if there:
        return good("announced", "Home Assistant is told of it")
    rule = f"in the broker's ACL, for its user: topic readwrite {topic}"
    without = "or, without Home Assistant, `enabled = false` in [homeassistant] of house.toml"
    return unknown("announced", f"it may not say, or not hear, {topic}", f"{INSTALL}; or {rule}; {without}")
