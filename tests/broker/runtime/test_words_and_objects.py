"""Measures that are words of a known set, or objects: on the wire, in the history, and on the command line."""

import json
from pathlib import Path

import pytest

from support.history import stored
from support.world import Broker, Eyes, House, eventually, retained

POSITION, MOTOR, STATE = "cm/blind/data/position", "cm/blind/data/motor", "cm/blind/status/state"
GOOD = {"position": "half", "motor": {"amps": 0.5, "errors": ["ä"], "on": True}}


@pytest.fixture
def told(house: House, broker: Broker) -> Path:
    """What the device reads."""
    house.write(broker.port)
    file = house.folder / "told.json"
    tell(file, GOOD)
    house.device("blind", f'kind = "support.odd_devices.Shutter"\nfile = "{file}"\n')
    return file


def tell(file: Path, reading: object) -> None:
    new = file.with_suffix(".new")
    new.write_text(json.dumps(reading))
    new.replace(file)


def test_words_and_objects_are_published_as_declared_and_told_so(house: House, told: Path, broker: Broker) -> None:
    eyes = Eyes(broker.port)
    house.run("blind")
    eyes.wait_value(POSITION, "half")
    eyes.wait_value(MOTOR, GOOD["motor"])
    eyes.close()
    held = retained(broker.port)
    about, config = held["cm/blind/status/about"], held["homeassistant/device/cm-blind/config"]
    assert about["measures"]["position"] == {"unit": "str", "words": ["open", "half", "shut"], "every_s": 0.1}
    assert about["measures"]["motor"] == {"unit": "object", "every_s": 0.1}
    assert config["cmps"]["data_position"]["ops"] == ["open", "half", "shut"]
    assert told.exists()


def test_another_word_is_refused_with_the_reason_and_costs_no_other_measure(
    house: House, told: Path, eyes: Eyes
) -> None:
    running = house.run("blind")
    eyes.wait_value(STATE, "online")
    tell(told, {"position": "ajar", "motor": {"amps": 1}})
    eyes.wait_value(MOTOR, {"amps": 1})
    eyes.wait_value(STATE, "fault")
    running.wait_log("'ajar' is not one of open, half, shut")
    tell(told, GOOD)
    eyes.wait(lambda seen: [one for one in seen if one.topic == STATE][-1].value == "online", "it is well again")
    assert "ajar" not in {one.value for one in eyes.on(POSITION)}


@pytest.mark.usefixtures("told")
def test_a_command_out_of_step_is_refused_before_the_device_sees_it(house: House, eyes: Eyes) -> None:
    house.run("blind")
    eyes.wait_value(STATE, "online")
    refused = eyes.ask("cm/blind", "tilt", "12")
    assert (refused["result"], refused["reason"]) == ("refused", "send a number from 0 to 100 % in steps of 5")
    assert eyes.ask("cm/blind", "set", "half")["reason"] == "send one of open, shut"
    assert eyes.ask("cm/blind", "tilt", "15")["result"] == "done"
    eyes.wait_value(MOTOR, {"tilt": 15})
    assert {"tilt": 12} not in [one.value for one in eyes.on(MOTOR)]


def test_the_history_has_words_as_words_and_objects_as_json(house: House, told: Path, eyes: Eyes) -> None:
    house.device("recorder", 'kind = "recorder"\n')
    house.run("recorder")
    eyes.wait_value("cm/recorder/status/state", "online")
    house.run("blind")
    motor = '{"amps":0.5,"errors":["ä"],"on":true}'
    eventually(lambda: {"position": "half", "motor": motor} in [row for *_, row in stored(house, "cm/blind")], "stored")
    tell(told, {**GOOD, "position": "shut"})
    eventually(lambda: stored(house, "cm/blind")[-1][2]["position"] == "shut", "the next word")
    rows = [json.loads(line) for line in house.penates("history", "blind", "--json").stdout.splitlines()]
    assert {("position", "half"), ("motor", motor)} <= {(row["measure"], row["value"]) for row in rows}
    drawn = house.penates("history", "blind").stdout
    assert "half" in drawn
    assert "shut" in drawn
    beat = eyes.on("cm/recorder/status/heartbeat")[-1].value
    assert beat["invalid"] == 0
