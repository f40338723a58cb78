"""The broker goes away, comes back, freezes, refuses and lies; the daemon reads on, and nothing is lost or wrong."""

import contextlib
import re
import signal
import socket
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bootstrap.outbox.segment_log import SegmentLog
from support.paths import QUICK, TESTS
from support.secrets_and_certificates import write_certificates, write_password
from support.world import (
    Broker,
    Eyes,
    FakeBroker,
    House,
    Running,
    Supervisor,
    Wanted,
    eventually,
    puback,
    retained,
    suback,
    swallow_syns,
)

READING = "cm/cellar/data/reading"
CONFIG = "homeassistant/device/cm-cellar/config"
TEMPERATURE = "cm/cellar/data/temperature"


def seqs(eyes: Eyes) -> list[int]:
    return [one.value["seq"] for one in eyes.on(READING)]


def delivered(eyes: Eyes, count: int, limit_s: float) -> None:
    """Readings 1 to `count`, whatever the duplicates."""
    wanted = set(range(1, count + 1))
    eyes.wait(
        lambda seen: wanted <= {one.value["seq"] for one in seen if one.topic == READING}, f"1 to {count}", limit_s
    )


@pytest.fixture
def remembering(new_broker: Callable[..., Broker], tmp_path: Path) -> Broker:
    """A broker that keeps its sessions over a stop, so that durable eyes miss nothing."""
    return new_broker("remembering", *remember(tmp_path / "remembering"))


def remember(place: Path) -> tuple[str, str]:
    return ("persistence true", f"persistence_location {place}/")


@pytest.mark.long
def test_a_frozen_broker_costs_nothing(cellar: House, broker: Broker, eyes: Eyes) -> None:
    running = cellar.run()
    eyes.wait_value("cm/cellar/status/state", "online")
    broker.send(signal.SIGSTOP)
    deadline = time.monotonic() + 20
    for millidegrees in range(10000, 30000, 1000):
        cellar.probe("cellar", millidegrees)
        time.sleep(max(0, deadline - time.monotonic()) / ((30000 - millidegrees) / 1000))
    cellar.probe("cellar", 31000)
    broker.send(signal.SIGCONT)
    eyes.wait_value(TEMPERATURE, 31.0)
    running.send(signal.SIGTERM)
    assert running.wait() == 0
    assert len(running.logged("warning cm/cellar: no broker")) == 1
    read = len(running.logged("debug cm/cellar: read ("))
    assert read >= 20
    delivered(eyes, read, 5)
    now = retained(broker.port)
    assert (now[TEMPERATURE], now["cm/cellar/status/state"]) == (31.0, "stopped")


def start_without_a_broker(house: House, supervisor: Supervisor) -> None:
    running = house.run(NOTIFY_SOCKET=supervisor.address)
    supervisor.wait("READY=1")
    running.wait_log("debug cm/cellar: read (", count=6)
    times = [datetime.fromisoformat(line.split()[0]) for line in running.logged("debug cm/cellar: read (")]
    assert times[5] - times[0] <= timedelta(seconds=6)


def all_is_delivered_newest_state_first(eyes: Eyes, house: House, appeared_at: float) -> None:
    house.probe("cellar", 33000)
    delivered(eyes, 6, 6 - (time.monotonic() - appeared_at))
    order = [one.topic.rpartition("/")[2] for one in eyes.seen]
    assert order[:6] == ["state", "about", "config", "heartbeat", "health", "temperature"]
    eyes.wait_value(TEMPERATURE, 33.0)
    assert seqs(eyes) == list(range(1, len(seqs(eyes)) + 1))


def test_started_with_no_broker_it_reads_and_delivers_when_one_appears(
    house: House, remembering: Broker, supervisor: Supervisor
) -> None:
    eyes = Eyes(remembering.port, "eyes")
    remembering.stop()
    house.write(remembering.port)
    house.thermometer()
    start_without_a_broker(house, supervisor)
    remembering.start()
    all_is_delivered_newest_state_first(eyes, house, time.monotonic())
    eyes.close()


