"""A broker with exactly the files we make: whom it lets in, and what each may say and hear."""

import os
import signal
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from queue import Queue
from typing import TYPE_CHECKING

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from bootstrap.config.toml_file import SettingsError
from bootstrap.mqtt.connect import connect
from penates.broker.broker_plan import expected_broker, plan
from penates.broker.mosquitto_files import hashed
from penates.fleet.access import Access, trusting
from penates.fleet.already_running import alive
from penates.fleet.probe import Unreachable
from support.places import Place
from support.radio import radio
from support.world import PATIENCE_S, Broker, Eyes, Wires, eventually, free_port

if TYPE_CHECKING:
    from paho.mqtt.reasoncodes import ReasonCode

DENIED, REFUSED = 0x87, 0x80


@pytest.fixture
def serve(place: Place, new_broker: Callable[..., Broker], tmp_path: Path) -> Callable[[], Place]:
    """Write the files, and start a broker by them."""
    (tmp_path / "kept").mkdir()
    lines = ("allow_anonymous false", f"persistence_location {tmp_path}/kept/", f"include_dir {place.site.conf_d}")

    def served() -> Place:
        place.make()
        place.broker = new_broker("site", *lines, listener=False, port=place.site.plain_port)
        # By TLS, too; and SIGHUP would end it before that.
        eventually(lambda: " running" in place.broker.log(), "it is there")
        return place

    return served


@pytest.fixture
def served(serve: Callable[[], Place]) -> Place:
    return serve()


@pytest.fixture
def people(served: Place) -> Iterator[Callable[..., Eyes]]:
    """Connect as a user, for this test."""
    made: list[Eyes] = []

    def connect(user: str, **more: str) -> Eyes:
        made.append(served.eyes(user, **more))
        return made[-1]

    yield connect
    for one in made:
        one.close()


def answer(port: int, topic: str, login: dict[str, str], *, retain: bool = False) -> int:
    """What the broker says to a publish."""
    said: list[ReasonCode] = []
    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    client.on_publish = lambda _client, _data, _id, reason, _properties: said.append(reason)
    client.username_pw_set(**login)
    client.connect("127.0.0.1", port)
    client.loop_start()
    client.publish(topic, "1", qos=1, retain=retain).wait_for_publish(PATIENCE_S)
    eventually(lambda: said, "it is answered")
    client.disconnect()
    client.loop_stop()
    return said[0].value


def greeting(port: int, **login: str) -> int:
    """What the broker says to CONNECT."""
    said: list[ReasonCode] = []
    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    client.on_connect = lambda _client, _data, _flags, reason, _properties: said.append(reason)
    if login:
        client.username_pw_set(**login)
    client.connect("127.0.0.1", port)
    while not said:
        client.loop(0.1)
    client.disconnect()
    return said[0].value


def test_the_broker_takes_it_without_a_word(served: Place) -> None:
    said = [line for line in served.broker.log().splitlines() if "should not be run as root" not in line]
    assert [line for line in said if "Warning" in line or "Error" in line] == []


def test_nobody_comes_in_without_the_right_name_and_password(served: Place) -> None:
    port, eyes = served.site.plain_port, served.login("eyes")
    assert greeting(port, **eyes) == 0
    assert greeting(port) == DENIED
    assert greeting(port, username="eyes", password="eyes") == DENIED
    assert greeting(port, username="eyes", password=served.login("admin")["password"]) == DENIED
    assert greeting(port, username="nobody", password=eyes["password"]) == DENIED


@pytest.mark.parametrize(
    "topic",
    [
        "cm/door/data/open",
        "cm/door/data/reading",
        "cm/door/status/state",
        "cm/door/status/health",
        "cm/door/action/read",
        "cm/cellar/action/read",
        "cm/cellar",
        "cm/cellar-2/data/temperature",
        "xcm/cellar/data/temperature",
        "up/attic/data/temperature",
        "other/cellar/data/temperature",
        "homeassistant/device/cm-door/config",
        "homeassistant/device/up-attic/config",
        "homeassistant/status",
    ],
)
def test_a_sensor_speaks_for_no_other(served: Place, topic: str) -> None:
    assert answer(served.site.plain_port, topic, served.login("cellar"), retain=True) == DENIED
    assert "Denied PUBLISH" in served.broker.log()


