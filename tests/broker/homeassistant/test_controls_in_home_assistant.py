"""The real Home Assistant operates what guards and moves something, and books what is metered."""

from pathlib import Path
from typing import Any

from support.assistant import Assistant, Start
from support.paths import QUICK
from support.world import Broker, Eyes, House

CONTROLLED = ("strike", "shutter", "gate", "tap", "blower")


def furnish(house: House, broker: Broker) -> None:
    house.write(broker.port)
    for name in CONTROLLED:
        house.device(name, f'kind = "support.controlled_devices.{name.capitalize()}"\n')


def test_each_is_operated_and_shows_what_it_is(
    house: House, broker: Broker, start_assistant: Start, eyes: Eyes
) -> None:
    furnish(house, broker)
    house.supervise(*CONTROLLED, program=QUICK)
    assistant = start_assistant(broker, "recorder")
    a_lock(assistant, eyes)
    covers(assistant, eyes)
    a_valve_and_a_fan(assistant)
    assistant.stop()


def do(assistant: Assistant, service: str, entity: str, **data: Any) -> None:
    domain = service.partition(".")[0]
    assistant.ask("call", service=service, entity=f"{domain}.{entity}", data=data)


def a_lock(assistant: Assistant, eyes: Eyes) -> None:
    lock = "cm/strike/action_set"
    assistant.wait(lock, "locked")
    for service, state in (("lock.unlock", "unlocked"), ("lock.lock", "locked")):
        do(assistant, service, "strike")
        assistant.wait(lock, state)
    assert [one.value for one in eyes.on("cm/strike/data/by")] == ["Home Assistant"] * 2
    for word, state in (
        ("unknown", "unknown"),
        ("unlocked", "unlocked"),
        ("unknown", "unknown"),
        ("jammed", "jammed"),
        ("unknown", "jammed"),
        ("locked", "locked"),
        ("locking", "locking"),
        ("unknown", "jammed"),
        ("locked", "locked"),
    ):
        eyes.ask("cm/strike", "show", word)
        assistant.wait(lock, state)


def covers(assistant: Assistant, eyes: Eyes) -> None:
    shutter, gate = "cm/shutter/action_set", "cm/gate/action_set"
    assistant.wait(shutter, "unknown")
    for service, state in (("open_cover", "open"), ("close_cover", "closed"), ("stop_cover", "open")):
        do(assistant, f"cover.{service}", "shutter")
        assistant.wait(shutter, state)
    do(assistant, "cover.set_cover_position", "shutter", position=30)
    assistant.until(lambda found: found[shutter]["attributes"].get("current_position") == 30, "it is at 30 %")
    assert assistant.wait(shutter, "open")["attributes"]["device_class"] == "shutter"
    assistant.wait("cm/shutter/data_obstructed", "off")
    for word, state in (("closing", "closing"), ("stopped", "open"), ("unknown", "unknown")):
        eyes.ask("cm/shutter", "show", word)
        assistant.wait(shutter, state)
    for word, state in (("close", "closed"), ("open", "open")):
        do(assistant, "button.press", f"gate_{word}")
        assistant.wait(gate, state)
    do(assistant, "cover.set_cover_position", "gate", position=0)
    assistant.wait(gate, "closed")


def a_valve_and_a_fan(assistant: Assistant) -> None:
    assistant.wait("cm/tap/action_set", "closed")
    for service, state in (("open_valve", "open"), ("close_valve", "closed")):
        do(assistant, f"valve.{service}", "tap")
        assistant.wait("cm/tap/action_set", state)
    blower = "cm/blower/action_set"
    assistant.wait(blower, "off")
    do(assistant, "fan.set_percentage", "blower", percentage=40)
    assistant.until(lambda found: found[blower]["attributes"].get("percentage") == 40, "it turns at 40 %")
    assert assistant.wait(blower, "on")["attributes"]["percentage_step"] == 5
    do(assistant, "fan.turn_off", "blower")
    assistant.wait(blower, "off")
