"""A device hears what others say on its sensor's own connection, and is told when nothing counts any more."""

import json
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bootstrap.contract.heard import heard_with
from bootstrap.contract.liveness import GRACE_S
from bootstrap.runtime.listening import MOST_TOPICS
from support.world import Broker, Eyes, FakeBroker, House, Running, Wires, eventually

FOLLOWER = 'kind = "support.followers.Follower"\n'
SOURCE = "cm/cellar/data/temperature"
SHOWN, TOLD, STATE = "cm/fan/data/shown", "cm/fan/data/told", "cm/fan/status/state"
DYNAMIC_SECURITY = next(Path("/usr/lib").glob("*/mosquitto_dynamic_security.so"), None)
ALLOWED = {"publishClientSend": True, "publishClientReceive": True, "subscribe": True, "unsubscribe": True}
CONTROL = {"acltype": "publishClientSend", "topic": "$CONTROL/#", "priority": 1, "allow": True}
DENIED = {"acltype": "subscribeLiteral", "topic": "foreign/tank", "priority": 1, "allow": False}
DENYING = {
    "defaultACLAccess": ALLOWED,
    "clients": [],
    "groups": [{"groupname": "everybody", "roles": [{"rolename": "all"}], "clients": []}],
    "roles": [{"rolename": "all", "acls": [CONTROL, DENIED]}],
    "anonymousGroup": "everybody",
}
PROTOCOLS = pytest.mark.parametrize("protocol", ["5", "3.1.1"])


def follow(house: House, follows: str = SOURCE, more: str = "") -> Running:
    """A fan that follows a topic."""
    house.device("fan", f'{FOLLOWER}follows = "{follows}"\n{more}')
    return house.run("fan")


def told(eyes: Eyes, text: str, since: int = 0, limit_s: float = 30.0) -> float:
    """Until the device is told this; returns when it was published."""

    def found(seen: list[Any]) -> float | None:
        return next((one.at for one in seen[since:] if one.topic == TOLD and text in str(one.value)), None)

    at: float = eyes.wait(found, f"told {text!r}", limit_s)
    return at


@PROTOCOLS
def test_a_device_follows_a_measure(house: House, broker: Broker, eyes: Eyes, protocol: str) -> None:
    house.write(broker.port, broker=f'protocol = "{protocol}"')
    house.thermometer(every_s=0.2)
    house.run()
    eyes.wait_value(SOURCE, 21.5)
    follow(house)
    eyes.wait_value(SHOWN, 21.5)
    eyes.wait_value("cm/fan/data/stored", True)  # what the broker had stored came first
    eyes.wait_value("cm/fan/data/stored", False)
    house.probe("cellar", 23000)
    eyes.wait_value(SHOWN, 23)
    assert eyes.ask("cm/fan", "read", "now")["result"] == "done"
    eyes.wait_value("cm/fan/data/value", "23.0")
    assert eyes.on("cm/fan/data/problem")[-1].value != "nothing was heard yet"


@PROTOCOLS
def test_only_what_the_broker_had_stored_is_flagged(house: House, broker: Broker, eyes: Eyes, protocol: str) -> None:
    house.write(broker.port, broker=f'protocol = "{protocol}"')
    eyes.publish("foreign/tank", b"1", retain=True)
    follow(house, "foreign/tank")
    eyes.wait_value("cm/fan/data/stored", True)
    before = len(eyes.seen)
    eyes.publish("foreign/tank", b"2", retain=True)
    eyes.wait_value(SHOWN, 2, before)
    eyes.wait_value("cm/fan/data/stored", False, before)


def test_a_stale_value_is_told_within_three_periods(house: House, broker: Broker, eyes: Eyes) -> None:
    house.write(broker.port)
    house.thermometer(every_s=0.5)
    cellar = house.run()
    eyes.wait_value(SOURCE, 21.5)
    follow(house)
    eyes.wait_value("cm/fan/data/stored", False)
    cellar.send(signal.SIGSTOP)
    at = told(eyes, "older than 1.5 s")
    last = eyes.on(SOURCE)[-1].at
    assert 1.4 < at - last < 3.0
    before = len(eyes.seen)
    cellar.send(signal.SIGCONT)
    eyes.wait_value(TOLD, "", before)  # the next message says that all is well