def test_a_sensor_speaks_for_itself(served: Place) -> None:
    own = [f"cm/cellar/{rest}" for rest in ("data/temperature", "data/reading", "status/state", "status/action")]
    for topic in (*own, "homeassistant/device/cm-cellar/config"):
        assert answer(served.site.plain_port, topic, served.login("cellar")) < REFUSED


def test_a_sensor_hears_nothing_but_its_own(people: Callable[..., Eyes]) -> None:
    """The broker grants every subscription: what matters is what arrives."""
    admin = people("admin")
    said = [f"cm/{sensor}/{rest}" for sensor in ("cellar", "door") for rest in ("data/x", "status/x", "action/x")]
    said += ["up/attic/action/x", "up/attic/status/x", "other/thing"]
    for topic in said:
        admin.publish(f"{topic}/kept", b"1", retain=True)
    cellar = people("cellar")
    for topic in said:
        admin.publish(topic, b"1")
    admin.publish("cm/cellar/action/end", b"1")
    cellar.wait_value("cm/cellar/action/end", 1)
    allowed = {"cm/cellar/action/end"} | {
        f"cm/cellar/{rest}/x{end}" for rest in ("status", "action") for end in ("", "/kept")
    }
    assert {one.topic for one in cellar.seen} == allowed


@pytest.mark.parametrize(
    "topic", ["cm/door/data/open", "cm/door/action/read", "cm/eyes/data/x", "up/eyes/status/x", "any"]
)
def test_eyes_see_all_and_say_nothing(served: Place, people: Callable[..., Eyes], topic: str) -> None:
    eyes = people("eyes")
    assert answer(served.site.plain_port, topic, served.login("eyes")) == DENIED
    people("admin").publish("up/attic/action/read", b"1")
    eyes.wait_value("up/attic/action/read", 1)
    assert {one.topic for one in eyes.seen} == {"up/attic/action/read"}


FOLLOWER = """
from dataclasses import dataclass, field
from bootstrap.device import Device, Measure
from bootstrap.needs import Target, TopicFilter

@dataclass(kw_only=True)
class Fan(Device):
    follows: TopicFilter
    others: list[TopicFilter] = field(default_factory=list)
    tells: Target
    level = Measure("1")

    def read(self):
        return {}
"""


def test_a_sensor_hears_and_tells_what_its_settings_declare(
    serve: Callable[[], Place], place: Place, request: pytest.FixtureRequest
) -> None:
    (place.house.folder / "follower.py").write_text(FOLLOWER)
    declared = (
        'follows = "cm/cellar/data/temperature"\nothers = ["tele/+/SENSOR", "a b/#"]\ntells = "cm/lamp/action/set"'
    )
    place.house.device("fan", f'kind = "follower.Fan"\n{declared}\n')
    port = serve().site.plain_port
    admin, fan = (place.eyes(user) for user in ("admin", "fan"))
    request.addfinalizer(admin.close)
    request.addfinalizer(fan.close)
    heard = ["cm/cellar/data/temperature", "cm/cellar/status/state", "cm/cellar/status/about", "tele/x/SENSOR", "a b/c"]
    for topic in (*heard, "cm/cellar/data/reading", "cm/cellar/status/health", "cm/door/status/state", "tele/x/STATE"):
        admin.publish(topic, b"1")
    admin.publish("cm/fan/action/end", b"1")
    fan.wait_value("cm/fan/action/end", 1)
    assert [one.topic for one in fan.seen] == [*heard, "cm/fan/action/end"]
    assert answer(port, "cm/lamp/action/set", place.login("fan")) < REFUSED
    for topic in (*heard, "cm/lamp/action/read", "cm/lamp/action/set/x"):
        assert answer(port, topic, place.login("fan")) == DENIED


def test_a_recorder_hears_readings_and_no_commands(served: Place, people: Callable[..., Eyes]) -> None:
    recorder, admin = people("recorder"), people("admin")
    for topic in ("cm/door/action/read", "cm/door/data/open", "cm/door/data/reading", "up/attic/status/about"):
        admin.publish(topic, b"1")
    recorder.wait_value("up/attic/status/about", 1)
    assert {one.topic for one in recorder.seen} == {"cm/door/data/reading", "up/attic/status/about"}
    assert answer(served.site.plain_port, "cm/door/data/reading", served.login("recorder")) == DENIED


