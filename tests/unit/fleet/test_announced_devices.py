"""What devices announce to Home Assistant becomes lines of an adapter, or is named as not understood."""

import json
from typing import Any

import pytest

from bootstrap.adapter.adopted_device import AdoptedDevice
from bootstrap.config.gateway_file import ANNOUNCEMENT
from bootstrap.config.toml_file import TomlFile
from penates.fleet.announced_entity import path_of
from penates.fleet.recognised_devices import AdoptedAs, RecognisedDevice, RecognisedDevices, shapes
from support.recorded import HOUSE

LAMP = {"identifiers": ["zigbee2mqtt_0x00124b0022e1a3f4"], "name": "lamp", "model": "TS011F"}
WHERE = "homeassistant/{}/0x00124b0022e1a3f4/{}/config"
SWITCH = {
    "availability": [
        {"topic": "zb/bridge/state", "value_template": "{{ value_json.state }}"},
        {"topic": "zb/lamp/availability", "value_template": "{{ value_json.state }}"},
    ],
    "availability_mode": "all",
    "command_topic": "zb/lamp/set",
    "device": LAMP,
    "name": None,
    "object_id": "lamp",
    "payload_off": "OFF",
    "payload_on": "ON",
    "state_topic": "zb/lamp",
    "value_template": "{{ value_json.state }}",
}
POWER = {
    "device": LAMP,
    "device_class": "power",
    "object_id": "lamp_power",
    "state_class": "measurement",
    "state_topic": "zb/lamp",
    "unit_of_measurement": "W",
    "value_template": "{{ value_json.power | float | round(1) }}",
}
WARMTH = {"p": "sensor", "dev_cla": "temperature", "unit_of_meas": "°C", "stat_t": "~/air"}
DEVICE = {
    "~": "wx/7",
    "dev": {"ids": "wx7", "name": "weather"},
    "o": {"name": "wx"},
    "avty": [{"t": "~/up", "pl_avail": "1", "pl_not_avail": "0"}],
    "cmps": {
        "t": {**WARMTH, "val_tpl": "{{ value_json.temps[0] }}", "exp_aft": 300},
        "t2": {**WARMTH, "val_tpl": "{{value_json['dew point']}}", "exp_aft": 600},
        "wet": {"p": "binary_sensor", "dev_cla": "moisture", "stat_t": "~/wet", "pl_on": True, "pl_off": False},
        "twice": {"p": "sensor", "unit_of_meas": "lx", "stat_t": "~/air", "val_tpl": "{{ value_json.lux * 2 }}"},
        "fan": {"p": "fan", "stat_t": "~/fan", "cmd_t": "~/fan/set"},
        "gone": {"p": "sensor"},
        "odd": 7,
    },
}


def heard(*messages: tuple[str, Any], adopted: AdoptedAs | None = None) -> RecognisedDevices:
    made = RecognisedDevices(shapes(HOUSE, None), [adopted] if adopted else [])
    for topic, payload in messages:
        made.hear(topic, json.dumps(payload).encode())
    return made


def found(*messages: tuple[str, Any], adopted: AdoptedAs | None = None) -> list[RecognisedDevice]:
    return heard(*messages, adopted=adopted).devices()


def device(of: RecognisedDevice) -> AdoptedDevice:
    """The device that an adapter makes of it."""
    source = TomlFile(HOUSE, "devices/adapter.toml", b"")
    made = source.fill(AdoptedDevice, {name: one for name, one in of.settings.items() if name != ANNOUNCEMENT})
    assert made is not None, source.faults
    return made


def test_entities_of_one_device_become_one_section() -> None:
    (one,) = found((WHERE.format("switch", "switch"), SWITCH), (WHERE.format("sensor", "power"), POWER))
    assert one.settings == {
        "profile": "homeassistant",
        "address": "zigbee2mqtt_0x00124b0022e1a3f4",
        "values": ["on = zb/lamp: state ON=true|OFF=false", "power = zb/lamp: power|round(1) W"],
        "there": [
            "zb/bridge/state: state online=true|offline=false",
            "zb/lamp/availability: state online=true|offline=false",
        ],
        "tells": ["set on = zb/lamp/set: on=ON|off=OFF"],
        "homeassistant": {"enabled": False},
    }
    made = device(one)
    assert (one.unclear, {*made.measures}, {*made.topics.commands}) == ([], {"on", "power"}, {"set"})