def test_a_lost_sender_is_told_within_a_second(house: House, broker: Broker, eyes: Eyes) -> None:
    house.write(broker.port)
    house.thermometer(every_s=60)
    cellar = house.run()
    eyes.wait_value("cm/cellar/status/state", "online")
    follow(house)
    eyes.wait_value(SHOWN, 21.5)
    before, killed = len(eyes.seen), time.monotonic()
    cellar.send(signal.SIGKILL)
    assert told(eyes, f"{SOURCE}: cm/cellar is lost", before) - killed < 1
    cellar.wait()
    before = len(eyes.seen)
    cellar = house.run()
    eyes.wait_value(TOLD, "", before)
    before = len(eyes.seen)
    cellar.stop()
    told(eyes, "cm/cellar has stopped", before)


def test_a_sender_that_died_with_its_broker_is_silent_by_its_heartbeat(
    house: House, broker: Broker, eyes: Eyes
) -> None:
    eyes.publish("cm/cellar/status/state", b"online", retain=True)
    about = {"heartbeat_s": 1, "measures": {"temperature": {"every_s": 3600}}}
    eyes.publish("cm/cellar/status/about", json.dumps(about), retain=True)
    beat = {"time": "2026-01-01T00:00:00Z", "heartbeat_s": 1}
    eyes.publish("cm/cellar/status/heartbeat", json.dumps(beat), retain=True)
    eyes.publish(SOURCE, b"5", retain=True)
    house.write(broker.port)
    follow(house)
    told(eyes, "cm/cellar gives no sign of life for more than 8 s")
    assert eyes.on(SHOWN) == []
    eyes.publish(SOURCE, b"6")
    eyes.wait_value(SHOWN, 6)


def test_a_broker_that_is_away_is_told_and_the_next_message_ends_it(
    house: House, new_broker: Callable[..., Broker], tmp_path: Path
) -> None:
    broker = new_broker("restarted", "persistence true", f"persistence_location {tmp_path}/restarted/")
    house.write(broker.port)
    house.thermometer(every_s=0.3)
    house.run()
    diary = tmp_path / "diary"
    house.device("board", board([SOURCE], diary))
    house.run("board")
    eventually(lambda: [SOURCE, 21.5, False] in notes(diary), "it follows")
    broker.stop()
    eventually(lambda: "unreachable" in str(notes(diary)[-1]), "it is told that it hears nothing")
    assert next(one for one in notes(diary) if len(one) == 2)[0] == SOURCE
    house.probe("cellar", 30000)
    broker.start()
    eventually(lambda: [SOURCE, 30.0, False] in notes(diary), "it follows again")
    assert sum("unreachable" in str(one) for one in notes(diary)) == 1


def board(filters: list[str], diary: Path, listens: list[str] | None = None) -> str:
    return (
        f'kind = "support.followers.Board"\nfilters = {json.dumps(filters)}\n'
        f'listens = {json.dumps(listens or filters)}\ndiary = "{diary}"\n'
    )


def notes(diary: Path) -> list[list[Any]]:
    return [json.loads(line) for line in diary.read_text().splitlines()] if diary.exists() else []


def test_a_flood_arrives_in_order_and_is_said_once(
    house: House, new_broker: Callable[..., Broker], tmp_path: Path
) -> None:
    broker = new_broker("flooded", "max_queued_messages 0")
    eyes = Eyes(broker.port)
    try:
        flood(house, broker, eyes, tmp_path / "diary")
    finally:
        eyes.close()


def flood(house: House, broker: Broker, eyes: Eyes, diary: Path) -> None:
    house.write(broker.port, log='level = "info"')
    house.device("board", board(["cm/+/data/level", "foreign/#"], diary))
    running = house.run("board")
    eyes.wait_value("cm/board/status/state", "online")
    eventually(lambda: broker.log().count("Sending SUBACK") >= 4, "it is subscribed")
    eyes.flood("foreign/meter", [str(number) for number in range(4000)])()
    eventually(lambda: notes(diary)[-1:] == [["foreign/meter", 3999, False]], "all of it arrives")
    heard = [one[1] for one in notes(diary)]
    assert heard == [*range(4000)]
    running.wait_log("a flood of messages")
    assert len(running.logged("a flood of messages")) == 1
    assert eyes.ask("cm/board", "read", "now")["result"] == "done"


