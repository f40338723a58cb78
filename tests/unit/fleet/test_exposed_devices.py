"""What Zigbee2MQTT says that its devices expose becomes an adapter's sections, with its names, units and ranges."""

import json
from typing import Any

import pytest

from bootstrap.adapter.adopted_device import AdoptedDevice
from bootstrap.config.toml_file import TomlFile
from penates.fleet.recognised_devices import AdoptedAs, RecognisedDevice, RecognisedDevices, shapes
from support.recorded import EXPOSED, HOUSE

LISTED = "zigbee2mqtt/bridge/devices"
ON = {"type": "binary", "property": "state", "value_on": "ON", "value_off": "OFF", "access": 7}
TRIED: dict[str, tuple[list[str], list[str]]] = {  # by address: the measures with their units, and the commands
    "kitchen/kettle": (
        [
            "child_lock bool",
            "countdown s 0..43200",
            "current A",
            "energy kWh 0..inf",
            "on bool",
            "power W",
            "voltage V",
        ],
        ["set", "set_child_lock", "set_countdown"],
    ),
    "front door": (["battery % 0..100", "open bool"], []),
    "hall": (["battery % 0..100", "light lx 0..250000", "motion bool"], []),
    "cellar": (["battery % 0..100", "humidity % 0..100", "pressure hPa 300..1100", "temperature °C -60..100"], []),
    "washing machine": (["battery % 0..100", "battery_low bool", "leak bool"], []),
    "desk": (["brightness % 0..100", "color_temp mired 250..454", "on bool"], ["dim", "set", "set_color_temp"]),
    "bedside": (["action event", "battery % 0..100"], []),
    "strip": (["on_l1 bool", "on_l2 bool"], ["set_l1", "set_l2"]),
    "bath": (["battery % 0..100", "humidity % 0..100", "temperature °C -60..100"], []),
    "blind": (["battery % 0..100", "position % 0..100"], ["move"]),
}


def heard(payload: object, *more: tuple[str, bytes], adopted: AdoptedAs | None = None) -> RecognisedDevices:
    made = RecognisedDevices(shapes(HOUSE, None), [adopted] if adopted else [])
    made.hear(LISTED, payload if isinstance(payload, bytes) else json.dumps(payload).encode())
    for topic, said in more:
        made.hear(topic, said)
    return made


def device(of: RecognisedDevice) -> AdoptedDevice:
    """The device that an adapter makes of it."""
    source = TomlFile(HOUSE, "devices/adapter.toml", b"")
    made = source.fill(AdoptedDevice, of.settings)
    assert made is not None, source.faults
    return made


def described(of: AdoptedDevice) -> list[str]:
    """Its measures, with what is known of each."""
    found = []
    for name, measure in sorted(of.measures.items()):
        bounds = "" if measure.low == float("-inf") else f" {measure.low:g}..{measure.high:g}"
        found.append(f"{name} {'event' if measure.event else measure.unit_name}{bounds}")
    return found


def one_of(*exposes: dict[str, Any], **more: object) -> list[dict[str, Any]]:
    return [{"friendly_name": "x", "type": "Router", "definition": {"exposes": [*exposes]}, **more}]


def test_ten_devices_are_offered_with_all_that_they_measure_though_nothing_was_said_yet() -> None:
    found = {one.address: one for one in heard(EXPOSED.read_bytes()).devices()}
    made = {address: device(one) for address, one in found.items()}
    commands = {address: sorted(one.topics.commands) for address, one in made.items()}
    assert {address: (described(one), commands[address]) for address, one in made.items()} == TRIED
    assert {address: [*one.unclear] for address, one in found.items() if one.unclear} == {
        "desk": ["level_config: a composite"]
    }
    lamp = made["desk"].topics.commands["dim"]
    assert (lamp.topic, lamp.payload.replace("{}", lamp.told(60))) == ("zigbee2mqtt/desk/set", '{"brightness": 152.4}')