def test_only_a_recorder_says_that_it_records_and_every_sensor_knows(
    served: Place, people: Callable[..., Eyes]
) -> None:
    port, word = served.site.plain_port, "cm/recorder/status/recording"
    for user, topic in (("cellar", "cm/cellar/status/recording"), ("cellar", word), ("eyes", word)):
        assert answer(port, topic, served.login(user), retain=True) == DENIED
    for user in ("recorder", "admin"):
        assert answer(port, word, served.login(user), retain=True) < REFUSED
    cellar = people("cellar", filters="+/+/status/recording")
    people("recorder").publish(word, b"1")
    cellar.wait_value(word, 1)


def test_nobody_takes_over_a_recorders_session(people: Callable[..., Eyes]) -> None:
    """Whoever may come in may call itself by its client id; what waits there is not told to it."""
    name, reading = "cm/recorder/history", "cm/door/data/reading"
    people("recorder", name=name).close()
    admin = people("admin")
    admin.publish(reading, b"1")
    recorder = people("recorder", name=name)
    recorder.wait_value(reading, 1)
    recorder.close()
    admin.publish(reading, b"2")
    thief = people("cellar", name=name)
    admin.publish("cm/cellar/action/end", b"1")
    thief.wait_value("cm/cellar/action/end", 1)
    assert {one.topic for one in thief.seen} == {"cm/cellar/action/end"}


def test_home_assistant_sees_all_commands_all_and_is_no_sensor(served: Place, people: Callable[..., Eyes]) -> None:
    port, login = served.site.plain_port, served.login("homeassistant")
    for topic in ("cm/lamp/action/set", "up/attic/action/read", "homeassistant/status", "homeassistant/light/x/config"):
        assert answer(port, topic, login) < REFUSED
    for topic in ("cm/lamp/data/on", "cm/homeassistant/data/x", "cm/homeassistant/action/x", "other/thing"):
        assert answer(port, topic, login) == DENIED
    assistant, cellar = people("homeassistant"), people("cellar")
    for topic in ("other/thing", "cm/lamp/status/state", "homeassistant/status"):
        people("admin").publish(topic, b"1")
    for one, heard in (
        (assistant, {"cm/lamp/status/state", "homeassistant/status"}),
        (cellar, {"homeassistant/status"}),
    ):
        one.wait_value("homeassistant/status", 1)
        assert {seen.topic for seen in one.seen} == heard


def test_a_will_is_told(served: Place, people: Callable[..., Eyes]) -> None:
    eyes = people("eyes")
    client = mqtt.Client(CallbackAPIVersion.VERSION2, "cm/cellar", protocol=mqtt.MQTTv5)
    client.will_set("cm/cellar/status/state", "lost", qos=1, retain=True)
    client.username_pw_set(**served.login("cellar"))
    client.connect("127.0.0.1", served.site.plain_port)
    client.loop(0.1)
    plain = client.socket()
    assert isinstance(plain, socket.socket)
    plain.shutdown(socket.SHUT_RDWR)
    eyes.wait_value("cm/cellar/status/state", "lost")


def test_what_the_houses_owner_adds_is_kept(place: Place, serve: Callable[[], Place]) -> None:
    own = place.house.folder / "mosquitto"
    own.mkdir()
    (own / "acl").write_text("user zigbee2mqtt\ntopic readwrite zigbee2mqtt/#\n")
    (own / "passwords").write_text(f"zigbee2mqtt:{hashed('bridge')}\n")
    serve()
    login = {"username": "zigbee2mqtt", "password": "bridge"}
    assert answer(place.site.plain_port, "zigbee2mqtt/lamp", login) < REFUSED
    assert answer(place.site.plain_port, "cm/door/data/open", login) == DENIED


def test_a_reload_takes_over_a_new_sensor_and_a_new_certificate(served: Place) -> None:
    def shown() -> bytes:
        with connect("localhost", served.site.tls_port, served.house.folder / "ca.pem") as secured:
            assert isinstance(secured, ssl.SSLSocket)
            return secured.getpeercert(binary_form=True) or b""

    before = shown()
    served.house.thermometer("roof")
    served.make(names=["broker.lan"])
    assert greeting(served.site.plain_port, **served.login("roof")) == DENIED
    served.broker.send(signal.SIGHUP)
    eventually(lambda: greeting(served.site.plain_port, **served.login("roof")) == 0, "the new sensor is let in")
    assert shown() != before


