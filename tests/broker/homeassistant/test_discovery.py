"""Home Assistant is told of each sensor, hears of nothing else, and is told no more of what is gone."""

import json
import signal
import time

import pytest

from bootstrap.contract.topics import Topics
from bootstrap.homeassistant import announcement
from support.paths import QUICK
from support.world import Broker, Eyes, House, Wires, eventually, retained

TOPIC = "homeassistant/device/cm-cellar/config"
STATE = "cm/cellar/status/state"
PAST = json.dumps({"dev": {"ids": ["penates/cm/cellar"]}, "o": {}, "cmps": {}})


def told_of(eyes: Eyes, topic: str = TOPIC, times: int = 1) -> None:
    """Until it is announced so often."""
    eyes.wait(lambda seen: len([one for one in seen if one.topic == topic]) >= times, "announced")


def test_a_sensor_is_announced_by_what_it_says_of_itself(cellar: House, eyes: Eyes, broker: Broker) -> None:
    cellar.run()
    told_of(eyes)
    about = eyes.on("cm/cellar/status/about")[0].value
    told = retained(broker.port)[TOPIC]
    assert told == json.loads(announcement.announcement(Topics("cm", "cellar"), about))
    assert (told["dev"]["name"], told["dev"]["mdl"], told["o"]["name"]) == ("cellar", "thermometer", "penates")
    assert told["cmps"]["data_temperature"]["stat_t"] == "cm/cellar/data/temperature"


def test_it_is_told_below_its_own_prefix(house: House, broker: Broker, eyes: Eyes) -> None:
    house.write(broker.port)
    with (house.folder / "house.toml").open("a") as file:
        file.write('[homeassistant]\nprefix = "ha/found"\n')
    house.thermometer()
    house.run(program=QUICK)
    told_of(eyes, "ha/found/device/cm-cellar/config")
    assert "ha/found/device/cm-cellar/config" in retained(broker.port)
    assert not eyes.on(TOPIC)
    eyes.publish("ha/found/status", "online")
    told_of(eyes, "ha/found/device/cm-cellar/config", times=2)


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_home_assistants_birth_is_answered_and_its_echo_is_not(
    house: House, broker: Broker, eyes: Eyes, protocol: str
) -> None:
    eyes.publish("homeassistant/status", "online", retain=True)
    house.write(broker.port, broker=f'protocol = "{protocol}"')
    house.thermometer(every_s=0.1)
    running = house.run(program=QUICK)
    running.wait_log("read (", count=12)  # longer than an answer would take
    assert len(eyes.on(TOPIC)) == 1
    eyes.publish("homeassistant/status", "offline")
    eyes.publish("homeassistant/status", "online")
    told_of(eyes, times=2)
    time.sleep(0.2)
    assert len(eyes.on(TOPIC)) == 2
    assert [one.retain for one in eyes.on(TOPIC)] == [True, True]


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_what_is_measured_no_more_is_taken_back(house: House, broker: Broker, eyes: Eyes, protocol: str) -> None:
    held = json.loads(PAST)
    held["cmps"] = {"data_humidity": {"p": "sensor", "uniq_id": "x"}, "data_temperature": {"p": "sensor"}}
    eyes.publish(TOPIC, json.dumps(held), retain=True)
    house.write(broker.port, broker=f'protocol = "{protocol}"')
    house.thermometer()
    house.run(program=QUICK)
    eyes.wait(lambda seen: [one for one in seen if one.topic == TOPIC][3:], "taken back")
    told = [one.value["cmps"] for one in eyes.on(TOPIC)][1:]
    assert [cmps.get("data_humidity") for cmps in told] == [None, {"p": "sensor"}, None]
    assert next(iter(told[1])) == "data_humidity"
    assert retained(broker.port)[TOPIC]["cmps"] == told[0]


@pytest.mark.parametrize("held", ["nothing", "[", '{"dev":3}', PAST.replace("cellar", "other"), PAST])
def test_what_is_held_and_cannot_be_used_is_written_over(house: House, broker: Broker, eyes: Eyes, held: str) -> None:
    eyes.publish(TOPIC, held, retain=True)
    house.write(broker.port)
    house.thermometer(every_s=0.2)
    running = house.run()
    told_of(eyes, times=2)
    running.wait_log("read (", count=5)
    assert len(eyes.on(TOPIC)) == 2
    assert retained(broker.port)[TOPIC]["dev"]["ids"] == ["penates/cm/cellar"]


