"""What `penates doctor` finds out by connecting to the broker as a sensor: what the broker allows it to do.

Nothing here disturbs a running sensor. The probes have client ids of their own, `group/sensor/doctor` and
`group/sensor/doctor-will`. They publish nothing retained, and only to `status/doctor`, `data/doctor` and
`action/doctor/probe` below the sensor's own name and to `status/doctor` below a name that no sensor has. Payloads that
could be mistaken for a value are empty (docs/TOPICS.md).
"""

import socket
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from bootstrap.config.model import SensorSettings
from bootstrap.config.secrets import password_file, read_password
from bootstrap.contract.heard import heard_with
from bootstrap.contract.recording_word import NAME as RECORDING
from bootstrap.contract.recording_word import KnownRecorders
from bootstrap.contract.timestamps import new_run
from bootstrap.contract.topic_filters import covers
from bootstrap.contract.topics import ADMIN, EYES, RECORDER, Topics
from bootstrap.mqtt.address import BrokerAddress, ConnectOptions
from bootstrap.mqtt.connect import connect
from bootstrap.mqtt.refusals import cure
from bootstrap.mqtt.session import Reason
from bootstrap.needs import Listened, needs_of
from bootstrap.outbox.message import Message
from penates.doctor.findings import SUDO, Finding, bad, good, unknown
from penates.doctor.reachability import BROKER, local
from penates.fleet.fleet_view import FleetView, SeenSensor
from penates.fleet.probe import PATIENCE_S, HungUp, MqttProbe, Silent

NAME = "doctor"
INSTALL = "sudo penates install"
HUNG_UP = Reason(0x87, "the broker closed the connection")  # as if it had answered "not authorized"
WILL_IS = "retained and at QoS 1"
PASSWORD_CODES = frozenset({0x86, 0x87})  # CONNACK: bad user name or password, not authorized
ACL = f"give the broker passwords and an ACL, as `{INSTALL}` does"
STATE = "/status/state"
STATUS = ("state", "heartbeat", "about")


@dataclass
class BrokerSession:
    """A connection as one sensor, with its user and password but another client id."""

    settings: SensorSettings
    probe: MqttProbe
    options: ConnectOptions
    open_socket: Callable[[], socket.socket]
    mark: bytes = field(default_factory=lambda: new_run().encode())  # by which we recognise our own messages

    def subscribe(self) -> None:
        """Subscribe to the sensor's own topics."""
        self.probe.subscribe(*(f"{self.topics.client_id}/{kind}/#" for kind in ("status", "action")))

    def may_subscribe(self, one: str) -> bool:
        """Subscribe to a filter; returns whether the broker answered. Some close the connection instead."""
        try:
            return bool(self.probe.subscribe(one))
        except HungUp:
            return False

    def publish(self, topic: str, payload: bytes = b"") -> Reason:
        """Publish a message; returns the broker's answer. Closing the connection instead is a denial."""
        try:
            return self.probe.publish(topic, payload)
        except HungUp:
            return HUNG_UP

    def reopen(self) -> None:
        """Connect again if the broker hung up, as some do on what they do not allow."""
        if not self.probe.open:
            self.probe.reopen(self.open_socket())
            self.subscribe()

    @property
    def topics(self) -> Topics:
        """The topics of the sensor."""
        return self.settings.topics

    @property
    def address(self) -> BrokerAddress:
        """The broker that the sensor connects to."""
        return BrokerAddress.of(self.settings)

    @property
    def anonymous(self) -> bool:
        """Whether it connected without a password."""
        return self.options.password is None

    @property
    def status(self) -> str:
        """The topic to which we publish as this sensor, and that nobody else uses."""
        return self.topics.status(NAME)

    @property
    def listened(self) -> list[str]:
        """The filters of what its settings have it receive of others."""
        needed = [need for _name, need in needs_of(self.settings.device) if isinstance(need, Listened)]
        return [one for need in needed for one in heard_with(need.filter)]

    @property
    def others(self) -> list[str]:
        """The other sensors whose state it received, though its settings name none of it."""
        states = {message.topic for message in self.probe.received if message.topic.endswith(STATE)}
        undeclared = {topic for topic in states if not any(covers(one, topic) for one in self.listened)}
        return sorted({topic.removesuffix(STATE) for topic in undeclared} - {self.topics.client_id})