@pytest.fixture
def carrying(served: Place) -> Place:
    """One whose radio carries two sensors."""
    served.house.device("radio", radio(2))
    served.make()
    served.broker.send(signal.SIGHUP)
    eventually(lambda: greeting(served.site.plain_port, **served.login("radio")) == 0, "the radio is let in")
    return served


def test_a_gateway_speaks_for_each_sensor_that_it_carries_and_nobody_else_does(
    carrying: Place, people: Callable[..., Eyes]
) -> None:
    place = carrying
    port, login = place.site.plain_port, place.login("radio")
    said = ("radio/data/heard", "s1/data/temperature", "s2/data/reading", "s2/status/state")
    for topic in (*(f"cm/{one}" for one in said), "homeassistant/device/cm-s1/config"):
        assert answer(port, topic, login) < REFUSED
        assert answer(port, topic, place.login("cellar")) == DENIED
    for topic in (
        "cm/s3/data/temperature",
        "cm/s1/action/read",
        "cm/cellar/data/temperature",
        "up/s1/data/temperature",
    ):
        assert answer(port, topic, login) == DENIED
    assert answer(port, "cm/s1/status/recording", login) == DENIED
    assert not (place.house.folder / "secrets" / "s1").exists()
    heard = people("radio")
    for topic in ("cm/s3/action/read", "cm/cellar/action/read", "cm/s2/action/read", "cm/radio/action/read"):
        people("admin").publish(topic, b"1")
    heard.wait_value("cm/radio/action/read", 1)
    assert {one.topic for one in heard.seen} == {"cm/s2/action/read", "cm/radio/action/read"}
    assert [*expected_broker(place.site, plan(place.site)).wrong_rights()] == []


def test_a_sensor_is_adopted_while_its_gateway_runs(carrying: Place, people: Callable[..., Eyes]) -> None:
    place = carrying
    eyes, running = people("eyes"), place.house.run("radio")
    for sensor in ("radio", "s1", "s2"):
        eyes.wait_value(f"cm/{sensor}/status/state", "online")
    since = len(eyes.seen)
    place.house.device("radio", radio(3))
    place.make()
    place.broker.send(signal.SIGHUP)
    eventually(lambda: answer(place.site.plain_port, "cm/s3/data/x", place.login("radio")) < REFUSED, "it may")
    running.send(signal.SIGHUP)
    eyes.wait_value("cm/s3/status/state", "online")
    states = [one.topic for one in eyes.seen[since:] if one.topic.endswith("status/state")]
    assert states == ["cm/s3/status/state"] * len(states)
    assert running.stop() == 0


def test_a_carried_sensor_cannot_have_the_name_of_a_user(place: Place) -> None:
    place.house.device("radio", radio(2, 'group = "ook"'))
    with pytest.raises(SettingsError, match=r"devices/radio.toml:9: 's2' is the name of a user of the broker"):
        place.make(guests=["s2"])


# TLS.


def test_the_certificate_is_for_this_machines_names_and_no_others(served: Place) -> None:
    ca_file = served.house.folder / "ca.pem"
    for name in ("localhost", "127.0.0.1"):
        with connect(name, served.site.tls_port, ca_file, PATIENCE_S) as secured:
            assert isinstance(secured, ssl.SSLSocket)
            assert secured.version() == "TLSv1.3"
    with pytest.raises(OSError, match=r"no TLS.*127\.0\.0\.2"):
        connect("127.0.0.2", served.site.tls_port, ca_file, PATIENCE_S)


@pytest.mark.filterwarnings("ignore:.*SSLSocket:pytest.PytestUnraisableExceptionWarning")  # paho leaves it to Python
def test_people_too_speak_to_no_broker_of_another_name(served: Place) -> None:
    """As `penates watch`, `send`, `prune` and the installer do, each by the same wire."""
    login, trust = served.login("eyes"), trusting(served.house.folder / "ca.pem")
    with pytest.raises(Unreachable, match=r"127\.0\.0\.2.*certificate verify failed: IP address mismatch"):
        alive(Access(["127.0.0.2"], served.site.tls_port, trust=trust, **login), ["cellar"])
    assert alive(Access(["localhost"], served.site.tls_port, trust=trust, **login), ["cellar"]) == {}