@pytest.mark.parametrize("had", [True, False])
def test_switched_off_it_leaves_nothing_behind(house: House, broker: Broker, eyes: Eyes, had: bool) -> None:
    house.write(broker.port)
    house.thermometer(every_s=0.2)
    if had:
        running = house.run()
        told_of(eyes)
        assert running.stop() == 0
    house.write(broker.port, log='level = "debug"\n[homeassistant]\nenabled = false')
    running = house.run()
    running.wait_log("read (", count=3)
    eyes.publish("homeassistant/status", "online")
    running.wait_log("read (", count=8)
    if had:
        told_of(eyes, times=2)
    assert [bool(one.payload) for one in eyes.on(TOPIC)] == ([True, False] if had else [])
    assert TOPIC not in retained(broker.port)
    asked = broker.log().rpartition("as cm/cellar (")[2]
    assert "\tcm/cellar/action/+" in asked
    assert "\thomeassistant/" not in asked


def test_another_prefix_leaves_nothing_behind(house: House, broker: Broker, eyes: Eyes) -> None:
    house.write(broker.port)
    house.thermometer()
    running = house.run()
    told_of(eyes)
    assert running.stop() == 0
    house.write(broker.port, log='level = "debug"\n[homeassistant]\nprefix = "ha/found"')
    running = house.run()
    told_of(eyes, "ha/found/device/cm-cellar/config")
    eyes.wait(lambda seen: [one for one in seen if (one.topic, one.payload) == (TOPIC, b"")], "taken back")
    assert running.stop() == 0
    assert TOPIC not in retained(broker.port)


def test_that_it_may_not_be_told_is_no_fault(house: House, guarded: Broker) -> None:
    acl = guarded.folder / "acl"
    kept = acl.read_text().replace("pattern readwrite homeassistant/device/cm-%u/config\n", "")
    acl.write_text(f"{kept}pattern write cm/%u/data/#\n")
    guarded.send(signal.SIGHUP)
    (house.folder / "password").write_text("opensesame\n")
    house.write(guarded.port, broker='password_file = "password"')
    house.thermometer(every_s=0.2)
    running = house.run()
    assert TOPIC in running.wait_log("the broker refused a message")[0]
    running.wait_log("read (", count=5)
    assert retained(guarded.port, username="eyes", password="eyes")[STATE] == "online"
    assert running.stop() == 0


def test_a_command_as_home_assistant_sends_it(wires: Wires, eyes: Eyes) -> None:
    wires.run("lamp", 'kind = "lamp"\npin = 27\n')
    eyes.wait_value("cm/lamp/status/state", "online")
    answer = eyes.ask("cm/lamp", "set", '{"value":"on","before":"2999-11-20T20:31:09.123456+00:00"}')
    assert answer["result"] == "done"
    assert wires.line(27).output() == 1
    late = eyes.ask("cm/lamp", "set", '{"value":"off","before":"2020-11-20T20:31:09.123456+00:00"}')
    assert late["reason"].startswith("expired")


def test_a_reload_announces_what_the_sensor_then_is(house: House, broker: Broker, eyes: Eyes) -> None:
    house.write(broker.port)
    house.thermometer()
    running = house.run(program=QUICK)
    told_of(eyes)
    (house.folder / "told.json").write_text('{"level":5}')
    house.device("cellar", f'kind = "support.odd_devices.Told"\nfile = "{house.folder}/told.json"\n')
    running.send(signal.SIGHUP)
    eyes.wait(lambda seen: [one for one in seen if one.topic == TOPIC][3:], "announced anew")
    told = [one.value["cmps"] for one in eyes.on(TOPIC)]
    assert [cmps["data_temperature"] for cmps in told[1:] if "data_temperature" in cmps] == [{"p": "sensor"}]
    assert told[3] == retained(broker.port)[TOPIC]["cmps"]
    assert {"data_temperature", "data_level"} & told[3].keys() == {"data_level"}


def test_a_reload_moves_the_announcement_or_takes_it_back(house: House, broker: Broker, eyes: Eyes) -> None:
    house.write(broker.port)
    house.thermometer()
    running = house.run(program=QUICK)
    told_of(eyes)
    house.write(broker.port, log='[homeassistant]\nprefix = "ha"')
    running.send(signal.SIGHUP)
    moved = "ha/device/cm-cellar/config"
    eyes.wait(lambda seen: [one for one in seen if one.topic == moved], "announced elsewhere")
    eyes.wait(lambda seen: [one for one in seen if (one.topic, one.payload) == (TOPIC, b"")], "taken back")
    eventually(lambda: broker.log().count("as cm/cellar (") == 2, "connected anew")
    eyes.publish("ha/status", "online")
    told_of(eyes, moved, times=2)
    house.write(broker.port, log="[homeassistant]\nenabled = false")
    running.send(signal.SIGHUP)
    eyes.wait(lambda seen: [one for one in seen if (one.topic, one.payload) == (moved, b"")], "taken back again")
    assert {TOPIC, moved} & retained(broker.port).keys() == set()
    assert running.stop() == 0
