"""What `penates doctor` asks of the broker as a sensor: what it lets it do.

Nothing here disturbs a sensor that is alive. The probes have client ids of their own, `group/sensor/doctor` and
`group/sensor/doctor-will`; they publish nothing that is retained, only to `status/doctor`, `data/doctor` and
`action/doctor/probe` below the sensor's own name and to `status/doctor` below one that is nobody's, and what could be
taken for a value is empty (docs/TOPICS.md).
"""

import socket
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from bootstrap.config import Address, Settings, password_file, read_password
from bootstrap.connection import Hello
from bootstrap.dial import dial
from bootstrap.message import FAILURE, Message
from bootstrap.reporter import new_run
from bootstrap.topics import Topics
from penates.doctor_life import Words
from penates.doctor_reach import BROKER, local
from penates.findings import SUDO, Finding, bad, good, unknown
from penates.probe import PATIENCE_S, Probe, Silent

NAME = "doctor"
ADMIN, EYES = "admin", "eyes"
INSTALL = "sudo penates install"
ACL = f"give the broker passwords and an ACL, as `{INSTALL}` does"
RECORDER = "recorder"
STATE = "/status/state"
WORDS = ("state", "heartbeat", "about")


@dataclass
class Visit:
    """One sensor's stay at the broker, as itself but under another client id."""

    settings: Settings
    probe: Probe
    hello: Hello
    dialled: Callable[[], socket.socket]
    mark: bytes = field(default_factory=lambda: new_run().encode())  # by which we know our own words

    @property
    def topics(self) -> Topics:
        """The sensor's."""
        return self.settings.topics

    @property
    def anybody(self) -> bool:
        """Whether it came in without a password."""
        return self.hello.password is None

    @property
    def status(self) -> str:
        """Where we may speak as this sensor, and nobody listens."""
        return self.topics.status(NAME)

    @property
    def others(self) -> list[str]:
        """Sensors that it hears and is not."""
        states = (topic for topic, _payload in self.probe.heard if topic.endswith(STATE))
        return sorted({topic.removesuffix(STATE) for topic in states} - {self.topics.client_id})


def consult(settings: Settings, host: str) -> tuple[list[Finding], Words | None]:
    """Go in as this sensor, and look: what is found, and what the broker has kept of its words."""
    try:
        hello = replace(settings.address.hello(), client_id=f"{settings.topics.client_id}/{NAME}", will=None)
    except PermissionError as error:
        return [unknown("password", f"no right to read {error.filename}", SUDO)], None
    except OSError as error:
        return [bad("password", f"there is none: {error.filename}: {error.strerror}", INSTALL)], None
    except ValueError as error:
        return [bad("password", f"the file with it {error}", INSTALL)], None
    found: list[Finding] = []
    try:
        dialled = partial(dial, host, settings.address.port, settings.address.ca_file, PATIENCE_S)
        with Probe(dialled(), hello) as probe:
            reason = probe.greet()
            if reason.value >= FAILURE:
                return [_refused(hello, str(reason))], None
            found.append(_accepted(hello))
            found.extend(_inside(Visit(settings, probe, hello, dialled)))
            return found, _words(settings.topics, dict(probe.heard))  # the newest of each
    except (OSError, Silent) as error:
        return [*found, bad(BROKER, f"{host}: {error}", "its log says more: journalctl -u mosquitto -n 20")], None


def overheard(settings: Settings, host: str) -> Words | None:
    """What the broker has kept of a sensor's words, as a person may hear it; None if nobody lets us."""
    topics = settings.topics
    heard = _heard(settings.address, host, f"{topics.client_id}/{NAME}-{EYES}", [f"{topics.client_id}/status/#"])
    return None if heard is None else _words(topics, heard)


def fleet(address: Address, host: str, groups: Iterable[str]) -> dict[str, Words] | None:
    """What the broker has kept of the words of every sensor of these groups; None if nobody lets us hear it."""
    filters = [f"{group}/+/status/{name}" for group in groups for name in WORDS]
    heard = _heard(address, host, f"{address.topics.group}/{NAME}-{EYES}", filters)
    if heard is None:
        return None
    known = sorted({topic.split("/status/")[0] for topic in heard})
    return {one: Words(*(heard.get(f"{one}/status/{name}") for name in WORDS)) for one in known}


def _heard(address: Address, host: str, client_id: str, filters: Sequence[str]) -> dict[str, bytes] | None:
    """What is retained of these, as a person may hear it."""
    broker = address.broker
    hello = Hello(
        client_id=client_id,
        protocol=broker.protocol,
        keepalive_s=broker.keepalive_s,
        will=None,
        username=None,
        password=None,
    )
    try:
        hello = _as(address, EYES, hello)
        with Probe(dial(host, address.port, address.ca_file, PATIENCE_S), hello) as probe:
            if probe.greet().value >= FAILURE:
                return None
            probe.subscribe(*filters)
            probe.publish(address.topics.status(NAME))  # answered after what is retained, allowed or not
            return dict(probe.heard)
    except (OSError, ValueError, Silent):
        return None