def test_a_host_that_swallows_syns_stops_no_reading(
    house: House, new_broker: Callable[..., Broker], tmp_path: Path, supervisor: Supervisor
) -> None:
    later = new_broker("later", *remember(tmp_path / "later"))
    eyes = Eyes(later.port, "eyes")
    later.stop()
    house.thermometer()
    with swallow_syns() as port:
        house.write(port)
        start_without_a_broker(house, supervisor)
    new_broker("later", *remember(tmp_path / "later"), f"listener {port} 127.0.0.1", port=later.port)
    all_is_delivered_newest_state_first(eyes, house, time.monotonic())
    eyes.close()


def test_a_broker_that_goes_and_comes_is_told_everything(house: House, remembering: Broker) -> None:
    eyes = Eyes(remembering.port, "eyes")
    house.write(remembering.port)
    house.thermometer(every_s=0.1)
    running = house.run()
    running.wait_log("connected (")
    for _ in range(3):
        running.wait_log("debug cm/cellar: read (", count=len(running.logged("debug cm/cellar: read (")) + 5)
        remembering.stop()
        running.wait_log("debug cm/cellar: read (", count=len(running.logged("debug cm/cellar: read (")) + 5)
        connected = len(running.logged("connected (")) + 1
        remembering.start()
        running.wait_log("connected (", count=connected)
    assert running.stop() == 0
    delivered(eyes, len(running.logged("debug cm/cellar: read (")), 5)
    assert len(running.logged("cm/cellar: no broker")) >= 3
    states = [one.value for one in eyes.on("cm/cellar/status/state")]
    assert states[-1] == "stopped"
    assert eyes.on("cm/cellar/status/heartbeat")[-1].value["reconnects"] == 3
    eyes.close()


def test_hosts_of_one_broker_are_tried_in_turn(house: House, broker: Broker, eyes: Eyes) -> None:
    house.write(broker.port, host='["127.0.0.9", "127.0.0.1"]')
    house.thermometer()
    running = house.run()
    eyes.wait_value("cm/cellar/status/state", "online")
    running.wait_log('connected (broker="127.0.0.1:')


# Who we are, and whether the broker believes it.


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_wrong_password_from_the_start_costs_no_reading(
    house: House, guarded: Broker, supervisor: Supervisor, protocol: str
) -> None:
    """As after a power cut, when a broker is there before its users are."""
    (house.folder / "cellar.password").write_text("opensesame\n")
    write_password(guarded.folder, "not yet")
    (guarded.folder / "acl").write_text("pattern readwrite #\n")
    guarded.send(signal.SIGHUP)
    eyes = Eyes(guarded.port, username="eyes", password="eyes")
    house.write(guarded.port, broker=f'password_file = "{{sensor}}.password"\nprotocol = "{protocol}"')
    house.thermometer(every_s=0.2)
    running = house.run(NOTIFY_SOCKET=supervisor.address)
    told = supervisor.told_until("X_STATE=fault")
    assert any(line.startswith(f"STATUS=fault: broker: 127.0.0.1:{guarded.port} refused us") for line in told)
    running.wait_log("debug cm/cellar: no broker", count=4)  # more refusals than it once survived
    write_password(guarded.folder, "opensesame")
    guarded.send(signal.SIGHUP)
    eyes.wait_value("cm/cellar/status/state", "online")
    delivered(eyes, len(running.logged("debug cm/cellar: read (")), 10)
    assert running.stop() == 0
    (refused,) = running.logged("error cm/cellar: the broker refuses us; readings")
    assert "Not authorized (client id cm/cellar, user cellar, a password)" in refused
    assert "see username and password_file in [broker] of house.toml" in refused
    assert "opensesame" not in running.log
    eyes.close()


