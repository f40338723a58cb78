"""Home Assistant is told of each sensor, hears of nothing else, and is told no more of what is gone."""

import json
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from world import Broker, Eyes, House, Wires, eventually, retained

from bootstrap.config import kinds
from bootstrap.config.loader import check
from bootstrap.config.toml_file import SettingsError
from bootstrap.contract.payload import Json
from bootstrap.contract.topics import Topics
from bootstrap.device import Device, Measure, Takes, takes
from bootstrap.homeassistant import announcement

TOPIC = "homeassistant/device/cm-cellar/config"
QUICK = [str(Path(__file__).parent / "quick.py")]
STATE = "cm/cellar/status/state"
PAST = json.dumps({"dev": {"ids": ["penates/cm/cellar"]}, "o": {}, "cmps": {}})


def announced(device: type[Device], kind: str = "one", host: str = "pi", heartbeat_s: float = 60) -> dict[str, Any]:
    measures = {name: {**measure.facts, "every_s": 60.0} for name, measure in device.measures.items()}
    actions = {name: command.facts for name, command in device.commands.items()}
    about = {"kind": kind, "measures": measures, "actions": actions, "version": "1", "host": host}
    return json.loads(announcement.announcement(Topics("cm", "some"), {**about, "heartbeat_s": heartbeat_s}))


@dataclass(kw_only=True)
class Everything(Device):
    """Wiring: none. One of each."""

    outside_temperature = Measure("°C")
    humidity = Measure("%")
    power = Measure("W")
    energy = Measure("kWh", counter=True)
    rain = Measure("mm")
    load = Measure("1")
    odd = Measure("smoots")
    word = Measure(str)
    open = Measure(bool)
    flag = Measure(bool)
    ring = Measure(str, event=True)
    level = Measure("%", low=0, high=100)
    target = Measure("°C", low=5, high=30)

    @takes("on", "off", sets="level", unit="%", low=0, high=100)
    def act_dim(self, value: Json) -> None: ...

    @takes("on", "off", "toggle", sets="flag")
    def act_turn(self, value: Json) -> None: ...

    @takes(sets="target", unit="°C", low=5, high=30, step=0.5)
    def act_heat(self, value: Json) -> None: ...

    @takes("low", "high")
    def act_mode(self, value: Json) -> None: ...

    @takes("reset")
    def act_reset(self, value: Json) -> None: ...

    def act_say(self, value: Json) -> None: ...


def test_each_measure_is_what_its_unit_and_name_say() -> None:
    found = announced(Everything, kind="window")["cmps"]
    keys = ("p", "dev_cla", "stat_cla", "unit_of_meas", "sug_dsp_prc", "exp_aft")
    told = {key[5:]: tuple(found[key].get(name) for name in keys) for key in found if key.startswith("data_")}
    assert told == {
        "outside_temperature": ("sensor", "temperature", "measurement", "°C", 1, 185),
        "humidity": ("sensor", "humidity", "measurement", "%", 0, 185),
        "power": ("sensor", "power", "measurement", "W", 0, 185),
        "energy": ("sensor", "energy", "total_increasing", "kWh", 2, 185),
        "rain": ("sensor", "precipitation", "measurement", "mm", 1, 185),
        "load": ("sensor", None, "measurement", None, 2, 185),
        "odd": ("sensor", None, "measurement", "smoots", 2, 185),
        "word": ("sensor", None, None, None, None, 185),
        "open": ("binary_sensor", "window", None, None, None, 185),
        "flag": ("binary_sensor", None, None, None, None, 185),
        "ring": ("event", None, None, None, None, None),
        "level": ("sensor", None, "measurement", "%", 0, 185),
        "target": ("sensor", "temperature", "measurement", "°C", 1, 185),
    }
    assert found["data_outside_temperature"]["name"] == "Outside temperature"
    assert [key for key in found if key.startswith("data_") and found[key].get("en") is False] == [
        "data_flag",
        "data_level",
    ], "what a switch or a light shows is not shown twice"


def test_online_alone_is_available_but_for_measures_that_are_well() -> None:
    told = announced(Everything)
    online = "{{ 'online' if value == 'online' else 'offline' }}"
    alive = "{{ 'online' if value in ('online', 'fault') else 'offline' }}"
    assert told["avty"] == [{"t": "cm/some/status/state", "val_tpl": online}]
    for key in ("data_power", "data_ring", "action_turn"):
        state, health = told["cmps"][key]["avty"]
        assert state == {"t": "cm/some/status/state", "val_tpl": alive}
        assert health["t"] == "cm/some/status/health"
    assert [key for key, one in told["cmps"].items() if "avty" not in one] == [
        f"action_{name}" for name in ("log", "mode", "read", "reset", "say")
    ]