def _as(address: Address, user: str, hello: Hello) -> Hello:
    """The same greeting, as one of the broker's users who are no sensors.

    Raises:
        OSError: the password cannot be read.
        ValueError: there is none.
    """
    file = password_file(address.folder, address.broker.password_file, user)
    name = address.broker.username or (user if file else None)
    return replace(hello, username=name, password=read_password(file) if file else None)


def _words(topics: Topics, heard: Mapping[str, bytes]) -> Words:
    return Words(*(heard.get(topics.status(name)) for name in WORDS))


def _accepted(hello: Hello) -> Finding:
    if hello.password is None:
        return good("password", "the broker asks for none")
    return good("password", f"the broker accepts the user {hello.username}")


def _refused(hello: Hello, why: str) -> Finding:
    who = f"the user {hello.username}" if hello.username else "anybody without a password"
    advice = f"{INSTALL} makes users and passwords anew" if hello.username else "say `password_file` in house.toml"
    return bad("password", f"the broker refuses {who}: {why}", advice)


def may_speak(stay: Visit) -> Finding:
    """State and all that is said of it; and hear it back, as a sensor does to find one of its own name."""
    denied = stay.probe.publish(stay.status, stay.mark).value >= FAILURE
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
    if stay.probe.publish(stay.topics.data(NAME)).value >= FAILURE:
        return bad("data/#", f"it may not say {stay.topics.client_id}/data/#", _allow(stay, "write", "data"))
    return good("data/#", "it may say its own")


def may_obey(stay: Visit) -> Finding:
    """Commands, which somebody else gives: below a level that the sensor itself does not listen to."""
    topic = f"{stay.topics.client_id}/action/{NAME}/probe"
    everything = (stay.anybody or stay.probe.tells) and stay.probe.publish(topic, stay.mark).value < FAILURE
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
        hello = _as(stay.settings.address, ADMIN, replace(stay.hello, client_id=f"{stay.hello.client_id}-{ADMIN}"))
    except PermissionError:
        raise
    except (OSError, ValueError) as error:
        return str(error)
    with Probe(stay.dialled(), hello) as admin:
        reason = admin.greet()
        if reason.value < FAILURE:
            reason = admin.publish(topic, stay.mark)
    return f"the user {hello.username}: {reason}" if reason.value >= FAILURE else ""


def may_not_forge(stay: Visit) -> Finding:
    """What a sensor must not be able to: speak for another."""
    if not stay.probe.tells:
        return unknown("only its own", "MQTT 3.1.1 does not tell whether a publish is denied")
    if stay.others and stay.settings.kind != RECORDER and not stay.settings.address.broker.username:
        return bad("only its own", f"it hears others, such as {stay.others[0]}", ACL)
    other = Topics(stay.topics.group, f"not-{stay.topics.sensor}"[:64])
    if stay.probe.publish(other.status(NAME)).value >= FAILURE:
        return good("only its own", "it may neither speak for another nor hear it")
    if stay.anybody and all(map(local, stay.settings.address.hosts)):
        return unknown("only its own", "anybody on this machine may speak for it: the broker asks for no password")
    if shared := stay.settings.address.broker.username:
        return unknown("only its own", f"all sensors are the user {shared}, and may speak for each other")
    who = "anybody may speak for it" if stay.anybody else "it may speak for others"
    return bad("only its own", who, ACL)


def will_fires(stay: Visit) -> Finding:
    """Die as a sensor would, and hear of it."""
    will = Message(stay.status, b"will " + stay.mark)
    hello = replace(stay.hello, client_id=f"{stay.hello.client_id}-will", will=will)
    dying = Probe(stay.dialled(), hello)
    try:
        reason = dying.greet()
    finally:
        dying.kill()
    if reason.value < FAILURE and stay.probe.hears(will.topic, will.payload):
        return good("last will", "the broker says `lost` for one that died")
    return bad(
        "last will",
        "nobody would hear that it died" + (f": {reason}" if reason.value >= FAILURE else ""),
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
    heard = dict(stay.probe.heard)
    if stay.settings.homeassistant.enabled and stay.topics.status("state") in heard:
        yield _announcement(announced, there=bool(heard.get(announced)))


def _announcement(topic: str, *, there: bool) -> Finding:
    """Whether Home Assistant is told of a sensor that has spoken. To say it ourselves would be to change it."""
    if there:
        return good("announced", "Home Assistant is told of it")
    rule = f"in the broker's ACL, for its user: topic readwrite {topic}"
    without = "or, without Home Assistant, `enabled = false` in [homeassistant] of house.toml"
    return unknown("announced", f"it may not say, or not hear, {topic}", f"{INSTALL}; or {rule}; {without}")
