"""The file of a gateway: its own settings, and a section for each sensor that it carries."""

import pytest

from bootstrap.config.loader import check, load
from bootstrap.config.toml_file import SettingsError
from support.radio import RadioSensor, radio
from support.world import House

HOUSE = 'group = "cm"\n'


def faults(house: House, **devices: str) -> list[str]:
    (house.folder / "house.toml").write_text(HOUSE)
    for name, text in devices.items():
        house.device(name, text)
    with pytest.raises(SettingsError) as raised:
        check(house.folder)
    return [str(fault) for fault in raised.value.faults]


def test_each_section_is_a_sensor(house: House) -> None:
    (house.folder / "house.toml").write_text(HOUSE)
    house.device("radio", radio(2, 'group = "ook"') + "\n[sensors.s2.temperature]\nhigh = 30\n")
    (gateway,) = check(house.folder)
    assert [one.topics.client_id for one in gateway.all_carried] == ["ook/radio", "ook/s1", "ook/s2"]
    first, second = gateway.carried["s1"], gateway.carried["s2"]
    assert isinstance(first.device, RadioSensor)
    assert (first.device.id, first.section, first.broker_user) == (1, "sensors.s1", "radio")
    assert gateway.broker_user == "radio"
    assert [one.device.measures["temperature"].high for one in (first, second)] == [70, 30]


def test_measures_that_come_from_the_settings_have_limits_too(house: House) -> None:
    (house.folder / "house.toml").write_text(HOUSE)

    def sensor(text: str) -> RadioSensor:
        house.device("radio", radio(1, "") + 'unit = "m"\n' + text)
        device = check(house.folder)[0].carried["s1"].device
        assert isinstance(device, RadioSensor)
        return device

    plain, limited = sensor(""), sensor("[sensors.s1.level]\nlow = 0\nhigh = 2\n")
    assert {name: one.unit for name, one in plain.measures.items()} == {"temperature": "°C", "level": "m"}
    assert (limited.measures["level"].low, limited.measures["level"].high) == (0, 2)
    assert plain != limited == sensor("[sensors.s1]\nlevel = {low = 0, high = 2}\n".replace("[sensors.s1]\n", ""))
    assert plain == sensor("")


@pytest.mark.parametrize(
    ("section", "fault"),
    [
        ("[sensors.s2]\nidd = 2\n", "9: no setting 'idd'; did you mean 'id'?"),
        ("[sensors.s2]\n", "8: 'id' is missing"),
        ('[sensors.s2]\nid = "2"\n', "9: 'id' must be a whole number, not \"2\""),
        ("[sensors.s2]\nid = 1\n", "9: model 'AlectoV1', id 1 is already adopted as 's1'"),
        ("[sensors.s2]\nid = 2\nevery_s = 0\n", "10: 'every_s' must be at least 0.01, not 0"),
        ("[sensors.s2]\nid = 2\n[sensors.s2.level]\n", "10: no measure 'level'; choose from temperature"),
        ("[sensors.s2]\nid = 2\n[sensors.s2.temperature]\nlow = 71\n", "11: 'low' of 'temperature' must be below"),
        ("[sensors.admin]\nid = 2\n", "8: the sensor id 'admin' is reserved; choose another name"),
        ('[sensors."a b"]\nid = 2\n', "8: a sensor's name must be 1 to 64 ASCII letters, digits, '-' or '_', not"),
        ("[sensors]\ns2 = 5\n", "9: 'sensors.s2' must be a section, [sensors.s2]"),
        ("[sensors.radio]\nid = 2\n", "8: cm/radio is already defined in devices/radio.toml; rename the section"),
        ('[sensors.s2]\nid = 2\nair = "x"\n', "10: no setting 'air' in [sensors.s2]; move the line above"),
    ],
)
def test_a_fault_in_a_section_costs_that_sensor_alone(house: House, section: str, fault: str) -> None:
    found = faults(house, radio=radio(1) + section)
    assert len(found) == 1
    assert found[0].startswith(f"devices/radio.toml:{fault}")
    settings = load(house.folder, "radio")
    assert "s1" in settings.carried


def test_faults_of_the_gateway_and_of_its_sections_are_told_at_once(house: House) -> None:
    found = faults(house, radio=radio(1, "babble_s = 'x'") + "[sensors.s2]\n")
    assert [one.partition(": ")[2] for one in found] == ["'babble_s' must be a number, not \"x\"", "'id' is missing"]
    with pytest.raises(SettingsError):
        load(house.folder, "radio")


def test_two_gateways_cannot_claim_one_sensor(house: House) -> None:
    second = radio(0) + "[sensors.s1]\nid = 5\n[sensors.s7]\nid = 1\n[sensors.s8]\nid = 8\n"
    assert faults(house, radio=radio(1), wireless=second, s8='kind = "door"\npin = 4\n') == [
        "devices/wireless.toml:5: cm/s1 is already defined in [sensors.s1] of devices/radio.toml; rename the section",
        "devices/wireless.toml:8: model 'AlectoV1', id 1 is already adopted as cm/s1 in devices/radio.toml",
        "devices/wireless.toml:9: cm/s8 is already defined in devices/s8.toml; rename the section",
    ]


def test_sections_must_be_sections(house: House) -> None:
    assert faults(house, radio=radio(0, "sensors = 5")) == [
        "devices/radio.toml:4: 'sensors' must be sections, such as [sensors.NAME]"
    ]


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        ("", "kind '{}.Mine' does not say what it carries: set adopts = … to a subclass of Adopted"),
        ("    adopts = Bare\n", "kind '{}.Mine': put @dataclass(kw_only=True) above the class Bare"),
    ],
)
def test_a_gateway_of_ones_own_that_cannot_work(house: House, lines: str, fault: str) -> None:
    head = "from dataclasses import dataclass\nfrom bootstrap.device import Measure\n"
    head += "from bootstrap.gateway import Adopted, Gateway\nclass Bare(Adopted):\n    level = Measure('m')\n"
    own = f"@dataclass(kw_only=True)\nclass Mine(Gateway):\n{lines}    heard = Measure('1')\n    def read(self): ...\n"
    module = f"gateway_{len(lines)}"  # a name that Python has not imported yet
    (house.folder / f"{module}.py").write_text(head + own)
    assert faults(house, mine=f'kind = "{module}.Mine"\n') == [f"devices/mine.toml:1: {fault.format(module)}"]


def test_a_sensor_of_a_gateway_is_no_kind(house: House) -> None:
    why = "is a sensor that a gateway carries; set the gateway's class as the kind"
    found = faults(house, one='kind = "support.radio.RadioSensor"\nid = 1\n')
    assert found == [f"devices/one.toml:1: kind 'support.radio.RadioSensor' {why}"]
