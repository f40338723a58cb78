"""The broker's settings as shipped, in the real broker: a recorder that is away misses nothing."""

import json
import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.publish import multiple

from bootstrap.mqtt.address import ConnectOptions
from bootstrap.mqtt.blocking import BlockingConnection
from bootstrap.mqtt.connect import connect
from bootstrap.mqtt.paho import SubscribeOptions
from bootstrap.mqtt.session import Connack, Suback
from support.paths import SHIPPED
from support.world import PATIENCE_S, Broker, Eyes, House, eventually

if TYPE_CHECKING:
    from paho.mqtt.reasoncodes import ReasonCode

DEFAULT_QUEUE = 1000  # Mosquitto's own max_queued_messages
TOPIC = "cm/attic/data/reading"
MORE = 3 * DEFAULT_QUEUE


@pytest.fixture
def debians(new_broker: Callable[..., Broker], tmp_path: Path) -> Callable[[], Broker]:
    """A broker whose own file is as Debian's, and what else is found in its conf.d."""
    conf_d = tmp_path / "conf.d"
    conf_d.mkdir()
    (tmp_path / "kept").mkdir()
    lines = ("persistence true", f"persistence_location {tmp_path}/kept/", f"include_dir {conf_d}")
    return lambda: new_broker("debians", *lines)


@pytest.fixture
def shipped(debians: Callable[[], Broker], tmp_path: Path) -> Broker:
    (tmp_path / "conf.d" / "penates.conf").write_text(SHIPPED.read_text())
    return debians()


def test_the_broker_takes_it_without_a_word(shipped: Broker) -> None:
    lines = [line for line in shipped.log().splitlines() if "should not be run as root" not in line]
    assert any("penates.conf" in line for line in lines)
    assert [line for line in lines if "Warning" in line or "Error" in line] == []


def reading(seq: int) -> str:
    return json.dumps({"time": "2026-11-20T20:31:07.123456Z", "run": "r1", "seq": seq, "level": seq})


def publish(port: int, count: int, first: int = 0) -> None:
    """Each is acknowledged with success, whether there was room for it or not."""
    messages: list[Any] = [(TOPIC, reading(seq), 1, False) for seq in range(first, first + count)]
    multiple(messages, "127.0.0.1", port)


def seqs(house: House) -> list[int]:
    with closing(sqlite3.connect(house.folder / "state" / "history.sqlite")) as database:
        query = "SELECT seq FROM reading JOIN sensor ON id = sensor WHERE name = 'cm/attic' ORDER BY seq"
        return [seq for (seq,) in database.execute(query)]


def subscribed(house: House, broker: Broker, protocol: str) -> None:
    """A recorder that was there once, and was killed."""
    house.write(broker.port, broker=f'protocol = "{protocol}"')
    house.device("recorder", 'kind = "recorder"\nevery_s = 0.2\n')
    running = house.run("recorder")
    running.wait_log("subscribed")
    eventually(lambda: "Sending SUBACK to cm/recorder/history" in broker.log(), "it has subscribed")
    running.stop(signal.SIGKILL)


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_what_an_absent_recorder_misses_waits_for_it(house: House, shipped: Broker, protocol: str) -> None:
    subscribed(house, shipped, protocol)
    publish(shipped.port, MORE)
    shipped.stop()
    shipped.start()
    house.run("recorder")
    eventually(lambda: len(seqs(house)) >= MORE, "all are stored", 60)
    assert seqs(house) == list(range(MORE))


def test_without_it_most_would_be_lost(house: House, debians: Callable[[], Broker]) -> None:
    """As a check of the one above."""
    broker = debians()
    subscribed(house, broker, "5")
    publish(broker.port, MORE)
    house.run("recorder")
    eventually(lambda: seqs(house), "what was kept is stored")
    publish(broker.port, first=MORE, count=1)
    eventually(lambda: MORE in seqs(house), "a newer one comes after it")
    assert len(seqs(house)) <= DEFAULT_QUEUE + 1


LARGE = b"x" * 90_000
WAITING = 50_000_000  # bytes that may wait for one client
MANY = 5 * WAITING // len(LARGE)
MOST_KB = 180_000  # of the broker's memory with two such clients; it is 490 000 without limits


def peak_kb(broker: Broker) -> int:
    """The most memory that it has had."""
    status = Path(f"/proc/{broker.process.pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0])


def test_too_large_a_packet_costs_its_sender_alone(shipped: Broker) -> None:
    neighbour, large = Eyes(shipped.port), mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    ended: list[ReasonCode] = []
    large.on_disconnect = lambda _client, _data, _flags, reason, _properties: ended.append(reason)
    large.connect("127.0.0.1", shipped.port)
    large.loop_start()
    large.publish(TOPIC, b"x" * 200_000, qos=1)
    eventually(lambda: ended, "it is disconnected")
    large.loop_stop()
    assert ended[0] == "Packet too large"
    neighbour.publish(TOPIC, reading(7))
    neighbour.wait(lambda seen: any(one.payload == reading(7).encode() for one in seen), "the neighbour's reading")
    assert {len(one.payload) for one in neighbour.seen} == {len(reading(7))}
    neighbour.close()


@pytest.mark.exact
def test_neither_who_is_away_nor_who_does_not_read_takes_all_memory(shipped: Broker) -> None:
    Eyes(shipped.port, name="away").close()
    options = ConnectOptions(client_id="deaf", protocol="5", keepalive_s=600)
    deaf = BlockingConnection(connect("127.0.0.1", shipped.port, None), options)
    while not any(isinstance(event, Connack) for event in deaf.events):
        deaf.wait(PATIENCE_S)
    deaf.subscribe([("#", SubscribeOptions(qos=1))])
    while not any(isinstance(event, Suback) for event in deaf.events):
        deaf.wait(PATIENCE_S)
    multiple([(TOPIC, LARGE, 1, False)] * MANY, "127.0.0.1", shipped.port)
    assert peak_kb(shipped) < MOST_KB
    deaf.kill()
    back = Eyes(shipped.port, name="away")
    back.wait(lambda seen: len(seen) * len(LARGE) > WAITING - len(LARGE), "what there was room for")
    back.close()
    shipped.stop(signal.SIGKILL)  # it need not save all that