def test_a_password_that_becomes_wrong_is_not_fatal(house: House, guarded: Broker) -> None:
    (house.folder / "password").write_text("opensesame\n")
    house.write(guarded.port, broker='password_file = "password"')
    house.thermometer()
    running = house.run()
    running.wait_log("connected (")
    write_password(guarded.folder, "changed")
    guarded.stop()
    guarded.start()
    running.wait_log("the broker refuses us; readings")
    reads = len(running.logged("debug cm/cellar: read ("))
    running.wait_log("debug cm/cellar: read (", count=reads + 2)
    assert running.stop() == 0
    assert "opensesame" not in running.log


@pytest.mark.parametrize("credential", ["password", "password_cellar"])
def test_the_credential_of_systemd_wins(house: House, guarded: Broker, tmp_path: Path, credential: str) -> None:
    (house.folder / "password").write_text("swordfish\n")
    (tmp_path / "credentials").mkdir()
    (tmp_path / "credentials" / credential).write_text("opensesame")
    house.write(guarded.port, broker='password_file = "password"')
    house.thermometer()
    house.run(CREDENTIALS_DIRECTORY=str(tmp_path / "credentials")).wait_log("connected (")


def test_a_username_of_its_own(house: House, guarded: Broker) -> None:
    (house.folder / "password").write_text("opensesame\n")
    house.write(guarded.port, broker='password_file = "password"\nusername = "cellar"')
    house.thermometer("attic")
    house.run("attic").wait_log("connected (")
    assert "as cm/attic (p5, c1, k60, u'cellar')" in guarded.log()


def test_what_the_broker_denies_is_said_and_kept_until_it_is_allowed(house: House, guarded: Broker) -> None:
    (house.folder / "password").write_text("opensesame\n")
    house.write(guarded.port, top="heartbeat_s = 0.2", broker='password_file = "password"')
    house.thermometer()
    eyes = Eyes(guarded.port, username="eyes", password="eyes")
    running = house.run(program=QUICK)
    denied = running.wait_log("the broker refused a message")[0]
    assert READING in denied
    assert "Not authorized" in denied
    eyes.wait_value("cm/cellar/status/state", "fault")
    running.wait_log("debug cm/cellar: read (", count=5)
    with (guarded.folder / "acl").open("a") as acl:
        acl.write("pattern write cm/%u/data/#\n")
    guarded.send(signal.SIGHUP)
    delivered(eyes, 5, 10)
    assert seqs(eyes)[:5] == [1, 2, 3, 4, 5]
    eyes.wait_value("cm/cellar/status/state", "online", since=eyes.seen.index(eyes.on(READING)[0]))
    assert len(running.logged("the broker refused a message")) == 1
    eyes.close()


def test_keepalive_and_protocol_reach_the_wire(house: House, broker: Broker) -> None:
    house.write(broker.port, broker='keepalive_s = 7\nprotocol = "3.1.1"')
    house.thermometer()
    house.run().wait_log("connected (")
    assert "as cm/cellar (p2, c1, k7)" in broker.log()


def test_an_idle_link_is_kept_alive(house: House, broker: Broker) -> None:
    house.write(broker.port, top="heartbeat_s = 0", broker="keepalive_s = 2")
    house.thermometer(every_s=3600)
    running = house.run()
    running.wait_log("connected (")
    deadline = time.monotonic() + 15
    while broker.log().count("Received PINGREQ from cm/cellar") < 3:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert not running.logged("warning cm/cellar: no broker")


@pytest.fixture
def twin(tmp_path: Path, broker: Broker) -> Iterator[House]:
    """A copy of the cellar on another machine, where it is warmer, with a clock of its own."""
    house = House(tmp_path / "twin")
    house.write(broker.port)
    house.thermometer(millidegrees=99000)
    yield house
    house.close()