def test_a_device_with_components_and_abbreviations_is_understood_as_far_as_it_goes() -> None:
    (one,) = found(("homeassistant/device/wx7/config", DEVICE))
    assert one.lines == {
        "values": [
            "temperature = wx/7/air: temps.0 °C",
            't2 = wx/7/air: "dew point" °C',
            "leak = wx/7/wet: . true=true|false=false",
        ],
        "there": ["wx/7/up: . 1=true|0=false"],
    }
    assert [*one.unclear] == ["twice: template {{ value_json.lux * 2 }}", "fan: a fan", "gone: no state_topic"]
    assert {*device(one).measures} == {"temperature", "t2", "leak"}


@pytest.mark.parametrize(
    ("template", "path"),
    [
        (None, "."),
        ("{{ value }}", "."),
        ("{{ value | float(0) }}", "."),
        ("{{ value_json }}", "."),
        ("{{value_json.a.b_2}}", "a.b_2"),
        ("{{ value_json['a b'][\"c.d\"][3] | int }}", '"a b"."c.d".3|int'),
        ("{{ value_json.a | default('') | round(1) }}", "a|default()|round(1)"),
        ("{{ value_json.a | float(0) | round }}", "a|round"),
        ("{{ value | int(0) | default(5) }}", ".|int"),
        ("{{ value_json.a | is_defined }}", "a"),
    ],
)
def test_a_template_that_is_a_path_is_one(template: str | None, path: str) -> None:
    assert path_of(template) == path


@pytest.mark.parametrize(
    "template",
    [
        "{{ value_json.a * 2 }}",
        "{{ value_json.a }} W",
        "{{ value_json.a | multiply(2) }}",
        "{{ value.a }}",
        "{% if value_json.a %}1{% endif %}",
        "{{ 'ON' if value_json.a else 'OFF' }}",
        "{{ value_json.a | default(value_json.b) | float(value_json['x']) | foo }}",
        "{{ value_json.a.split(',')[0] }}",
        "{{ value_json[a] }}",
        "",
        7,
    ],
)
def test_any_other_template_is_not_understood(template: object) -> None:
    with pytest.raises(ValueError, match="template"):
        path_of(template)


@pytest.mark.parametrize(
    "says",
    [
        {"payload_on": "a|b"},
        {"payload_on": '{"state": "ON"}'},
        {"payload_off": ""},
        {"state_topic": "with space/x"},
        {"state_topic": "all/#"},
        {"state_topic": "{base}/x"},
        {"state_topic": None},
        {"command_topic": 7},
        {"command_template": "{{ value | upper }}"},
        {"command_template": "{% if value %}1{% endif %}"},
        {"command_template": "ON"},
        {"availability": [{"topic": "x", "value_template": "{{ states('sensor.x') }}"}]},
        {"availability": [{"topic": "x", "payload_available": "a b"}]},
    ],
)
def test_what_no_line_can_say_is_not_offered(says: dict[str, Any]) -> None:
    made = heard((WHERE.format("switch", "switch"), {**SWITCH, **says}))
    assert (made.devices(), made.not_understood()) == ([], ["lamp"])


@pytest.mark.parametrize("payload", [7, [], {}, {"dev": 3, "cmps": []}, {"dev": {"ids": []}, "cmps": {"a": {"p": 5}}}])
def test_what_is_no_announcement_is_nothing(payload: object) -> None:
    assert found(("homeassistant/device/x/config", payload), ("homeassistant/sensor/x/config", payload)) == []


def test_our_own_announcements_are_none() -> None:
    ours = ("homeassistant/device/cm-plug/config", {**DEVICE, "o": {"name": "penates"}})
    older = (WHERE.format("switch", "x"), {**SWITCH, "device": {"identifiers": ["penates/cm/plug"]}})
    assert found(ours, older) == []