def test_of_very_many_topics_some_are_passed_on_alone(
    house: House, new_broker: Callable[..., Broker], tmp_path: Path
) -> None:
    broker, diary = new_broker("crowded", "max_queued_messages 0"), tmp_path / "diary"
    eyes = Eyes(broker.port)
    try:
        house.write(broker.port)
        house.device("board", board(["+/x/data/y"], diary))
        running = house.run("board")
        eventually(lambda: "+/x/data/y (QoS 1)" in broker.log(), "it is subscribed")
        published = [eyes.flood(f"a{number}/x/data/y", ["1"]) for number in range(MOST_TOPICS + 500)]
        for wait in published:
            wait()
        eventually(lambda: len(notes(diary)) == MOST_TOPICS + 500, "all arrive")
        assert len(running.logged("too many topics are listened to")) == 1
    finally:
        eyes.close()


def test_overlapping_filters_bring_each_message_once(house: House, broker: Broker, eyes: Eyes, tmp_path: Path) -> None:
    house.write(broker.port)
    diary = tmp_path / "diary"
    house.device("board", board(["foreign/#"], diary, ["foreign/#", "foreign/tank"]))
    house.run("board")
    eyes.wait_value("cm/board/status/state", "online")
    eventually(lambda: "foreign/# (QoS 1)" in broker.log(), "it is subscribed")
    eyes.publish("foreign/tank", b"1")
    eyes.publish("foreign/end", b"2")
    eventually(lambda: notes(diary)[-1:] == [["foreign/end", 2, False]], "the last one arrives")
    assert [one for one in notes(diary) if one[0] == "foreign/tank"] == [["foreign/tank", 1, False]] * 2  # two listen
    assert "foreign/tank (QoS 1)" not in broker.log()


@PROTOCOLS
def test_garbage_is_said_once_and_costs_nothing(house: House, broker: Broker, eyes: Eyes, protocol: str) -> None:
    eyes.publish("foreign/tank", b"\xff\xfe", retain=True)
    house.write(broker.port, broker=f'protocol = "{protocol}"')
    running = follow(house, "foreign/tank")
    running.wait_log("a message that is listened to cannot be used")
    for payload in (b"\xff", b"{", b"x" * 70_000, b"x" * 1_900_000, b"y" * 3_000_000, b"nan" * 30_000):
        eyes.publish("foreign/tank", payload)
    eyes.publish("foreign/tank", b"7")
    eyes.wait_value(SHOWN, 7)
    assert len(running.logged("a message that is listened to cannot be used")) == 1
    before = len(eyes.seen)
    eyes.publish("foreign/tank", b"a word")  # the device wants a number: as if a read had failed
    eyes.wait_value(STATE, "fault", before)
    eyes.publish("foreign/tank", b"8")
    eyes.wait_value(STATE, "online", before)


@PROTOCOLS
def test_who_hears_everything_carries_out_each_command_once(
    house: House, broker: Broker, eyes: Eyes, tmp_path: Path, protocol: str
) -> None:
    house.write(broker.port, broker=f'protocol = "{protocol}"')
    diary = tmp_path / "diary"
    house.device("board", board(["cm/#", "foreign/#"], diary, ["cm/#"]))
    running = house.run("board")
    eyes.wait_value("cm/board/status/state", "online")
    for count, listens in enumerate((["foreign/#"], ["cm/#"]), 1):
        house.device("board", board(["cm/#", "foreign/#"], diary, listens))
        running.send(signal.SIGHUP)
        running.wait_log(": reloaded (", count)
        before = len(eyes.seen)
        assert eyes.ask("cm/board", "read", "now")["result"] == "done"
        assert eyes.ask("cm/board", "log", "debug")["result"] == "done"
        answers = [one.value["action"] for one in eyes.seen[before:] if one.topic == "cm/board/status/action"]
        assert answers == ["read", "log"]
    eyes.publish("cm/recorder/status/recording", b'{"recording":true}', retain=True)
    eyes.publish("cm/end/data/x", b"1")
    eventually(lambda: ["cm/end/data/x", 1, False] in notes(diary), "the last one arrives")
    told = [one for one in notes(diary) if one[0] == "cm/recorder/status/recording"]
    assert told == [["cm/recorder/status/recording", {"recording": True}, False]]