def check_broker(settings: SensorSettings, host: str) -> tuple[list[Finding], SeenSensor | None]:
    """Connect as this sensor and run the checks. Also returns the sensor as the broker has it, or None."""
    address = BrokerAddress.of(settings)
    try:
        options = _as_sensor(settings)
    except PermissionError as error:
        return [unknown("password", f"not allowed to read {error.filename}", SUDO)], None
    except OSError as error:
        return [bad("password", f"there is no password: {error.filename}: {error.strerror}", INSTALL)], None
    except ValueError as error:
        return [bad("password", f"the password file {error}", INSTALL)], None
    found: list[Finding] = []
    try:
        open_socket = partial(connect, host, address.port, address.ca_file, PATIENCE_S)
        with MqttProbe(open_socket(), options) as probe:
            reason = probe.greet()
            if reason.failed:
                return [_refused(options, reason)], None
            found.append(_accepted(options))
            found.extend(_run_checks(BrokerSession(settings, probe, options, open_socket)))
            return found, _seen(probe).get(settings.topics.client_id)
    except (OSError, Silent) as error:
        text = f"{host}: {error}"
        if not found and isinstance(error, HungUp) and _accepts_without_will(open_socket, options):
            text = f"{host}: it closes the connection if the last will is {WILL_IS}, as penates needs it"
        return [*found, bad(BROKER, text, "see its log: journalctl -u mosquitto -n 20")], None


def _as_sensor(settings: SensorSettings) -> ConnectOptions:
    """Return the options of CONNECT as the sensor has them, but for the client id and the topic of the last will.

    The will has no payload, so that it would change nothing if it were published.
    """
    options = BrokerAddress.of(settings).connect_options()
    will = Message(settings.topics.status(NAME), b"", retain=True)
    return replace(options, client_id=f"{settings.topics.client_id}/{NAME}", will=will)


def _accepts_without_will(open_socket: Callable[[], socket.socket], options: ConnectOptions) -> bool:
    """Return whether the broker accepts a connection that has no last will."""
    try:
        with MqttProbe(open_socket(), replace(options, will=None)) as probe:
            return not probe.greet().failed
    except (OSError, Silent):
        return False


def seen_by_eyes(settings: SensorSettings, host: str) -> SeenSensor | None:
    """Return a sensor as the broker shows it to the user `eyes`, or None if that user cannot connect."""
    topics = settings.topics
    filters = [f"{topics.client_id}/status/#"]
    seen = _read_as_eyes(BrokerAddress.of(settings), host, f"{topics.client_id}/{NAME}-{EYES}", filters)
    return None if seen is None else seen.get(topics.client_id, SeenSensor(topics))


def fleet(address: BrokerAddress, host: str, groups: Iterable[str]) -> dict[str, SeenSensor] | None:
    """Return the sensors of these groups, by client id, as the broker shows them to the user `eyes`.

    None means that this user cannot connect.
    """
    filters = [f"{group}/+/status/{name}" for group in groups for name in STATUS]
    return _read_as_eyes(address, host, f"{address.topics.group}/{NAME}-{EYES}", filters)


def _read_as_eyes(
    address: BrokerAddress, host: str, client_id: str, filters: Sequence[str]
) -> dict[str, SeenSensor] | None:
    """Return the sensors that the retained messages on `filters` describe, read as the user `eyes`."""
    messages = _stored_for_eyes(address, host, client_id, filters)
    return None if messages is None else FleetView.of(messages, time.monotonic()).sensors


def heard_by_eyes(address: BrokerAddress, host: str, filters: Sequence[str]) -> Mapping[str, bytes] | None:
    """Return what the broker has stored on these filters, by topic, as the user `eyes` may read it.

    None means that this user cannot connect.
    """
    return _stored_for_eyes(address, host, f"{address.topics.group}/{NAME}-{EYES}", filters)


