"""The broker goes away, comes back, freezes, refuses and lies; the daemon reads on, and nothing is lost or wrong."""

import signal
import socket
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bootstrap.outbox.segment_log import SegmentLog
from support.paths import QUICK
from support.secrets_and_certificates import write_certificates, write_password
from support.world import (
    Broker,
    Eyes,
    FakeBroker,
    House,
    Running,
    Supervisor,
    eventually,
    puback,
    retained,
    swallow_syns,
)

READING = "cm/cellar/data/reading"
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
def test_a_wrong_password_from_the_start_is_fatal_with_the_reason(house: House, guarded: Broker, protocol: str) -> None:
    (house.folder / "cellar.password").write_text("swordfish\n")
    house.write(guarded.port, broker=f'password_file = "{{sensor}}.password"\nprotocol = "{protocol}"')
    house.thermometer()
    running = house.run()
    assert running.wait() == 77
    assert "Not authorized" in running.log
    assert len(running.logged("error cm/cellar: the broker refuses us; readings")) == 1
    assert "(as cellar, with a password)" in running.log
    assert "swordfish" not in running.log


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


def test_two_of_the_same_id_do_not_throw_each_other_out_for_ever(cellar: House, eyes: Eyes, tmp_path: Path) -> None:
    first = cellar.run(STATE_DIRECTORY=str(tmp_path / "one"))
    eyes.wait_value("cm/cellar/status/state", "online")
    second = cellar.run(STATE_DIRECTORY=str(tmp_path / "two"))
    codes: set[int | None] = set()
    deadline = time.monotonic() + 30
    while not codes:
        assert time.monotonic() < deadline
        codes = {one.process.poll() for one in (first, second)} - {None}
        time.sleep(0.05)
    assert codes == {75}
    survivor = next(one for one in (first, second) if one.process.poll() is None)
    ended = next(one for one in (first, second) if one is not survivor)
    run = eyes.on("cm/cellar/status/heartbeat")[0].value["run"]
    assert ended.logged(f"cm/cellar is already running on {socket.gethostname()} (run {run})")
    since = len(eyes.seen)
    assert survivor.stop() == 0
    eyes.wait_value("cm/cellar/status/state", "stopped", since)


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


def test_a_plain_client_on_a_tls_port_gets_a_hint(house: House, tls_broker: Broker) -> None:
    house.write(tls_broker.port)
    house.thermometer()
    assert "does it want TLS (ca_file)?" in house.run().wait_log("no broker")[0]


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