def test_garbage_of_a_sender_is_no_life(house: House, broker: Broker, eyes: Eyes) -> None:
    for name in ("state", "about", "heartbeat"):
        eyes.publish(f"cm/cellar/status/{name}", b'{"measures":[1],"heartbeat_s":"x","time":7}\xff', retain=True)
    eyes.publish(SOURCE, b"5", retain=True)
    house.write(broker.port)
    follow(house)
    eyes.wait_value(SHOWN, 5)
    eyes.publish("cm/cellar/status/about", b'{"heartbeat_s":true,"measures":{"temperature":{"every_s":-1}}}')
    eyes.publish("cm/cellar/status/heartbeat", b'{"time":"9999999-01-01","heartbeat_s":1e300}')
    eyes.publish(SOURCE, b"6")
    eyes.wait_value(SHOWN, 6)


def test_a_cleared_topic_is_told(house: House, broker: Broker, eyes: Eyes) -> None:
    eyes.publish("foreign/tank", b"1", retain=True)
    house.write(broker.port)
    follow(house, "foreign/tank")
    eyes.wait_value(SHOWN, 1)
    eyes.publish("foreign/tank", b"", retain=True)
    told(eyes, "foreign/tank: it was cleared")


def test_a_foreign_topic_is_silent_after_the_time_that_is_stated(house: House, broker: Broker, eyes: Eyes) -> None:
    house.write(broker.port)
    follow(house, "foreign/tank", "silent_s = 1\n")
    told(eyes, "foreign/tank: nothing was heard for 1 s")
    eyes.publish("foreign/tank", b"1")
    eyes.wait_value(SHOWN, 1)
    at = told(eyes, "foreign/tank: older than 1 s")
    assert 0.9 < at - eyes.on(SHOWN)[-1].at < 3


def test_a_sender_that_nobody_knows_is_a_fault_until_it_speaks(house: House, broker: Broker, eyes: Eyes) -> None:
    house.write(broker.port)
    follow(house)
    told(eyes, "the broker tells nothing of cm/cellar", limit_s=GRACE_S + 10)
    eyes.wait_value(STATE, "fault")
    before = len(eyes.seen)
    house.thermometer(every_s=60)
    house.run()
    eyes.wait_value(SHOWN, 21.5)
    eyes.wait_value(STATE, "online", before)


def test_a_reload_changes_what_is_listened_to_on_the_same_connection(house: House, broker: Broker, eyes: Eyes) -> None:
    house.write(broker.port)
    eyes.publish("foreign/new", b"2", retain=True)
    running = follow(house, "foreign/old")
    eyes.publish("foreign/old", b"1", retain=True)
    eyes.wait_value(SHOWN, 1)
    house.device("fan", f'{FOLLOWER}follows = "foreign/new"\n')
    running.send(signal.SIGHUP)
    eyes.wait_value(SHOWN, 2)
    before = len(eyes.seen)
    eyes.publish("foreign/old", b"3")
    eyes.publish("foreign/new", b"4")
    eyes.wait_value(SHOWN, 4, before)
    assert [one.value for one in eyes.on(SHOWN)] == [1, 2, 4]
    assert "UNSUBSCRIBE" in broker.log()
    assert broker.log().count("as cm/fan (") == 1  # it connected once


@pytest.mark.parametrize(
    ("listens", "reason"),
    [
        ("foreign/other", "which none of its settings declares"),
        ("#", "which none of its settings declares"),
        ("a#", "that must be an MQTT topic filter"),
        ("cm/board/data/heard", "its own topic"),
        ("cm/+/action/read", "some of its own commands match"),
    ],
)
def test_only_what_a_setting_declares_may_be_heard(
    house: House, broker: Broker, tmp_path: Path, listens: str, reason: str
) -> None:
    house.write(broker.port)
    house.device("board", board(["foreign/+/x", "cm/board/#", "cm/+/action/read"], tmp_path / "diary", [listens]))
    running = house.run("board")
    assert running.wait() == 78
    assert reason in running.log


def test_a_device_does_not_hear_itself(house: House, broker: Broker, eyes: Eyes, tmp_path: Path) -> None:
    house.write(broker.port, broker='protocol = "3.1.1"')
    diary = tmp_path / "diary"
    house.device("board", board(["cm/+/data/+"], diary))
    house.run("board")
    eyes.wait_value("cm/board/status/state", "online")
    eventually(lambda: "cm/+/data/+ (QoS 1)" in broker.log(), "it is subscribed")
    assert eyes.ask("cm/board", "read", "now")["result"] == "done"
    eyes.publish("cm/other/data/end", b"1")
    eventually(lambda: notes(diary) == [["cm/other/data/end", 1, False]], "others alone are heard")