def _stored_for_eyes(
    address: BrokerAddress, host: str, client_id: str, filters: Sequence[str]
) -> Mapping[str, bytes] | None:
    broker = address.broker
    options = ConnectOptions(client_id=client_id, protocol=broker.protocol, keepalive_s=broker.keepalive_s)
    try:
        options = _as_user(address, EYES, options)
        with MqttProbe(connect(host, address.port, address.ca_file, PATIENCE_S), options) as probe:
            if probe.greet().failed:
                return None
            probe.retained(filters)
            return probe.newest()
    except (OSError, ValueError, Silent):
        return None


def _seen(probe: MqttProbe) -> dict[str, SeenSensor]:
    return FleetView.of(probe.newest(), time.monotonic()).sensors


def _as_user(address: BrokerAddress, user: str, options: ConnectOptions) -> ConnectOptions:
    """Return `options` for one of the broker's users that are not sensors.

    Raises:
        OSError: the password file cannot be read.
        ValueError: the file has no password.
    """
    file = password_file(address.folder, address.broker.password_file, user)
    name = address.broker.username or (user if file else None)
    return replace(options, username=name, password=read_password(file) if file else None)


def _accepted(options: ConnectOptions) -> Finding:
    if options.password is None:
        return good("password", "the broker does not require one")
    return good("password", f"the broker accepts the user {options.username}")


def _refused(options: ConnectOptions, reason: Reason) -> Finding:
    if reason.code not in PASSWORD_CODES:
        return bad(BROKER, f"it refuses the sensor: {reason.text}", cure(reason.code, options))
    who = f"the user {options.username}" if options.username else "clients without a password"
    advice = f"{INSTALL} recreates users and passwords" if options.username else "set `password_file` in house.toml"
    return bad("password", f"the broker refuses {who}: {reason.text}", advice)


def may_publish_status(session: BrokerSession) -> Finding:
    """Check that it may publish its status, and receive it, as a sensor does to find another of its own name."""
    denied = session.publish(session.status, session.mark).failed
    if not denied and session.probe.receives(session.status, session.mark):
        return good("status/#", "it may publish and receive its own")
    if denied or not session.probe.reports_denial:
        what = "it may not publish" if session.probe.reports_denial else "it may not publish, or not receive,"
    else:
        what = "it may not receive"
    return bad("status/#", f"{what} {session.topics.client_id}/status/#", _allow(session, "readwrite", "status"))


def _allow(session: BrokerSession, right: str, kind: str) -> str:
    return f"{INSTALL}; or in the broker's ACL: pattern {right} {session.topics.group}/%u/{kind}/#"


def may_publish_data(session: BrokerSession) -> Finding:
    """Check that it may publish values and history."""
    if not session.probe.reports_denial:
        return unknown("data/#", "MQTT 3.1.1 does not report whether a publish is denied")
    if session.publish(session.topics.data(NAME)).failed:
        return bad("data/#", f"it may not publish {session.topics.client_id}/data/#", _allow(session, "write", "data"))
    return good("data/#", "it may publish its own")


def may_receive_commands(session: BrokerSession) -> Finding:
    """Check that it receives commands, sent below a topic level to which the sensor itself does not subscribe."""
    topic = f"{session.topics.client_id}/action/{NAME}/probe"
    conclusive = session.anonymous or session.probe.reports_denial
    sent = conclusive and not session.publish(topic, session.mark).failed
    try:
        why = "" if sent else _send_command(session, topic)
    except PermissionError as error:
        return unknown("action/#", f"not allowed to read {error.filename}, to send it a command", SUDO)
    if why:
        return unknown("action/#", f"no command could be sent to it: {why}")
    if session.probe.receives(topic, session.mark):
        return good("action/#", "it receives its own")
    return bad("action/#", f"it receives no {session.topics.client_id}/action/#", _allow(session, "read", "action"))


def _send_command(session: BrokerSession, topic: str) -> str:
    """Publish a command as the user `admin`. Returns why that failed, or nothing.

    Raises:
        PermissionError: we may not read the password.
    """
    try:
        options = replace(session.options, client_id=f"{session.options.client_id}-{ADMIN}")
        options = _as_user(session.address, ADMIN, options)
    except PermissionError:
        raise
    except (OSError, ValueError) as error:
        return str(error)
    with MqttProbe(session.open_socket(), options) as admin:
        reason = admin.greet()
        if not reason.failed:
            reason = admin.publish(topic, session.mark)
    return f"the user {options.username}: {reason.text}" if reason.failed else ""