def test_who_is_recognised_by_a_profile_or_adopted_is_not_offered_by_its_announcement() -> None:
    both = [
        (WHERE.format("switch", "switch"), {**SWITCH, "state_topic": "zigbee2mqtt/lamp"}),
        ("zigbee2mqtt/lamp", {"state": "ON"}),
    ]
    assert [(one.profile, one.address) for one in found(*both)] == [("zigbee2mqtt", "lamp")]
    light = (WHERE.format("light", "light"), {**SWITCH, "state_topic": "zigbee2mqtt/lamp", "schema": "template"})
    assert heard(light).not_understood() == ["lamp"]
    assert heard(light, both[1]).not_understood() == []
    key = {"profile": "zigbee2mqtt", "base": "zigbee2mqtt", "address": "lamp", "channel": ""}
    assert found(*both, adopted=AdoptedAs(key, ("zigbee2mqtt/lamp",))) == []
    (one,) = found((WHERE.format("switch", "switch"), SWITCH))
    assert found((WHERE.format("switch", "switch"), SWITCH), adopted=AdoptedAs(device(one).key, ())) == []


def test_what_two_programs_announce_is_offered_once_by_the_one_that_says_more() -> None:
    air, wet = (
        {**WARMTH, "stat_t": "a/air"},
        {**WARMTH, "dev_cla": "humidity", "unit_of_meas": "%", "stat_t": "a/wet"},
    )
    first = {"dev": {"ids": ["A4C138AABBCC"], "name": "a"}, "o": {"name": "omg"}, "cmps": {"t": air}}
    second = {"dev": {"ids": ["A4C138AABBCC"]}, "o": {"name": "theengs"}, "cmps": {"t": air, "h": wet}}
    third = {"dev": {"ids": ["a4:c1:38:aa:bb:cc"]}, "o": {"name": "esp"}, "cmps": {"h": wet}}
    told = [(f"homeassistant/device/{number}/config", one) for number, one in enumerate((first, second, third))]
    for order in (told, told[::-1]):
        assert [(one.address, sorted(one.values)) for one in found(*order)] == [
            ("A4C138AABBCC", ["humidity", "temperature"])
        ]
        known = AdoptedAs({"profile": "homeassistant", "address": "a4:c1:38:aa:bb:cc"}, ())
        assert found(*order, adopted=known) == []


def test_what_announces_itself_is_not_announced_by_us() -> None:
    said = [("zigbee2mqtt/lamp", {"state": "ON"}), ("tele/heater/STATE", {"POWER": "ON"})]
    assert [one.settings.get(ANNOUNCEMENT) for one in found(*said)] == [None, None]
    announced = (WHERE.format("light", "light"), {**SWITCH, "state_topic": "zigbee2mqtt/lamp", "value_template": "{%"})
    tasmota = {
        "ip": "10.0.0.9",
        "dn": "Heater",
        "t": "heater",
        "ft": "%prefix%/%topic%/",
        "tp": ["cmnd", "stat", "tele"],
    }
    both = found(*said, announced, ("tasmota/discovery/AABBCC/config", tasmota))
    assert [one.own_name for one in both] == ["Heater", "lamp"]
    assert [one.settings[ANNOUNCEMENT] for one in both] == 2 * [{"enabled": False}]
    wrong: list[Any] = [[], {"t": 7}, {"t": "x", "ft": "a", "tp": "b"}]
    odd = [("tasmota/discovery/A/config", one) for one in wrong]
    assert [one.own_name for one in found(*said, *odd)] == ["", ""]


def test_silence_is_as_long_as_the_announcement_says_of_all_values() -> None:
    parts = {"a": {**WARMTH, "exp_aft": 300}, "b": {**WARMTH, "exp_aft": 600}}
    (one,) = found(("homeassistant/device/x/config", {**DEVICE, "cmps": parts}))
    assert one.settings["silent_s"] == 600
    (one,) = found(("homeassistant/device/x/config", {**DEVICE, "cmps": {**parts, "c": WARMTH}}))
    assert "silent_s" not in one.settings


def test_announcements_are_bounded() -> None:
    many = (
        (f"homeassistant/switch/n{number}/config", {**SWITCH, "device": {"ids": f"n{number}"}}) for number in range(700)
    )
    assert len(found(*many)) == 500
    long = {f"s{number}": {"p": "sensor", "stat_t": f"x/{number}", "unit_of_meas": "W"} for number in range(300)}
    (one,) = found(("homeassistant/device/x/config", {**DEVICE, "cmps": long}))
    assert len(one.values) == 64


BASIC = {"stat_t": "l/s", "cmd_t": "l/c", "stat_val_tpl": "{{ value_json.s }}", "bri_stat_t": "l/b", "bri_cmd_t": "l/d"}
ROLLS = {"stat_t": "c/s", "cmd_t": "c/c", "pl_stop": None, "stat_open": "UP", "pl_open": "UP"}