def test_a_subscription_that_is_refused_is_a_fault_until_it_is_granted(
    house: House, new_broker: Callable[..., Broker], tmp_path: Path
) -> None:
    rules = tmp_path / "rules.json"
    rules.write_text(json.dumps(DENYING))
    rules.chmod(0o666)
    broker = new_broker("strict", f"plugin {DYNAMIC_SECURITY}", f"plugin_opt_config_file {rules}")
    eyes = Eyes(broker.port)
    try:
        house.write(broker.port)
        running = follow(house, "foreign/tank")
        eyes.wait_value(STATE, "fault")
        line = running.wait_log("cannot listen")[0]
        assert "does not let us hear foreign/tank: Not authorized; perhaps its access rule is not installed" in line
        before = len(eyes.seen)
        grant = {"command": "removeRoleACL", "rolename": "all", "acltype": "subscribeLiteral", "topic": "foreign/tank"}
        eyes.publish("$CONTROL/dynamic-security/v1", json.dumps({"commands": [grant]}))
        eyes.wait_value(STATE, "online", before)
    finally:
        eyes.close()


def subscribed(body: bytes) -> list[str]:
    """The filters in the body of a SUBSCRIBE."""
    filters, start = [], 3 + body[2]
    while start < len(body):
        end = start + 2 + int.from_bytes(body[start : start + 2], "big")
        filters.append(body[start + 2 : end].decode())
        start = end + 1
    return filters


def test_a_refused_subscription_is_asked_for_again_on_the_same_connection(house: House) -> None:
    refusals = iter([0x87])

    def granted(body: bytes) -> bytes:
        filters = subscribed(body)
        told = "foreign/tank" in filters
        reasons = bytes(next(refusals, 1) if one == "foreign/tank" else 1 for one in filters)
        answer = b"\x90" + bytes([3 + len(reasons)]) + body[:2] + b"\0" + reasons
        return answer + (b"\x31\x12\x00\x0cforeign/tank\x02\x0b\x027" if told and 0x87 not in reasons else b"")

    broker = FakeBroker({0x80: granted})
    try:
        house.write(broker.port)
        running = follow(house, "foreign/tank")
        running.wait_log("cannot listen")
        running.wait_log("listening (")
        running.wait_log('"shown": 7')
        assert len(running.logged(": connected (")) == 1
    finally:
        broker.close()


def test_an_access_rule_that_hides_is_a_fault_until_it_is_installed(
    house: House, new_broker: Callable[..., Broker], tmp_path: Path
) -> None:
    acl = tmp_path / "acl"
    acl.write_text("topic write #\ntopic read cm/fan/#\n")
    broker = new_broker("hiding", f"acl_file {acl}")
    house.write(broker.port)
    house.thermometer(every_s=3600)
    house.run().wait_log("read (")
    eyes = Eyes(broker.port)
    try:
        running = follow(house)
        eyes.wait_value(STATE, "fault")
        why = "tells nothing of cm/cellar; does anybody publish it? Perhaps its access rule"
        assert why in running.wait_log("cannot listen")[0]
        acl.write_text(acl.read_text() + "".join(f"topic read {one}\n" for one in heard_with(SOURCE)))
        broker.send(signal.SIGHUP)
        eyes.wait_value(SHOWN, 21.5)
        eyes.wait(lambda seen: [one.value for one in seen if one.topic == STATE][-1] == "online", "it is well")
        assert broker.log().count("as cm/fan (") == 1
    finally:
        eyes.close()


def test_a_device_that_is_made_safe_hears_nothing(wires: Wires) -> None:
    wires.house.device("fan", f'{FOLLOWER}follows = "{SOURCE}"\n')
    assert wires.house.penates("safe", "fan", program=None, **wires.env).returncode == 0


def test_who_listens_to_nothing_subscribes_as_before(house: House, broker: Broker, eyes: Eyes) -> None:
    house.write(broker.port)
    house.thermometer()
    house.run()
    eyes.wait_value("cm/cellar/status/state", "online")
    filters = {line.split(" (QoS")[0].strip().split()[-1] for line in broker.log().splitlines() if "(QoS 1)" in line}
    own = {"#", "cm/cellar/action/+", "cm/cellar/status/heartbeat", "cm/cellar/status/state"}
    assert filters == own | {"homeassistant/device/cm-cellar/config", "homeassistant/status"}
