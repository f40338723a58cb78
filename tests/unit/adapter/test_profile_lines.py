"""The lines of a profile, and what is wrong with others."""

from collections.abc import Callable

import pytest

from bootstrap.adapter.profile_lines import WireCommand, WirePresence, WireQuestion, WireTime, WireValue
from bootstrap.needs import TextSetting

PLACES = {"{base}": "zigbee2mqtt", "{address}": "living room/lamp", "{channel}": "_l2"}
WRONG: list[tuple[Callable[[str], TextSetting], str, str]] = [
    (WireValue, "open", "write NAME = TOPIC: PATH"),
    (WireValue, "on = {node}/x: value true|false", r"\{node\} stands for nothing"),
    (WireValue, "flow = a/b: value", "the form of"),
    (WireValue, "time = a/b: value °C", "'time' cannot be the name of a measure"),
    (WireValue, "power = a/b: value..x W", "a path is names and numbers"),
    (WirePresence, "state online=true|offline=false", "write TOPIC: PATH"),
    (WirePresence, "{base}/state: state online|offline", "each word stands for true or false"),
    (WireTime, "lastActive", "write TOPIC: PATH"),
    (WireQuestion, "update", "write TOPIC: PAYLOAD"),
    (WireCommand, "set = a/b: on=1|off=0", "write ACTION MEASURE = TOPIC:"),
    (WireCommand, "set on = a/b: on=1|=0", "words such as 0=off|1=on"),
    (WireCommand, "read on = a/b: on=1|off=0", "'read' cannot be the name of an action"),
    (WireCommand, 'set on = a/b: on=1|off=0 as {"state": 1}', "must have {} in the place of the value"),
]


@pytest.mark.parametrize(("kind", "text", "why"), WRONG, ids=lambda one: getattr(one, "__name__", str(one)))
def test_a_line_that_means_nothing_is_refused(kind: Callable[[str], TextSetting], text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why.replace("{}", r"\{\}")):
        kind(text)


def test_a_value_has_a_name_a_topic_and_a_place() -> None:
    line = WireValue("on = {base}/{address}: state{channel} ON=true|OFF=false")
    assert (line.name, line.topic) == ("on", "{base}/{address}")
    assert line.at(PLACES).value({"state_l2": "ON"}) is True
    assert WireValue("temperature = temperature °C").topic == ""
    assert (
        WireValue('power = tele/x: ENERGY."Total W".1 0.001 W').at(PLACES).value({"ENERGY": {"Total W": [0, 7]}})
        == 0.007
    )


def test_devices_of_one_make_share_their_places() -> None:
    line = WireValue("battery = {base}/{address}: battery %")
    assert line.at(PLACES) is line.at({**PLACES, "{address}": "hall"})


def test_a_command_has_words_and_a_payload() -> None:
    line = WireCommand('set on = {base}/{address}/set: on=ON|off=OFF as {"state{channel}": "{}"}')
    assert (line.action, line.sets, line.topic) == ("set", "on", "{base}/{address}/set")
    assert (line.words, line.payload) == ({"on": "ON", "off": "OFF"}, '{"state{channel}": "{}"}')
    plain = WireCommand("dim brightness = a/b:")
    assert (plain.words, plain.payload) == ({}, "{}")