def test_what_was_heard_of_a_listed_device_is_shown_and_it_is_offered_once() -> None:
    said = ("zigbee2mqtt/strip", b'{"state_l1":"ON","state_l2":"OFF"}')
    cellar = ("zigbee2mqtt/cellar", b'{"temperature":12.5,"humidity":null}')
    found = {one.address: one for one in heard(EXPOSED.read_bytes(), said, cellar).devices()}
    assert len(found) == len(TRIED)
    assert found["cellar"].values == {"battery": None, "humidity": None, "pressure": None, "temperature": 12.5}
    for channel in ("", "_l2"):
        key = {"profile": "zigbee2mqtt", "base": "zigbee2mqtt", "address": "strip", "channel": channel}
        rest = heard(EXPOSED.read_bytes(), said, adopted=AdoptedAs(key, ())).devices()
        assert {one.address for one in rest} == {*TRIED} - {"strip"}


@pytest.mark.parametrize(
    ("exposes", "lines", "unclear"),
    [
        ([{"type": "lock", "features": [{**ON, "value_on": "LOCK", "value_off": "UNLOCK"}]}],
         ["locked = state LOCK=true|UNLOCK=false",
          'set_locked locked = {base}/{address}/set: lock=LOCK|unlock=UNLOCK as {"state": "{}"}'], []),
        ([{"type": "enum", "property": "mode", "values": ["auto", "heat"], "access": 7}],
         ["mode = mode auto|heat", 'set_mode mode = {base}/{address}/set: auto=auto|heat=heat as {"mode": "{}"}'], []),
        ([{"type": "binary", "property": "valve", "value_on": True, "value_off": False, "access": 3}],
         ["valve = valve true|false",
          'set_valve valve = {base}/{address}/set: on=true|off=false as {"valve": {}}'], []),
        ([{"type": "numeric", "property": "air quality", "unit": "µg/m³", "access": 1}],
         ['air_quality = "air quality" µg/m³'], []),
        ([{"type": "numeric", "property": "temperature", "unit": "°F", "access": 1}],
         ["temperature = temperature °F"], []),
        ([{"type": "composite", "property": "color", "features": [], "access": 7}], [], ["color: a composite"]),
        ([{"type": "enum", "property": "effect", "values": ["blink"], "access": 2}], [], []),
        ([{"type": "enum", "property": "phase", "values": ["a b"], "access": 1}], [], ["phase: the word 'a b'"]),
        ([{"type": "numeric", "property": "low", "access": "x"}], None, None),
        ([{"type": "numeric", "property": 5}, 7, {"type": None}], None, None),
        ([ON, {**ON}], ["on"], ["state: there are two"]),
    ],
)  # fmt: skip
def test_each_sort_of_what_is_exposed(exposes: list[Any], lines: list[str] | None, unclear: list[str] | None) -> None:
    found = heard(one_of(*exposes)).devices()
    for one in found:
        device(one)
    if lines is not None:
        said = [line for one in found for name in ("values", "tells") for line in one.settings.get(name, [])]
        assert (said or [name for one in found for name in one.values]) == lines
        assert not found or [*found[0].unclear] == unclear


@pytest.mark.parametrize(
    "payload",
    [b"", b"[", b"[" * 9000, b"{}", b"null", [7, {}, {"friendly_name": 7}], one_of(ON, disabled=True),
     one_of(ON, type="Coordinator"), one_of(ON, friendly_name="a/#"), one_of(ON, definition=None),
     one_of(ON, definition={"exposes": 7})],
)  # fmt: skip
def test_what_cannot_be_adopted_is_not_offered(payload: object) -> None:
    assert heard(payload).devices() == []


def test_a_new_list_takes_the_place_of_the_old_one() -> None:
    renamed = (LISTED, json.dumps(one_of(ON, friendly_name="lamp")).encode())
    assert [one.address for one in heard(one_of(ON), renamed).devices()] == ["lamp"]