@pytest.mark.parametrize("clock_s", [-600, 3600])
def test_the_younger_of_two_ends_whatever_its_clock_says(
    cellar: House, twin: House, eyes: Eyes, tmp_path: Path, clock_s: int
) -> None:
    clock = tmp_path / "clock"
    clock.write_text(str(clock_s))
    elder = cellar.run()
    older: Wanted = lambda seen: [one for one in seen if one.topic == READING][4:]  # noqa: E731 - by four seconds
    eyes.wait(older, "it is older than a heartbeat takes to be heard")
    run = eyes.on("cm/cellar/status/heartbeat")[0].value["run"]
    younger = twin.run(program=[str(TESTS / "support" / "other_clock.py"), str(clock)])
    assert younger.wait() == 75
    assert younger.logged(f"cm/cellar is already running on {socket.gethostname()} (run {run})")
    since = len(eyes.seen)
    cellar.probe("cellar", 23000)
    eyes.wait_value(TEMPERATURE, 23.0, since)
    assert elder.stop() == 0
    eyes.wait_value("cm/cellar/status/state", "stopped", since)
    assert {one.value["run"] for one in eyes.on("cm/cellar/status/heartbeat")} == {run}
    assert {one.value for one in eyes.on(TEMPERATURE)} == {21.5, 23.0}
    assert {one.value["run"] for one in eyes.on(READING)} == {run}


def test_what_is_larger_than_the_broker_takes_is_said_and_counted_and_blocks_nothing(
    house: House, new_broker: Callable[..., Broker]
) -> None:
    broker = new_broker("small", "max_packet_size 220")
    eyes = Eyes(broker.port)
    house.write(broker.port)
    house.thermometer()
    running = house.run()
    eyes.wait(lambda seen: len([one for one in seen if one.topic == READING]) >= 2, "readings")
    assert any("cm/cellar/status/heartbeat" in line for line in running.logged("larger than the broker accepts"))
    assert running.stop() == 0
    assert not running.logged("warning cm/cellar: no broker")
    eyes.close()


def fake(house: House, answers: dict[int, Callable[[bytes], bytes]], every_s: float = 1) -> tuple[FakeBroker, Running]:
    broker = FakeBroker(answers)
    house.write(broker.port, top="heartbeat_s = 0")
    house.thermometer(every_s=every_s)
    return broker, house.run()


def test_the_brokers_own_keepalive_is_kept(house: House) -> None:
    pings: list[bytes] = []
    connack = b"\x20\x06\x00\x00\x03\x13\x00\x01"  # with Server Keep Alive, 1 s

    def pong(body: bytes) -> bytes:
        pings.append(body)
        return b"\xd0\x00"

    broker, running = fake(house, {0x10: lambda _: connack, 0xC0: pong}, 3600)
    eventually(lambda: len(pings) >= 3, "three pings")
    assert not running.logged("no broker")
    broker.close()


def test_a_refused_subscription_is_said(house: House) -> None:
    broker, running = fake(house, {0x80: lambda body: b"\x90\x04" + body[:2] + b"\x00\x87"})
    assert "Not authorized" in running.wait_log("the broker refused a subscription")[0]
    broker.close()


def test_a_topic_that_is_no_text_is_passed_over(house: House) -> None:
    broker, running = fake(house, {0x80: lambda _: b"\x30\x06\x00\x02\xff\xfe\x00x"})
    running.wait_log("debug cm/cellar: read (", count=3)
    assert not running.logged("no broker")
    broker.close()


def test_a_broker_that_is_busy_is_asked_again(house: House) -> None:
    broker, running = fake(house, {0x10: lambda _: b"\x20\x03\x00\x89\x00"})
    running.wait_log("debug cm/cellar: no broker", count=3)
    assert "busy" in running.log
    broker.close()