def test_each_action_is_what_it_takes() -> None:
    found = announced(Everything)["cmps"]
    assert {key[7:]: found[key]["p"] for key in found if key.startswith("action_")} == {
        "log": "select",
        "read": "button",
        "dim": "light",
        "turn": "switch",
        "heat": "number",
        "mode": "select",
        "reset": "button",
        "say": "text",
    }
    assert found["action_turn"]["stat_t"] == "cm/some/data/flag"
    assert found["action_heat"]["cmd_t"] == "cm/some/action/heat"
    assert [found["action_heat"][name] for name in ("min", "max", "step", "unit_of_meas")] == [5, 30, 0.5, "°C"]


def test_a_number_may_have_finer_steps_than_home_assistant_takes() -> None:
    @dataclass(kw_only=True)
    class Fine(Device):
        """Wiring: none."""

        x = Measure("V")

        @takes(low=0, high=1, step=1e-6, sets="x")
        def act_set(self, value: Json) -> None: ...

    assert announced(Fine)["cmps"]["action_set"]["step"] == 0.001


def test_what_a_command_sets_must_be_a_measure() -> None:
    with pytest.raises(TypeError, match="act_set sets 'colour', which is not a declared measure"):

        class _Wrong(Device):
            @takes("red", sets="colour")
            def act_set(self, value: Json) -> None: ...


def test_a_number_without_both_limits_is_none() -> None:
    assert Takes(low=0).facts == {}
    assert Takes(low=0, high=1).facts == {"unit": "1", "low": 0, "high": 1}


@pytest.mark.parametrize("kind", kinds.names())
def test_all_ids_of_a_device_differ_and_fit(kind: str) -> None:
    found = announced(kinds.find(kind, Path()), kind)
    ids = [component["uniq_id"] for component in found["cmps"].values()]
    assert len({*ids}) == len(ids)
    assert len(json.dumps(found)) < 16_000


def test_the_host_is_the_device_that_bears_its_name() -> None:
    assert announced(Everything, host="pi.local")["dev"]["via_device"] == "penates@pi"
    itself = announced(Everything, host="some.local")["dev"]
    assert itself["ids"] == ["penates/cm/some", "penates@some"]
    assert "via_device" not in itself


def test_without_heartbeats_nothing_is_expected_of_them() -> None:
    assert [key for key in announced(Everything, heartbeat_s=0)["cmps"] if key.startswith("status_")] == [
        "status_state",
        "status_problem",
    ]


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
    running.wait_log("read (", count=5)
    assert len(eyes.on(TOPIC)) == 2
    assert retained(broker.port)[TOPIC]["dev"]["ids"] == ["penates/cm/cellar"]


@pytest.mark.parametrize("had", [True, False])
def test_switched_off_it_leaves_nothing_behind(house: House, broker: Broker, eyes: Eyes, had: bool) -> None:
    if had:
        eyes.publish(TOPIC, PAST, retain=True)
    house.write(broker.port, log='level = "debug"\n[homeassistant]\nenabled = false')
    house.thermometer(every_s=0.2)
    running = house.run()
    running.wait_log("read (", count=3)
    eyes.publish("homeassistant/status", "online")
    running.wait_log("read (", count=8)
    assert [one.payload for one in eyes.on(TOPIC)] == ([PAST.encode(), b""] if had else [])
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


def test_two_sensors_that_would_be_one_to_it_are_a_fault(house: House) -> None:
    (house.folder / "house.toml").write_text('group = "x"\n')
    house.thermometer("b-a")
    house.device("a", 'kind = "door"\npin = 4\ngroup = "x-b"\n')
    with pytest.raises(SettingsError, match=r"devices/b-a.toml:1: x/b-a and x-b/a of devices/a.toml would be one to"):
        check(house.folder)
    (house.folder / "house.toml").write_text('group = "x"\n[homeassistant]\nenabled = false\n')
    assert len(check(house.folder)) == 2


@pytest.mark.parametrize("prefix", ["", "a//b", "a/", "/a", "#", "a/+", "a b", "$SYS/a"])
def test_a_prefix_that_is_none(house: House, prefix: str) -> None:
    (house.folder / "house.toml").write_text(f'group = "x"\n[homeassistant]\nprefix = "{prefix}"\n')
    house.thermometer()
    with pytest.raises(SettingsError, match=r"house.toml:3: 'prefix' must be (levels of 1 to 64|text that is not)"):
        check(house.folder)


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
    house.device("cellar", f'kind = "odd_devices.Told"\nfile = "{house.folder}/told.json"\n')
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
