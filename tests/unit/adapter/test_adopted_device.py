"""An adopted device by its settings: what it measures, takes, listens to and tells, and what is wrong with others."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from bootstrap.adapter.profile import FOLDER
from bootstrap.config.loader import Configuration, check
from bootstrap.config.toml_file import SettingsError
from bootstrap.device import Measure
from bootstrap.needs import Listened, Told, needs_of
from bootstrap.package_data import folder
from penates.broker.broker_plan import BrokerUsers

MINE = """
what = "Sprinklers of my own"
silent_s = 60
values = ["flow = {address}/state: flow 0.1 L/min 0..50", "level = {address}/state: level % 0..100"]
tells = ["water level = {address}/do: as {\\"to\\": {}}"]
"""


@pytest.fixture
def house(tmp_path: Path) -> Path:
    (tmp_path / "devices").mkdir()
    (tmp_path / FOLDER).mkdir()
    (tmp_path / "house.toml").write_text('group = "cm"\n')
    return tmp_path


def adapter(house: Path, **sections: str) -> None:
    text = "".join(f"[sensors.{name}]\n{body}\n" for name, body in sections.items())
    (house / "devices" / "adapter.toml").write_text(f'kind = "adapter"\n{text}')


def device(house: Path, text: str) -> Any:
    adapter(house, one=text)
    return check(house)[0].carried["one"].device


def faults(house: Path, text: str) -> str:
    adapter(house, one=text)
    with pytest.raises(SettingsError) as error:
        check(house)
    return str(error.value)


def test_it_has_what_its_section_lists_and_what_that_adds(house: Path) -> None:
    more = 'only = ["on"]\nvalues = ["status = {base}/{address}/door: value 22=open|23=closed"]'
    found = device(house, f'profile = "zwave-js-ui"\naddress = "nodeID_2"\n{more}')
    assert found.measures == {"on": Measure(bool), "status": Measure(str, words=("open", "closed"))}
    assert found.commands["set"].words == ("on", "off")
    assert found.commands["set"].sets == "on"
    assert found.period_s == 60_000


def test_a_device_without_the_measure_lacks_the_command(house: Path) -> None:
    found = device(house, 'profile = "zwave-js-ui"\naddress = "nodeID_3"\nonly = ["open"]')
    assert sorted(found.commands) == ["log", "read"]


def test_a_profile_beside_house_toml_comes_first(house: Path) -> None:
    (house / FOLDER / "tasmota.toml").write_text(MINE)
    found = device(house, 'profile = "tasmota"\naddress = "garden"')
    assert found.measures["flow"] == Measure("L/min", low=0, high=50)
    command = found.topics.commands["water"]
    assert (command.takes.low, command.takes.high, command.takes.unit) == (0, 100, "%")
    assert (command.topic, command.told(40.0), command.payload) == ("garden/do", "40", '{"to": {}}')


def test_a_profile_that_has_changed_is_another_one(house: Path) -> None:
    (house / FOLDER / "mine.toml").write_text(MINE)
    before = device(house, 'profile = "mine"\naddress = "garden"')
    assert device(house, 'profile = "mine"\naddress = "garden"') == before
    (house / FOLDER / "mine.toml").write_text(MINE.replace("silent_s = 60", "silent_s = 600"))
    assert device(house, 'profile = "mine"\naddress = "garden"') != before


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('profile = "zwave"\naddress = "x"', "adapter.toml:3: 'profile' must be the name of a profile, did you"),
        ('profile = "../house"\naddress = "x"', "'profile' must be the name of a profile, choose from esphome"),
        ('profile = "tasmota"', "devices/adapter.toml:2: 'address' is missing"),
        ('profile = "tasmota"\naddress = "+"', "adapter.toml:4: 'address' must be a part of topics without + and #"),
        ('profile = "tasmota"\naddress = "x"\nonly = ["open"]', "'only' has 'open'; the profile has brightness,"),
        ('profile = "tasmota"\naddress = "x"\nvalues = ["on = x"]', "values such as"),
        ('profile = "tasmota"\naddress = "x"\ntells = ["set on = x/y: on=1|off=0"]', "tells the device '1', but 'on'"),
        ('profile = "tasmota"\naddress = "x"\ntells = ["set on = x/+: on=ON|off=OFF"]', "must be an MQTT topic"),
        ('profile = "tasmota"\naddress = "x"\ntells = ["set on = y: on=ON", "set on = z: on=ON"]', "two ways to 'set'"),
        ('profile = "tasmota"\naddress = "x"\ntells = ["set power = x/y:"]', "'set' takes a number: 'power' needs"),
        ('profile = "tasmota"\naddress = "x"\nvalues = ["a = #: a W"]', "a filter that names a level"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_place(house: Path, text: str, why: str) -> None:
    assert why in faults(house, text)


def test_what_is_wrong_with_a_profile_is_said_with_its_line(house: Path) -> None:
    (house / FOLDER / "mine.toml").write_text(MINE.replace("silent_s", "silent"))
    found = faults(house, 'profile = "mine"\naddress = "garden"')
    assert "mine.toml:3: no setting 'silent'; did you mean 'silent_s'?" in found


def test_a_device_is_adopted_once(house: Path) -> None:
    text = 'profile = "tasmota"\naddress = "x"'
    adapter(house, one=text, other=text)
    configuration = Configuration(house)
    configuration.all()
    assert "is already adopted as 'one'" in str(configuration.faults)


def test_the_broker_lets_it_read_and_write_its_topics_and_no_others(house: Path) -> None:
    adapter(house, plug='profile = "tasmota"\naddress = "plug1"\nonly = ["on"]')
    rules = BrokerUsers.of(house).sensors["adapter"]
    assert rules.listened == ["tele/plug1/LWT", "stat/plug1/RESULT", "tele/plug1/STATE", "stat/plug1/POWER"]
    assert rules.told == ["cmnd/plug1/POWER", "cmnd/plug1/TelePeriod"]
    assert rules.carried == ["cm/plug"]


def test_it_declares_each_topic_once(house: Path) -> None:
    found = device(house, 'profile = "zwave-js-ui"\naddress = "nodeID_2"\nonly = ["on", "power"]')
    needs = [need for _, need in needs_of(found)]
    heard = [need.filter for need in needs if isinstance(need, Listened)]
    assert heard == [
        "zwave/driver/status",
        "zwave/_CLIENTS/+/status",
        "zwave/nodeID_2/status",
        "zwave/nodeID_2/lastActive",
        "zwave/nodeID_2/switch_binary/endpoint_0/currentValue",
        "zwave/nodeID_2/meter/endpoint_0/value/66049",
        "zwave/nodeID_2/sensor_multilevel/endpoint_0/Power",
        "zwave/+/status",
        "zwave/+/+/status",
    ]
    assert [one.topic for one in needs if isinstance(one, Told)] == [
        "zwave/nodeID_2/switch_binary/endpoint_0/targetValue/set"
    ]


def test_ours_may_be_copied_and_changed(house: Path) -> None:
    shutil.copy(folder("config") / FOLDER / "zigbee2mqtt.toml", house / FOLDER / "mine.toml")
    assert "action" in device(house, 'profile = "mine"\naddress = "x"').measures
