"""All recorded messages of all makes, through a real broker and an adapter, among the topics of others."""

import json
import time
from collections.abc import Mapping
from functools import partial
from typing import Any

from bootstrap.adapter.adopted_device import UNREACHABLE
from penates.files.toml_edit import toml, with_section
from support.recorded import RecordedDevice, RecordedMessage, dated, recorded
from support.world import Broker, Eyes, House, eventually

FACTS = ("time", "run", "seq", "clock", "boot")
OTHERS = 1000
ELSEWHERE = "zwave-js-ui"  # its own messages come in test_adopted_device.py


def test_each_recorded_device_has_its_states_and_readings_and_no_others(
    house: House, broker: Broker, eyes: Eyes
) -> None:
    every = (one for one in recorded() if not one.profile.startswith(ELSEWHERE))
    devices = {f"d{number}": one for number, one in enumerate(every)}
    now = time.time() - 20
    others = [(f"zigbee2mqtt/other {number}", '{"temperature":1,"state":"ON"}') for number in range(OTHERS)]
    eyes.retain_all(others)
    eyes.retain_all(
        [(one.topic, dated(one.payload, now).decode()) for each in devices.values() for one in stored(each)]
    )
    house.write(broker.port, top="heartbeat_s = 0.5")
    text = 'kind = "adapter"\n'
    for name, one in devices.items():
        lines = {setting: toml(value) for setting, value in {"profile": one.profile, **one.settings}.items()}
        text = with_section(text, f"sensors.{name}", lines)
    house.device("adapter", text)
    running = house.run("adapter")
    eyes.wait_online("adapter", *devices)
    heard = {f"{topic} (QoS 1)" for one in devices.values() for topic in one.made().topics.values}
    eventually(lambda: all(one in broker.log() for one in heard), "all are listened to")
    for one in devices.values():
        for message in one.messages:
            if not message.retained:  # else it would have come after a new connection alone
                eyes.publish(message.topic, dated(message.payload, now))
    for name, one in devices.items():
        wanted = changes(one, [{**message.reading} for message in one.messages if message.reading])
        eyes.wait(partial(has_as_many, eyes, name, one, len(wanted)), f"{one.name} has {wanted}")
        assert changes(one, readings(eyes, name)) == wanted, one.name
        for measure, value in last(one).items():
            eyes.wait(partial(says, eyes, f"cm/{name}/data/{measure}", value), f"{one.name} says {measure} {value}")
    assert running.process.poll() is None
    assert not any(
        UNREACHABLE in json.dumps(seen.value) for name in devices for seen in eyes.on(f"cm/{name}/status/health")
    )


def stored(device: RecordedDevice) -> list[RecordedMessage]:
    """The messages that the broker had stored before the device said anything new."""
    first = next((number for number, one in enumerate(device.messages) if one.reading), 0)
    return [one for one in device.messages[:first] if one.retained]


def has_as_many(eyes: Eyes, name: str, device: RecordedDevice, count: int, _: object) -> bool:
    return len(changes(device, readings(eyes, name))) >= count


def changes(device: RecordedDevice, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Readings without what a device has said anew: that is one after two seconds, and a copy before."""
    first = next((number for number, one in enumerate(device.messages) if one.reading), 0)
    known = dict[str, Any]()
    for one in device.messages[:first]:
        known |= {**(one.state or {})}
    measures, found = device.made().measures, list[dict[str, Any]]()
    for row in rows:
        found.append({name: one for name, one in row.items() if measures[name].event or known.get(name) != one})
        known |= row
    return [one for one in found if one]


def says(eyes: Eyes, topic: str, value: object, _: object) -> bool:
    """Whether this is the newest value on a topic."""
    said = eyes.on(topic)
    return bool(said) and said[-1].value == value


def readings(eyes: Eyes, name: str) -> list[dict[str, Any]]:
    """Those of a sensor, without what each has."""
    every = (one.value for one in eyes.on(f"cm/{name}/data/reading"))
    return [{measure: value for measure, value in one.items() if measure not in FACTS} for one in every]


def last(device: RecordedDevice) -> Mapping[str, Any]:
    """The last state of each measure that is no event."""
    found = dict[str, Any]()
    for one in device.messages:
        found |= {**(one.reading or {}), **(one.state or {})}
    measures = device.made().measures
    return {name: value for name, value in found.items() if not measures[name].event}