@pytest.mark.parametrize(
    ("says", "values", "tells"),
    [
        ({"p": "light", "schema": "json", "stat_t": "l/s", "cmd_t": "l/c", "brightness": True, "bri_scl": 254},
         ["on = l/s: state ON=true|OFF=false", "brightness = l/s: brightness 100/254 % 0..100"],
         ['set on = l/c: on=ON|off=OFF as {"state": "{}"}',
          'dim brightness = l/c: as {"state": "ON", "brightness": {}}']),
        ({"p": "light", **BASIC, "pl_on": "1", "pl_off": "0"},
         ["on = l/s: s 1=true|0=false", "brightness = l/b: . 100/255 % 0..100"],
         ["set on = l/c: on=1|off=0", "dim brightness = l/d: "]),
        ({"p": "cover", "pos_t": "c/p", "set_pos_t": "c/q", "pos_tpl": "{{ value_json.p | int }}"},
         ["position = c/p: p|int % 0..100"], ["move position = c/q: "]),
        ({"p": "cover", **ROLLS},
         ["state = c/s: . UP=open|CLOSE=closed|closed=closed|opening=opening|closing=closing|stopped=stopped"],
         ["set state = c/c: open=UP|close=CLOSE"]),
        ({"p": "number", "name": "Target", "stat_t": "n/s", "cmd_t": "n/c", "min": 5, "max": 30, "unit_of_meas": "°C",
          "cmd_tpl": '{"target": {{ value }}}'},
         ["target = n/s: . °C 5..30"], ['set_target target = n/c: as {"target": {}}']),
        ({"p": "select", "name": "Mode", "stat_t": "m/s", "cmd_t": "m/c", "options": ["auto", "heat"]},
         ["mode = m/s: . auto=auto|heat=heat"], ["set_mode mode = m/c: auto=auto|heat=heat"]),
        ({"p": "button", "name": "Restart", "cmd_t": "b/c"}, [], ["restart - = b/c: press=PRESS"]),
        ({"p": "event", "name": "Ring", "stat_t": "e/s", "evt_typ": ["single", "double"]},
         ["ring = e/s: event_type event text"], []),
    ],
)  # fmt: skip
def test_each_platform_becomes_values_and_commands(says: dict[str, Any], values: list[str], tells: list[str]) -> None:
    parts = {"it": says, "air": {**WARMTH, "stat_t": "a"}}
    (one,) = found(("homeassistant/device/x/config", {"dev": {"ids": "x"}, "cmps": parts}))
    assert one.lines is not None
    lists = {"values": [*values, "temperature = a: . °C"], "tells": tells}
    assert one.lines == {name: lines for name, lines in lists.items() if lines}
    made = device(one)
    assert ([*one.unclear], len(made.topics.commands)) == ([], len(tells))


@pytest.mark.parametrize(
    ("says", "why"),
    [
        ({"p": "light", "schema": "template", "stat_t": "l"}, "a light of the schema template"),
        ({"p": "light", "schema": "json", "stat_t": "l"}, "no command_topic"),
        ({"p": "cover", "pos_t": "c", "pos_open": 0, "pos_clsd": 100}, "a position that is not from 0 to 100"),
        ({"p": "cover", "pos_t": "c", "set_pos_t": "d", "set_pos_tpl": "{{ 100 - position }}"}, "template {{ 100 -"),
        ({"p": "number", "stat_t": "n", "cmd_t": "m", "min": "x"}, "min 'x'"),
        ({"p": "select", "stat_t": "n", "cmd_t": "m", "options": ["a b"]}, "option 'a b'"),
        ({"p": "select", "stat_t": "n", "cmd_t": "m"}, "no options"),
        ({"p": "event", "stat_t": "n", "val_tpl": "{{ value }}"}, "template {{ value }}"),
        ({"p": "climate", "stat_t": "n"}, "a climate"),
    ],
)
def test_what_a_platform_cannot_say_is_named(says: dict[str, Any], why: str) -> None:
    parts = {"it": {"name": "it", **says}, "air": {**WARMTH, "stat_t": "a"}}
    (one,) = found(("homeassistant/device/x/config", {"dev": {"ids": "x"}, "cmps": parts}))
    assert len(one.unclear) == 1
    assert one.unclear[0].startswith(f"it: {why}")
