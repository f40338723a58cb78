"""`penates adopt` names what profiles recognise on a real broker, and makes sensors of it."""

import json
import signal
import time
from collections import defaultdict
from typing import Any

import pytest

from support.recorded import dated, recorded
from support.world import Broker, Eyes, House

PLUG = "zigbee2mqtt/kitchen/kettle"
STATE = '{"state":"OFF","power":0,"energy":3.27}'
DOOR = "zwave/nodeID_3/notification/endpoint_0/Access_Control/Door_state_simple"
LOOK = ("adopt", "--wait", "1")


@pytest.fixture
def home(house: House, broker: Broker, eyes: Eyes) -> House:
    """A house without an adapter, a plug and a door on its broker."""
    house.write(broker.port, top="heartbeat_s = 0.5")
    eyes.retain_all([(PLUG, STATE), (DOOR, '{"value":23}'), ("tele/heater/LWT", "Online")])
    return house


def listed(house: House, *words: str) -> list[dict[str, Any]]:
    done = house.penates(*LOOK, "--json", *words)
    assert (done.returncode, done.stderr) == (0, "")
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def test_what_is_recognised_is_listed_and_adopted_by_its_number(home: House, eyes: Eyes) -> None:
    shown = home.penates(*LOOK).stdout.splitlines()
    assert shown == [
        "NO  PROFILE      ADDRESS               MEASURES",
        "1   zigbee2mqtt  kitchen/kettle        energy 3.27, on false, power 0",
        "2   zwave-js-ui  nodeID_3, endpoint_0  open false",
        "there, but silent: heater (tasmota); listen for longer: penates adopt --wait 320",
        "to adopt one: penates adopt 1 as NAME",
    ]
    done = home.penates("adopt", "1", "as", "kettle")
    file = home.folder / "devices" / "adapter.toml"
    assert done.stdout == (
        f"{file} was written, with [sensors.kettle]\nNext: penates run adapter --config {home.folder}\n"
    )
    first = '[sensors.kettle]\nprofile = "zigbee2mqtt"\naddress = "kitchen/kettle"\nonly = ["energy", "on", "power"]\n'
    assert file.read_text() == f'kind = "adapter"\n\n{first}'
    running = home.run("adapter")
    eyes.wait_value("cm/kettle/data/energy", 3.27)
    done = home.penates("adopt", "2", "as", "door")
    assert done.stdout == f"{file}: [sensors.door] was added\nNext: penates reload --config {home.folder}\n"
    running.send(signal.SIGHUP)
    eyes.wait_value("cm/door/data/open", False)
    assert listed(home) == []
    nobody = home.penates(*LOOK).stdout
    assert nobody.startswith("nothing that a profile recognises was heard in 1 s\n")


def test_what_another_house_has_adopted_is_not_offered(home: House, eyes: Eyes) -> None:
    home.device("zwave", 'kind = "adapter"\n[sensors.door]\nprofile = "zwave-js-ui"\naddress = "nodeID_3"\n')
    home.run("zwave")
    eyes.wait_online("door")
    (home.folder / "devices" / "zwave.toml").unlink()
    assert [one["address"] for one in listed(home)] == ["kitchen/kettle"]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["3", "as", "x"], "the last list has no number 3; penates adopt makes a new one"),
        (["0", "as", "x"], "the last list has no number 0"),
        (["1"], "what is it to be called? penates adopt 1 as NAME"),
        (["1", "as", "admin"], "the sensor id 'admin' is reserved"),
        (["1", "as", "x", "--from", "cm/none"], "cm/none is no gateway"),
        (["1", "as", "door"], "'door' is already there; nothing was written"),
        (["2", "as", "twin"], "is already adopted as 'door'"),
    ],
)
def test_what_cannot_be_adopted_changes_nothing(house: House, words: list[str], why: str) -> None:
    house.write(1)
    text = 'kind = "adapter"\n[sensors.door]\nprofile = "tasmota"\naddress = "y"\n'
    file = house.device("other", text)
    (house.folder / "state").mkdir()
    one = {"profile": "tasmota", "base": "", "address": "x", "channel": "", "only": ["on"]}
    (house.folder / "state" / "adopt.json").write_text(json.dumps([one, {**one, "address": "y"}]))
    done = house.penates("adopt", *words)
    assert (done.returncode, file.read_text()) == (78, text)
    assert why in done.stderr
    assert [*(house.folder / "devices").iterdir()] == [file]


