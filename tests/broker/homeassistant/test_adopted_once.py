"""A device that its own program announces is in the real Home Assistant once, by that program or by us, and works."""

import json
import signal

from penates.commands import doctor
from penates.doctor.findings import Verdict
from support.assistant import Start
from support.world import Broker, Eyes, House

ADDRESS = "0x00124b0022e1a3f4"
OWN = f"homeassistant/switch/{ADDRESS}/switch/config"
OURS = "homeassistant/device/cm-kettle/config"
TOPIC = "zigbee2mqtt/kitchen/kettle"
ANNOUNCED = {  # as Zigbee2MQTT does
    "availability": [{"topic": "zigbee2mqtt/bridge/state", "value_template": "{{ value_json.state }}"}],
    "command_topic": f"{TOPIC}/set",
    "device": {"identifiers": [f"zigbee2mqtt_{ADDRESS}"], "name": "kettle"},
    "name": None,
    "origin": {"name": "Zigbee2MQTT"},
    "payload_off": "OFF",
    "payload_on": "ON",
    "state_topic": TOPIC,
    "unique_id": f"{ADDRESS}_switch_zigbee2mqtt",
    "value_template": "{{ value_json.state }}",
}
SILENT = "homeassistant = { enabled = false }\n"


def obey(eyes: Eyes) -> None:
    """Do as the plug is told, by Home Assistant or by us."""
    said = eyes.on(f"{TOPIC}/set")[-1].payload
    word = json.loads(said)["state"] if said.startswith(b"{") else said.decode()
    eyes.pour(TOPIC, [json.dumps({"state": word})])


def test_a_plug_appears_once_and_works_by_either_announcement(
    house: House, broker: Broker, eyes: Eyes, start_assistant: Start
) -> None:
    house.write(broker.port, top="heartbeat_s = 0.5")
    eyes.retain_all([(OWN, json.dumps(ANNOUNCED)), (TOPIC, '{"state":"OFF"}')])
    eyes.retain_all([("zigbee2mqtt/bridge/state", '{"state":"online"}')])
    eyes.listen(f"{TOPIC}/set", lambda _: obey(eyes))
    assert "in Home Assistant already, by their own announcement: 1" in house.penates("adopt", "--wait", "1").stdout
    assert "It announces itself to Home Assistant, so we do not" in house.penates("adopt", "1", "as", "kettle").stdout
    file = house.folder / "devices" / "adapter.toml"
    text = file.read_text()
    assert SILENT in text
    running = house.run("adapter")
    eyes.wait_value("cm/kettle/data/on", False)

    assistant = start_assistant(broker)
    theirs = f"{ADDRESS}_switch_zigbee2mqtt"
    shown = assistant.wait(theirs, "off")
    eyes.publish(TOPIC, "", retain=True)  # as it is with Zigbee2MQTT, which retains nothing unless asked to
    assistant.ask("call", service="switch.turn_on", entity=shown["id"])
    assistant.wait(theirs, "on")
    eyes.wait_value("cm/kettle/data/on", True)
    assert [one for one in assistant.ask("entities") if "cm/kettle" in one] == []
    assert twice(house) == {}

    file.write_text(text.replace(SILENT, ""))
    running.send(signal.SIGHUP)
    assistant.wait("cm/kettle/action_set", "on")
    assert "Home Assistant shows cm/kettle twice: its own program announces it as 'kettle', too" in twice(house)
    eyes.publish(OWN, "", retain=True)
    shown = assistant.wait(theirs, None) or assistant.wait("cm/kettle/action_set", "on")
    assistant.ask("call", service="switch.turn_off", entity=shown["id"])
    assistant.wait("cm/kettle/action_set", "off")
    assert twice(house) == {}

    file.write_text(text)
    running.send(signal.SIGHUP)
    eyes.wait(lambda _: eyes.on(OURS)[-1].payload == b"", "ours is removed")
    assistant.wait("cm/kettle/action_set", None)


def twice(house: House) -> dict[str, str]:
    """What the doctor finds of devices that are announced twice, with its advice."""
    (report,) = (one for one in doctor.examine(house.folder, []) if one.about == doctor.HOUSE)
    found = [one for one in report.found if one.check == "announced once"]
    assert found
    return {one.text: one.advice for one in found if one.verdict is Verdict.BAD}
