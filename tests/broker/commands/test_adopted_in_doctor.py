"""What `penates doctor` says of devices that an adapter has adopted, by what their own programs have stored."""

import json
from typing import Any

import pytest

from penates.commands import doctor
from penates.doctor.findings import Verdict
from support.recorded import EXPOSED
from support.world import Broker, Eyes, House

SECTION = '[sensors.{}]\nprofile = "zigbee2mqtt"\naddress = "{}"\nonly = ["temperature"]\n'
BASE = "zigbee2mqtt/bridge"
OFF = {"availability": {"enabled": False, "active": {"timeout": 10}}, "advanced": {"last_seen": "disable"}}
ON = {"availability": {"enabled": True}, "advanced": {"last_seen": "ISO_8601"}}


@pytest.fixture
def home(house: House, broker: Broker, eyes: Eyes) -> House:
    """A house that has adopted two devices, of which one has another name now."""
    house.write(broker.port)
    house.device(
        "zigbee", 'kind = "adapter"\n' + SECTION.format("cellar", "cellar") + SECTION.format("bath", "old bath")
    )
    eyes.retain_all([(f"{BASE}/devices", EXPOSED.read_text())])
    return house


def found(house: House) -> list[tuple[Verdict, str]]:
    (report,) = (one for one in doctor.examine(house.folder, []) if one.about == doctor.HOUSE)
    return [(one.verdict, one.text) for one in report.found if one.check == "zigbee2mqtt"]


@pytest.mark.parametrize(
    ("config", "verdict", "texts"),
    [
        (OFF, Verdict.UNKNOWN, ["has its `availability` off", "has its `last_seen` off"]),
        ({}, Verdict.UNKNOWN, ["has its `availability` off", "has its `last_seen` off"]),
        ({**ON, "advanced": {}}, Verdict.UNKNOWN, ["has its `last_seen` off"]),
        ({**ON, "availability": True}, Verdict.GOOD, ["says whether devices are there"]),
    ],
)
def test_what_zigbee2mqtt_does_not_say_as_it_comes(
    home: House, eyes: Eyes, config: dict[str, Any], verdict: Verdict, texts: list[str]
) -> None:
    eyes.retain_all([(f"{BASE}/info", json.dumps({"version": "2.14.1", "config": config}))])
    renamed, *rest = found(home)
    assert renamed[0] is Verdict.BAD
    assert "it has no device 'old bath', which is cm/bath: was it renamed, or paired anew?" in renamed[1]
    assert [one for one, _ in rest] == [verdict] * len(texts)
    assert all(text in said for text, (_, said) in zip(texts, rest, strict=True))


def test_without_what_it_stores_nothing_is_known(home: House, eyes: Eyes) -> None:
    eyes.retain_all([(f"{BASE}/info", "[" * 9000)])
    assert found(home) == [(Verdict.UNKNOWN, f"nothing is stored on {BASE}/devices and {BASE}/info")]