def test_a_quota_that_is_exceeded_is_said_once(house: House) -> None:
    stored = SegmentLog(house.folder / "state" / "outbox" / "cm.cellar")
    for number in range(1, 4):
        stored.append(number, READING, b"%d" % number, read=False)
    stored.close()
    heard: list[bytes] = []

    def full(body: bytes) -> bytes:
        if not body[2:].startswith(READING.encode()):
            return puback(body)
        heard.append(body)
        return b"\x40\x03" + puback(body)[2:] + b"\x97"

    broker = FakeBroker({0x30: full})
    house.write(broker.port)
    house.thermometer()
    daemon = house.run()
    daemon.wait_log("the broker refused a message")
    eventually(lambda: len(heard) > 3, "it is tried again")
    daemon.stop(signal.SIGKILL)
    broker.close()
    assert len(daemon.logged("the broker refused a message")) == 1


class HangingUp:
    """A broker that hangs up on what it does not allow, and what it was sent of the rest."""

    def __init__(self, refuses: Callable[[bytes], bool]) -> None:
        self.published: list[bytes] = []
        self.subscribed: list[bytes] = []
        self._refuses = refuses
        self._fake = FakeBroker({0x30: self._publish, 0x80: self._subscribe})
        self.port, self.close = self._fake.port, self._fake.close

    def _publish(self, body: bytes) -> bytes:
        if self._refuses(body):
            raise EOFError
        self.published.append(body[2:])
        return puback(body)

    def _subscribe(self, body: bytes) -> bytes:
        self.subscribed.append(body)
        if self._refuses(body):
            raise EOFError
        return suback(body)

    def readings(self) -> list[int]:
        """The numbers of the readings that arrived."""
        found = [re.search(rb'"seq":(\d+)', one) for one in self.published if one.startswith(READING.encode())]
        return [int(one[1]) for one in found if one]


@pytest.fixture
def hangs_up() -> Iterator[Callable[[Callable[[bytes], bool]], HangingUp]]:
    made: list[HangingUp] = []

    def make(refuses: Callable[[bytes], bool]) -> HangingUp:
        made.append(HangingUp(refuses))
        return made[-1]

    yield make
    for broker in made:
        broker.close()


def test_a_broker_that_never_answers_a_subscription_costs_no_reading(house: House) -> None:
    """Not even after it has hung up once, when each request waits for the answer to the one before."""
    asked: list[bytes] = []

    def subscribe(body: bytes) -> bytes:
        asked.append(body)
        if len(asked) == 1:
            raise EOFError
        return b""

    published: list[bytes] = []

    def publish(body: bytes) -> bytes:
        published.append(body[2:])
        return puback(body)

    broker = FakeBroker({0x80: subscribe, 0x30: publish})
    house.write(broker.port)
    house.thermometer()
    house.run(program=QUICK)
    eventually(lambda: any(one.startswith(READING.encode()) for one in published), "a reading")
    broker.close()


@pytest.mark.long
def test_a_broker_that_hangs_up_on_the_announcement_costs_the_announcement(
    house: House, hangs_up: Callable[..., HangingUp]
) -> None:
    broker = hangs_up(lambda body: re.search(rb"\0.homeassistant/", body) is not None)  # its topic, with its length
    house.write(broker.port)
    house.thermometer(every_s=0.2)
    running = house.run()
    said = running.wait_log("the broker hangs up on a message; the rest is sent")
    assert f'topic="{CONFIG}"' in said[0]
    assert len(running.logged("the broker hangs up on a subscription; it is left out")) == 2
    count = len(running.logged("debug cm/cellar: read ("))
    eventually(lambda: {*range(1, count + 1)} <= {*broker.readings()}, "every reading")
    heartbeats = [one for one in broker.published if one.startswith(b"cm/cellar/status/state")]
    assert not any(one.endswith(b"fault") for one in heartbeats)
    assert running.stop() == 0


