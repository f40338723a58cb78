"""Profiles recognise the devices of other makes by what they say, and no other topics."""

import json
import time
from collections.abc import Iterable
from pathlib import Path

import pytest

from bootstrap.contract.payload import encode
from penates.fleet.announced_devices import PROFILE
from penates.fleet.recognised_devices import AdoptedAs, RecognisedDevices, shapes
from support.recorded import HOUSE, RecordedDevice, dated, recorded

DEVICES = [one for one in recorded() if one.profile != PROFILE]
DOOR = "zwave/nodeID_3/notification/endpoint_0/Access_Control/Door_state_simple"
SWITCH = "zwave/nodeID_2/switch_binary/endpoint_{}/currentValue"


def heard(
    messages: Iterable[tuple[str, bytes | str]], *adopted: AdoptedAs, base: str | None = None
) -> RecognisedDevices:
    """What is recognised of these messages."""
    found = RecognisedDevices(shapes(HOUSE, base), adopted)
    for topic, payload in messages:
        found.hear(topic, payload if isinstance(payload, bytes) else payload.encode())
    return found


def said(*devices: RecordedDevice) -> list[tuple[str, bytes]]:
    return [(one.topic, dated(one.payload, time.time())) for device in devices for one in device.messages]


def named(found: RecognisedDevices) -> dict[tuple[str, str, str], list[str]]:
    return {(one.profile, one.address, one.channel): sorted(one.values) for one in found.devices()}


@pytest.mark.parametrize("device", DEVICES, ids=lambda one: one.name)
def test_a_recorded_device_is_recognised_by_its_profile_and_no_other(device: RecordedDevice) -> None:
    found = named(heard(said(device), base=device.settings.get("base")))
    made, known = (
        device.made(),
        {name for one in device.messages for name in {**(one.reading or {}), **(one.state or {})}},
    )
    own = {one.name for one in made.values or ()}
    assert {profile for profile, _, _ in found} == {device.profile}
    assert {address for _, address, _ in found} == {made.address}
    channel = made.channel if made.channel is not None else made.profile.profile.channel
    part = {*found[device.profile, made.address, channel], *found.get((device.profile, made.address, ""), [])}
    assert known - own <= part  # what belongs to no part is offered without one


def test_of_all_devices_together_each_is_offered_once() -> None:
    found = named(heard(said(*DEVICES)))
    assert {(one.profile, one.settings["address"]) for one in DEVICES} == {
        (profile, address) for profile, address, _ in found
    }
    assert found["zwave-js-ui", "nodeID_2", "endpoint_0"] == ["energy", "on", "power"]
    assert found["tasmota", "garage", "2"] == ["on"]
    assert found["zigbee2mqtt", "strip", "_l2"] == ["on"]


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("zigbee2mqtt/lamp/set", '{"state":"ON"}'),  # a command
        ("zigbee2mqtt/lamp", '{"state":null,"power":"unavailable"}'),
        ("zigbee2mqtt/lamp", '{"state":"ON"'),
        ("zigbee2mqtt/lamp", '{"power":1e999}'),
        ("zigbee2mqtt/lamp", b"\xff\xfe"),
        ("zigbee2mqtt/lamp", "[" * 50_000),
        ("zigbee2mqtt/bridge/state", '{"state":"online"}'),
        ("zigbee2mqtt/lamp/availability", '{"state":"online"}'),
        ("zigbee2mqtt/lamp", '{"battery":101}'),  # out of its range
        ("zigbee2mqtt/lamp", '{"power_on_behavior":"previous","power_factor":0.9}'),
        ("zigbee2mqtt/cellar/data/reading", '{"temperature":21}'),  # a sensor of ours
        ("z-wave/plug/data/power", '{"power":5}'),
        ("zwave/nodeID_3/notification/endpoint_0/Access_Control/Other", '{"value":22}'),
        ("tele/x/y", '{"POWER":"ON"}'),
    ],
)
def test_what_is_no_device_is_not_offered(topic: str, payload: bytes | str) -> None:
    assert named(heard([(topic, payload)])) == {}


def test_what_is_adopted_is_not_offered_but_its_other_parts_are() -> None:
    key = {"profile": "zwave-js-ui", "base": "zwave", "address": "nodeID_2", "channel": "endpoint_0"}
    about = json.dumps({"kind": "adapter", "adopts": {**key, "topics": [SWITCH.format(0)]}})
    messages = [(SWITCH.format(number), '{"value":true}') for number in (0, 1)]
    rest = {("zwave-js-ui", "nodeID_2", "endpoint_1"): ["on"]}
    assert named(heard(messages, AdoptedAs(key, ()))) == rest
    assert named(heard([*messages, ("far/plug/status/about", about)])) == rest
    assert (
        named(heard([*messages, ("far/plug/status/about", '{"adopts": 7}'), ("a/b/status/about", "x")])).keys()
        > rest.keys()
    )


def test_what_another_profile_has_adopted_is_not_offered() -> None:
    other = AdoptedAs({"profile": "mine", "address": "door"}, ("zwave/nodeID_3/notification/#",))
    assert named(heard([(DOOR, '{"value":22}')], other)) == {}
    there = AdoptedAs({"profile": "mine", "address": "00158D0004B2C7E1"}, ())
    assert named(heard([("zigbee2mqtt/0x00158d0004b2c7e1", '{"contact":true}')], there)) == {}


def test_what_two_profiles_recognise_is_offered_by_the_one_that_knows_more(tmp_path: Path) -> None:
    folder = tmp_path / "profiles"
    folder.mkdir()
    (folder / "any.toml").write_text(
        'what = "any"\nsilent_s = 9\nvalues = ["on = zigbee2mqtt/{address}: state ON=true|OFF=false"]\n'
    )
    (folder / "faulty.toml").write_text("what = 7\n")
    (folder / "vague.toml").write_text(
        'what = "no"\nsilent_s = 9\nvalues = ["on = {address}/{channel}: . true|false"]\n'
    )
    found = RecognisedDevices(shapes(tmp_path, None))
    found.hear("zigbee2mqtt/lamp", b'{"state":"ON","power":5}')
    found.hear("a/b", b"true")
    assert named(found) == {("zigbee2mqtt", "lamp", ""): ["on", "power"]}


def test_a_device_that_is_only_there_is_named_without_a_number() -> None:
    found = heard([("tele/plug/LWT", "Online"), ("tele/lamp/LWT", "Online"), ("tele/lamp/STATE", '{"POWER":"ON"}')])
    assert found.only_there() == [("plug", "tasmota")]
    assert named(found) == {("tasmota", "lamp", ""): ["on"]}


def test_what_is_kept_in_mind_is_bounded() -> None:
    found = heard((f"zigbee2mqtt/lamp {number}", encode({"state": "ON"})) for number in range(2000))
    assert (len(found.devices()), found.is_full) == (500, True)
