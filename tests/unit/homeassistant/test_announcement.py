"""What Home Assistant is told of each sort of measure and command."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from bootstrap.config import kinds
from bootstrap.config.loader import check
from bootstrap.config.toml_file import SettingsError
from bootstrap.contract.payload import Json
from bootstrap.device import Device, Measure, Takes, takes
from bootstrap.homeassistant.announcement import announcement
from support.announced import Everything, announced
from support.paths import ROOT
from support.world import House


def test_each_measure_is_what_its_unit_and_name_say() -> None:
    found = announced(Everything)["cmps"]
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
        "ring": ("event", "doorbell", None, None, None, None),
        "level": ("sensor", None, "measurement", "%", 0, 185),
        "target": ("sensor", "temperature", "measurement", "°C", 1, 185),
        "phase": ("sensor", "enum", None, None, None, 185),
        "gesture": ("event", None, None, None, None, None),
        "scene": ("sensor", None, None, None, None, 185),
    }
    assert found["data_phase"]["ops"] == ["idle", "heating"]
    assert found["data_gesture"]["evt_typ"] == ["up", "down"]
    assert found["data_scene"]["json_attr_t"] == "cm/some/data/scene"
    icons = {key: one["ic"] for key, one in found.items() if "ic" in one}
    assert icons == {
        "data_flag": "mdi:flag",
        "action_turn": "mdi:flag",
        "data_load": "mdi:gauge",
        "action_wait": "mdi:gauge",
    }
    assert found["data_outside_temperature"]["name"] == "Outside temperature"
    assert [key for key in found if key.startswith("data_") and found[key].get("en") is False] == [
        "data_flag",
        "data_level",
    ], "what a switch or a light shows is not shown twice"


def test_what_a_measure_is_shown_as_is_told_by_its_kind(house: House) -> None:
    house.write(1)
    house.device("a", 'kind = "door"\npin = 4\n')
    (door,) = check(house.folder)
    assert door.about["measures"]["open"] == {"unit": "bool", "every_s": 60.0, "shown_as": "door"}
    told = json.loads(announcement(door.topics, door.about))
    assert told["cmps"]["data_open"]["dev_cla"] == "door"
    with pytest.raises(TypeError, match="Own: shown_as has 'shut', which is not a declared measure"):
        type("Own", (Device,), {"shown_as": {"shut": "door"}, "open": Measure(bool)})


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
        "wait": "text",
    }
    assert found["action_turn"]["stat_t"] == "cm/some/data/flag"
    assert found["action_heat"]["cmd_t"] == "cm/some/action/heat"
    assert [found["action_heat"][name] for name in ("min", "max", "step", "unit_of_meas")] == [5, 30, 0.5, "°C"]


def test_of_a_state_that_is_assumed_both_buttons_are_shown() -> None:
    @dataclass(kw_only=True)
    class Deaf(Device):
        """Wiring: none."""

        on = Measure(bool, assumed=True)

        @takes("on", "off", sets="on")
        def act_set(self, value: Json) -> None: ...

    assert announced(Deaf)["cmps"]["action_set"]["opt"] is True
    assert "opt" not in announced(Everything)["cmps"]["action_turn"]


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


def test_a_number_has_the_limits_that_are_set() -> None:
    assert Takes().facts == {}
    assert Takes(low=0).facts == {"unit": "1", "low": 0}
    assert Takes(high=9, unit="V").facts == {"unit": "V", "high": 9}
    assert Takes(low=0, high=1).facts == {"unit": "1", "low": 0, "high": 1}


@pytest.mark.parametrize("kind", kinds.names())
def test_all_ids_of_a_device_differ_and_fit(kind: str) -> None:
    found = announced(kinds.find(kind, Path()), kind)
    ids = [component["uniq_id"] for component in found["cmps"].values()]
    assert len({*ids}) == len(ids)
    assert len(json.dumps(found)) < 500 * len(found["cmps"]), "no measure takes more than its share"


def test_the_host_is_the_device_that_bears_its_name() -> None:
    assert announced(Everything, host="pi.local")["dev"]["via_device"] == "penates@pi"
    itself = announced(Everything, host="some.local")["dev"]
    assert itself["ids"] == ["penates/cm/some", "penates@some"]
    assert "via_device" not in itself


def test_a_heartbeats_sensors_ask_for_fields_that_it_has() -> None:
    section = (ROOT / "docs" / "TOPICS.md").read_text().partition("## status/heartbeat")[2].partition("\n## ")[0]
    fields = set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE))
    beats = [one for one in announced(Everything)["cmps"].values() if one.get("stat_t") == "cm/some/status/heartbeat"]
    asked = {name for one in beats for name in re.findall(r"value_json\.(\w+)", one["val_tpl"])}
    assert {"invalid", "on_disk"} <= asked <= fields


def test_without_heartbeats_nothing_is_expected_of_them() -> None:
    assert [key for key in announced(Everything, heartbeat_s=0)["cmps"] if key.startswith("status_")] == [
        "status_state",
        "status_problem",
    ]


def test_two_sensors_that_would_be_one_to_it_are_a_fault(house: House) -> None:
    (house.folder / "house.toml").write_text('group = "x"\n')
    house.thermometer("b-a")
    house.device("a", 'kind = "door"\npin = 4\ngroup = "x-b"\n')
    with pytest.raises(SettingsError, match=r"devices/b-a.toml:1: x/b-a and x-b/a of devices/a.toml are the same to"):
        check(house.folder)
    (house.folder / "house.toml").write_text('group = "x"\n[homeassistant]\nenabled = false\n')
    assert len(check(house.folder)) == 2


@pytest.mark.parametrize("prefix", ["", "a//b", "a/", "/a", "#", "a/+", "a b", "$SYS/a"])
def test_a_prefix_that_is_none(house: House, prefix: str) -> None:
    (house.folder / "house.toml").write_text(f'group = "x"\n[homeassistant]\nprefix = "{prefix}"\n')
    house.thermometer()
    with pytest.raises(SettingsError, match=r"house.toml:3: 'prefix' must be (levels of 1 to 64|text that is not)"):
        check(house.folder)


def test_a_recorder_is_no_device_of_the_house_beside_the_others(house: House) -> None:
    house.write(1)
    house.device("recorder", 'kind = "recorder"\n')
    house.device("attic", 'kind = "recorder"\n')
    house.device("pi", 'kind = "pi"\n')
    found = {one.topics.sensor: json.loads(announcement(one.topics, one.about)) for one in check(house.folder)}
    (own,) = {*found} - {"recorder", "attic"}
    assert [found[one]["dev"]["name"] for one in ("recorder", "attic", own)] == ["penates", "penates attic", own]
    placed = {key: one["ent_cat"] for key, one in found["recorder"]["cmps"].items()}
    assert {one for key, one in placed.items() if key.startswith("data_")} == {"diagnostic"}
    assert "" not in placed.values()
    assert not [key for key, one in found[own]["cmps"].items() if key.startswith("data_") and "ent_cat" in one]