@pytest.mark.long
def test_a_message_that_a_broker_hangs_up_on_is_set_aside_and_named(
    house: House, hangs_up: Callable[..., HangingUp]
) -> None:
    """A reading that this broker cannot bear, among many that it can; then a topic that it does not allow."""
    broker = hangs_up(lambda body: b'"seq":4,' in body or body[2:].startswith(b"cm/cellar/status/health"))
    house.write(broker.port, log='level = "debug"\n[homeassistant]\nenabled = false')
    house.thermometer(every_s=0.2)
    running = house.run()
    running.wait_log('the broker hangs up on a message; the rest is sent (topic="cm/cellar/data/reading"')
    running.wait_log('the broker hangs up on a message; the rest is sent (topic="cm/cellar/status/health"')
    eventually(lambda: {*range(5, 9)} <= {*broker.readings()}, "the readings after it")
    assert {1, 2, 3} <= {*broker.readings()}
    assert not any(b"homeassistant" in one for one in (*broker.subscribed, *broker.published))
    why = re.compile(rb"cm/cellar/status/heartbeat.*cm/cellar/status/health: the broker does not let us publish it")
    eventually(lambda: any(why.match(one) for one in broker.published), "it is named", 3)
    assert running.stop() == 0
    (letter,) = (house.folder / "state" / "outbox" / "cm.cellar" / "dead_letters.jsonl").read_text().splitlines()
    assert '\\"seq\\":4,' in letter


@pytest.mark.long
def test_a_connection_that_keeps_breaking_is_reported_with_its_count_and_cause(
    cellar: House, broker: Broker, eyes: Eyes
) -> None:
    """Somebody else has our client id: each throws the other out."""
    running = cellar.run()
    running.wait_log("connected (")
    with contextlib.closing(Eyes(broker.port, "cm/cellar")):
        said = running.wait_log("warning cm/cellar: the connection keeps breaking")[0]
    assert "breaks=3" in said
    assert "has another client the client id cm/cellar?" in said
    running.wait_log("the connection lasts again")
    eyes.wait(lambda _: eyes.on("cm/cellar/status/heartbeat")[-1].value["why"] is None, "it is over")
    why = [str(one.value["why"]) for one in eyes.on("cm/cellar/status/heartbeat")]
    assert any(
        re.match(r"the connection to the broker broke \d times in \d+ s: .* client id cm/cellar", one) for one in why
    )
    assert running.stop() == 0


def test_a_plain_client_on_a_tls_port_gets_a_hint(house: House, tls_broker: Broker) -> None:
    house.write(tls_broker.port)
    house.thermometer()
    hint = "does it want TLS (ca_file), does it accept client id cm/cellar, no user, no password?"
    assert hint in house.run().wait_log("no broker")[0]


# TLS.


def test_tls_from_birth_to_stopped(house: House, tls_broker: Broker) -> None:
    house.write(tls_broker.port, host='"localhost"', broker=f'ca_file = "{tls_broker.folder}/ca.pem"')
    house.thermometer(every_s=0.02)
    running = house.run()
    running.wait_log("debug cm/cellar: read (", count=100)
    assert running.stop() == 0
    assert "has not acknowledged everything" not in running.log
    log = tls_broker.log()
    assert "Client cm/cellar disconnected." in log
    received = [line for line in log.splitlines() if "Received PUBLISH from cm/cellar" in line]
    assert len([line for line in received if "'cm/cellar/data/reading'" in line]) >= 100
    assert "no broker" not in running.log


def test_tls_verifies_the_host_name(house: House, tls_broker: Broker) -> None:
    house.write(tls_broker.port, host='"127.0.0.1"', broker=f'ca_file = "{tls_broker.folder}/ca.pem"')
    house.thermometer()
    running = house.run()
    assert "CERTIFICATE_VERIFY_FAILED" in running.wait_log("no broker")[0]
    running.wait_log("debug cm/cellar: read (", count=3)
    assert "connected (" not in running.log


def test_tls_trusts_nobody_else(house: House, tls_broker: Broker, tmp_path: Path) -> None:
    write_certificates(tmp_path, "localhost")
    house.write(tls_broker.port, host='"localhost"', broker=f'ca_file = "{tmp_path}/ca.pem"')
    house.thermometer()
    assert "CERTIFICATE_VERIFY_FAILED" in house.run().wait_log("no broker")[0]