def may_not_impersonate(session: BrokerSession) -> Finding:
    """Check that it may not publish as another sensor."""
    if not session.probe.reports_denial:
        return unknown("only its own", "MQTT 3.1.1 does not report whether a publish is denied")
    if session.others and session.settings.kind != RECORDER and not session.address.broker.username:
        return bad("only its own", f"it receives messages of others, such as {session.others[0]}", ACL)
    other = Topics(session.topics.group, f"not-{session.topics.sensor}"[:64])
    if session.publish(other.status(NAME)).failed:
        received = "receive what its settings do not name" if session.listened else "receive its messages"
        return good("only its own", f"it may neither publish as another sensor nor {received}")
    if session.anonymous and all(map(local, session.address.hosts)):
        return unknown("only its own", "anybody on this machine may publish as it: the broker requires no password")
    if shared := session.address.broker.username:
        return unknown("only its own", f"all sensors are the user {shared}, and may publish as each other")
    what = "anybody may publish as it" if session.anonymous else "it may publish as others"
    return bad("only its own", what, ACL)


def last_will_works(session: BrokerSession) -> Finding:
    """Check the last will: break a connection and receive the will."""
    will = Message(session.status, b"will " + session.mark)
    options = replace(session.options, client_id=f"{session.options.client_id}-will", will=will)
    dying = MqttProbe(session.open_socket(), options)
    try:
        reason = dying.greet()
    finally:
        dying.kill()
    if not reason.failed and session.probe.receives(will.topic, will.payload):
        return good("last will", "the broker publishes `lost` if its connection breaks")
    return bad(
        "last will",
        "it is not published if its connection breaks" + (f": {reason.text}" if reason.failed else ""),
        _allow(session, "readwrite", "status"),
    )


CHECKS: tuple[Callable[[BrokerSession], Finding], ...] = (
    may_publish_status,
    may_publish_data,
    may_receive_commands,
    may_not_impersonate,
    last_will_works,
)


def _run_checks(session: BrokerSession) -> Iterator[Finding]:
    """Run every check. The sensor's retained messages arrive before the answer to what the first check publishes."""
    settings = session.settings
    announced = settings.homeassistant.topic(session.topics)
    session.subscribe()
    recorders = KnownRecorders(session.topics.group, wanted=settings.history.recorder and settings.recorded)
    words = f"{session.topics.group}/+/status/{RECORDING}"
    for one in (
        f"{session.topics.group}/+{STATE}",
        words,
        *([announced] if settings.homeassistant.enabled else []),
    ):
        session.may_subscribe(one)
        session.reopen()
    for check in CHECKS:
        yield check(session)
        session.reopen()
    held = session.probe.newest()
    for topic, payload in held.items():
        recorders.note(topic, payload)
    if recorders.wanted:
        yield _recorded(words, missing=recorders.missing)
    if session.settings.homeassistant.enabled and session.topics.status("state") in held:
        yield _announcement(announced, there=bool(held.get(announced)))


def _recorded(words: str, *, missing: bool) -> Finding:
    """Check that a recorder says that it records: until one does, readings wait at the sensor."""
    if not missing:
        return good("recorded", "a recorder says that it records its readings")
    advice = "does a recorder run, and record this group? sudo penates doctor recorder; may the sensor receive"
    return bad("recorded", "its readings wait, because no recorder says that it records them", f"{advice} {words}?")


def _announcement(topic: str, *, there: bool) -> Finding:
    """Check that the sensor is announced to Home Assistant. A test announcement would change the real one."""
    if there:
        return good("announced", "Home Assistant knows it")
    rule = f"in the broker's ACL, for its user: topic readwrite {topic}"
    without = "or `enabled = false` in [homeassistant] of its file, or without Home Assistant of house.toml"
    return unknown("announced", f"it may not publish, or not receive, {topic}", f"{INSTALL}; or {rule}; {without}")