def test_no_tls_older_than_1_2(served: Place) -> None:
    old = ssl.create_default_context(cafile=served.house.folder / "ca.pem")
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    with (
        socket.create_connection(("127.0.0.1", served.site.tls_port)) as plain,
        pytest.raises(ssl.SSLError, match="ALERT_PROTOCOL_VERSION"),
    ):
        old.wrap_socket(plain, server_hostname="localhost")


@pytest.mark.parametrize(
    ("cipher", "accepted"),
    [
        ("ECDHE-ECDSA-AES128-GCM-SHA256", True),
        ("ECDHE-ECDSA-CHACHA20-POLY1305", True),
        ("ECDHE-ECDSA-AES128-SHA", False),
        ("ECDHE-ECDSA-AES128-SHA256", False),
    ],
)
def test_tls_1_2_only_with_ciphers_that_authenticate(served: Place, cipher: str, *, accepted: bool) -> None:
    client = ssl.create_default_context(cafile=served.house.folder / "ca.pem")
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    client.set_ciphers(cipher)
    refused = pytest.raises(ssl.SSLError, match="HANDSHAKE_FAILURE")
    with (
        socket.create_connection(("127.0.0.1", served.site.tls_port)) as plain,
        nullcontext() if accepted else refused,
        client.wrap_socket(plain, server_hostname="localhost") as secured,
    ):
        assert secured.version() == "TLSv1.2"


def browser(served: Place, password: str, heard: "Queue[bytes | bytearray]") -> tuple[mqtt.Client, bool]:
    """A client as browsers have it, and whether the broker let it in."""
    reasons: Queue[bool] = Queue()
    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5, transport="websockets")
    client.tls_set(str(served.house.folder / "ca.pem"))
    client.username_pw_set("eyes", password)
    client.on_connect = lambda _client, _data, _flags, reason, _more: reasons.put(not reason.is_failure)
    client.on_message = lambda _client, _data, message: heard.put(message.payload)
    client.connect("localhost", served.site.websocket_port or 0)
    client.loop_start()
    return client, reasons.get(timeout=PATIENCE_S)


def test_a_browser_gets_in_by_the_web_socket_listener_with_tls_and_a_password(
    place: Place, serve: Callable[[], Place]
) -> None:
    place.site = replace(place.site, websocket_port=free_port())
    served, heard = serve(), Queue[bytes | bytearray]()
    stranger, accepted = browser(served, "guessed", heard)
    assert not accepted
    stranger.disconnect()
    stranger.loop_stop()
    client, accepted = browser(served, served.login("eyes")["password"], heard)
    assert accepted
    client.subscribe("cm/cellar/data/#", qos=1)
    admin = served.eyes("admin")
    admin.publish("cm/cellar/data/temperature", b"21.5", retain=True)
    assert heard.get(timeout=PATIENCE_S) == b"21.5"
    admin.close()
    client.disconnect()
    client.loop_stop()


# A whole house.


def test_a_whole_house_lives_by_these_rules(served: Place, people: Callable[..., Eyes]) -> None:
    house, wires = served.house, Wires(served.house)
    secure = 'ca_file = "ca.pem"\npassword_file = "secrets/{sensor}"\n[history]\nrecorder = true'
    house.write(served.site.tls_port, broker=secure, host='"localhost"')
    eyes = people("eyes")
    parent = house.supervise(program=None, **wires.env)
    for sensor in ("cm/door", "cm/lamp", "cm/cellar", "up/attic", "cm/recorder"):
        eyes.wait_value(f"{sensor}/status/state", "online")
    eyes.wait_value("up/attic/data/temperature", 21.5)
    eyes.wait_value("cm/door/data/open", value=True)
    wires.line(17).drive(False)
    eyes.wait_value("cm/door/data/open", value=False)
    assert house.penates("send", "cm/lamp", "set", "on").returncode == 0
    eyes.wait_value("cm/lamp/data/on", value=True)
    os.kill(house.pids()["cellar"], signal.SIGKILL)
    eyes.wait_value("cm/cellar/status/state", "lost")
    before = len(eyes.seen)
    eyes.wait_value("cm/cellar/status/state", "online", since=before)
    eventually(lambda: "open,0" in house.penates("history", "cm/door", "open", "--csv").stdout, "the door is recorded")
    parent.stop()
    assert [line for line in served.broker.log().splitlines() if "Denied" in line] == []
    assert [one for one in eyes.seen if one.topic.endswith("status/state") and one.value == "fault"] == []