def test_a_device_is_adopted_by_its_announcement_to_home_assistant(house: House, broker: Broker, eyes: Eyes) -> None:
    house.write(broker.port, top="heartbeat_s = 0.5")
    parts = {
        "s": {"p": "switch", "stat_t": "~/state", "cmd_t": "~/set", "val_tpl": "{{ value_json.on }}"},
        "w": {
            "p": "sensor",
            "dev_cla": "power",
            "unit_of_meas": "W",
            "stat_t": "~/state",
            "val_tpl": "{{ value_json.w }}",
        },
        "x": {"p": "sensor", "name": "twice", "stat_t": "~/state", "val_tpl": "{{ value_json.w * 2 }}"},
    }
    announcement = {"~": "socket/1", "dev": {"ids": ["socket-1"]}, "o": {"name": "x"}, "cmps": parts}
    eyes.retain_all(
        [("homeassistant/device/socket-1/config", json.dumps(announcement)), ("socket/1/state", '{"on":"OFF","w":0}')]
    )
    assert house.penates(*LOOK).stdout.splitlines()[1:] == [
        "1   homeassistant  socket-1  on, power",
        "not understood of 1: twice: template {{ value_json.w * 2 }}",
        "in Home Assistant already, by their own announcement: 1",
        "to adopt one: penates adopt 1 as NAME",
    ]
    assert house.penates("adopt", "1", "as", "socket").returncode == 0
    running = house.run("adapter")
    eyes.wait_value("cm/socket/data/on", False)
    eyes.listen("socket/1/set", lambda _: eyes.pour("socket/1/state", ['{"on":"ON","w":4.5}']))
    assert eyes.ask("cm/socket", "set", "on")["result"] == "done"
    eyes.wait_value("cm/socket/data/power", 4.5)
    assert listed(house) == []
    running.stop()


def test_of_several_adapters_one_is_named(home: House) -> None:
    for name in ("first", "second"):
        home.device(name, 'kind = "adapter"\n')
    listed(home)
    assert "there are 2 adapters; add --from cm/first or cm/second" in home.penates("adopt", "1", "as", "it").stderr
    done = home.penates("adopt", "1", "as", "it", "--from", "cm/second")
    assert done.stdout.startswith(f"{home.folder / 'devices' / 'second.toml'}: [sensors.it] was added")


def test_recordings_of_all_profiles_among_many_topics_of_others_are_named_and_adopted(
    house: House, broker: Broker, eyes: Eyes
) -> None:
    house.write(broker.port, top="heartbeat_s = 0.5")
    others = [(f"homie/other{number}", '{"state":"ON"}') for number in range(1000)]
    others += [(f"zigbee2mqtt/other{number}", "{}") for number in range(1000)]
    eyes.retain_all(others)
    wanted = [one for one in recorded() if "base" not in one.settings and not one.settings.get("values")]
    stored = [(each, one) for each in wanted for one in each.messages if one.retained and one.state]
    eyes.retain_all([(one.topic, dated(one.payload, time.time()).decode()) for _, one in stored])
    found = listed(house)
    states = defaultdict[tuple[str, str], set[str]](set)
    for each, one in stored:
        states[each.profile, each.settings["address"]] |= {*(one.state or {})}
    assert {(one["profile"], one["address"]) for one in found} == {*states}
    for address, wanted_measures in states.items():
        parts = [one["only"] for one in found if (one["profile"], one["address"]) == address]
        assert {name for part in parts for name in part} >= wanted_measures
    for number, _ in enumerate(found, 1):
        assert house.penates("adopt", str(number), "as", f"device{number}").returncode == 0
    house.run("adapter")
    eyes.wait_online(*(f"device{number}" for number, _ in enumerate(found, 1)))
    assert listed(house) == []


def test_a_broker_that_is_not_there_is_said(house: House) -> None:
    house.write(1)
    done = house.penates("adopt", "--broker", "127.0.0.1:1", "--wait", "1")
    assert done.returncode == 77
    assert "127.0.0.1:1" in done.stderr
