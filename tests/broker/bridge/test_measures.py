"""What a bridge measures of its link, and what Home Assistant is told of far sensors."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from support.bridged_sites import BridgedSites
from support.plain_link import CABIN, HOME
from support.world import eventually, retained

BRIDGE = f"{HOME}/{CABIN}"
LAMP = f"{CABIN}/lamp"
ANNOUNCED = f"homeassistant/device/{CABIN}-lamp/config"


def reading(seq: int, run: str = "k3f9x0qa") -> str:
    return json.dumps({"time": datetime.now(UTC).isoformat(), "run": run, "seq": seq, "temperature": 21.5})


def test_lag_gaps_and_the_age_of_the_newest_reading(two: BridgedSites) -> None:
    two.bridges()
    two.at_home.wait_value(f"{BRIDGE}/data/state", "up")
    for seq in (1, 2, 5):
        two.at_cabin.publish(f"{CABIN}/probe/data/reading", reading(seq))
    two.at_home.wait_value(f"{BRIDGE}/data/missed", 2)
    two.at_cabin.publish(f"{CABIN}/probe/data/reading", reading(4))  # late, but not lost
    two.at_home.wait_value(f"{BRIDGE}/data/missed", 1)
    newest = lambda seen: [one.value for one in seen if one.topic == f"{BRIDGE}/data/lag"][-1:]  # noqa: E731
    (lag_s,) = two.at_home.wait(newest, "a lag")
    assert 0 <= lag_s < 5  # the far bridge has a heartbeat each second
    assert two.at_home.on(f"{BRIDGE}/data/reading_age")


def test_a_clock_over_there_that_is_wrong_is_a_fault_that_says_by_how_much(two: BridgedSites) -> None:
    two.lamp()  # whose heartbeats are a sign that the link is up
    two.home.house.run(CABIN)
    two.at_home.wait_value(f"{BRIDGE}/data/state", "up")
    made = (datetime.now(UTC) + timedelta(seconds=30)).isoformat()
    for _ in range(2):  # the first one after the link was made may be old
        told = json.dumps({"time": made, "clock": "ok", "heartbeat_s": 1})
        two.at_cabin.publish(f"{CABIN}/probe/status/heartbeat", told)
    why = two.at_home.wait(lambda seen: [one for one in seen if _says(one.topic, one.payload)], "the reason")
    assert "clocks: the far clock is " in why[0].value["why"]
    two.at_home.wait(lambda seen: [1 for one in seen if one.topic == f"{BRIDGE}/data/skew" and one.value > 25], "skew")


def _says(topic: str, payload: bytes) -> bool:
    return topic == f"{BRIDGE}/status/heartbeat" and b"ahead of ours" in payload


def test_far_sensors_are_announced_here_and_unavailable_while_they_are_unreachable(two: BridgedSites) -> None:
    two.lamp()
    two.bridges()
    found: dict[str, Any] = two.at_home.wait(
        lambda seen: [one.value for one in seen if one.topic == ANNOUNCED], "the announcement"
    )[0]
    assert found["dev"]["ids"] == [f"penates/{LAMP}"]
    assert found["cmps"]["action_set"]["cmd_t"] == f"{LAMP}/action/set"
    assert found["avty"][0]["t"] == f"{LAMP}/status/state"
    assert "unreachable" in found["cmps"]["status_state"]["ops"]


def test_far_sensors_are_announced_below_the_prefix_of_this_site(two: BridgedSites) -> None:
    with (two.home.house.folder / "devices" / f"{CABIN}.toml").open("a") as file:
        file.write('prefix = "assistant"\n')
    two.lamp()
    two.bridges()
    there = ANNOUNCED.replace("homeassistant", "assistant")
    two.at_home.wait(lambda seen: [one for one in seen if one.topic == there], "the announcement")
    assert not two.at_home.on(ANNOUNCED)


def test_an_announcement_goes_with_its_sensor_and_by_the_setting(two: BridgedSites) -> None:
    two.lamp()
    bridge, _ = two.bridges()
    two.at_home.wait(lambda seen: [one for one in seen if one.topic == ANNOUNCED], "the announcement")
    old = f"{CABIN}/old/status/about"
    two.at_cabin.publish(old, json.dumps(ABOUT), retain=True)
    gone = f"homeassistant/device/{CABIN}-old/config"
    two.at_home.wait(lambda seen: [one for one in seen if one.topic == gone], "the other one's announcement")
    two.at_cabin.publish(old, b"", retain=True)
    eventually(lambda: gone not in retained(two.home.broker.port), "it is withdrawn")
    with (two.home.house.folder / "devices" / f"{CABIN}.toml").open("a") as file:
        file.write("announce = false\n")
    bridge.stop()
    two.home.house.run(CABIN)
    eventually(lambda: ANNOUNCED not in retained(two.home.broker.port), "all are withdrawn")


ABOUT = {
    "kind": "lamp",
    "measures": {"on": {"unit": "bool", "every_s": 60}},
    "actions": {},
    "heartbeat_s": 60,
    "version": "0.2.0",
    "host": "pi",
}


def test_what_cannot_be_announced_is_logged_and_nothing_else(two: BridgedSites) -> None:
    bridge, _ = two.bridges()
    two.at_home.wait_value(f"{BRIDGE}/data/state", "up")
    for about in ('{"kind":"lamp"}', "[1]", '{"measures":3,"actions":{},"heartbeat_s":"x","host":1}'):
        two.at_cabin.publish(f"{CABIN}/odd/status/about", about, retain=True)
    bridge.wait_log("cannot be announced to Home Assistant", 3)
    assert bridge.process.poll() is None
