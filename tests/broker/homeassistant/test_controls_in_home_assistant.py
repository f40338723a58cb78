"""The real Home Assistant operates what guards and moves something, and books what is metered."""

import json
import signal
from datetime import UTC, datetime, timedelta
from typing import Any

from support.assistant import Assistant, Start
from support.paths import QUICK
from support.world import Broker, Eyes, House

CONTROLLED = ("strike", "shutter", "gate", "tap", "blower")


METERED = ("energy", "gas", "water")


def furnish(house: House, broker: Broker) -> None:
    house.write(broker.port)
    for name in (*CONTROLLED, "dial"):
        house.device(name, f'kind = "support.controlled_devices.{name.capitalize()}"\n')
    house.device("panel", 'kind = "support.odd_devices.Panel"\nevery_s = 3600\n')


def test_each_is_operated_and_shows_what_it_is(
    house: House, broker: Broker, start_assistant: Start, eyes: Eyes
) -> None:
    furnish(house, broker)
    house.supervise(*CONTROLLED, "panel", program=QUICK)
    assistant = start_assistant(broker, "recorder")
    a_lock(assistant, eyes)
    covers(assistant, eyes)
    a_valve_and_a_fan(assistant)
    commands_of_every_other_sort(assistant)
    began = (datetime.now(UTC) - timedelta(minutes=10)).isoformat()
    what_is_metered_is_booked(house, assistant, eyes, began)
    told = states(assistant)
    assistant.stop()
    eyes.ask("cm/dial", "add", "1.5")
    assistant = start_assistant(broker, "recorder")
    assistant.until(lambda found: states(assistant, found) == {**told, **METERED_LATER}, "all is back")
    assistant.ask("statistics")
    assert sums(assistant, began) == dict.fromkeys(METERED, 4.5)
    assert "Compiling initial sum statistics" in assistant.log()
    assert "Detected new cycle" not in assistant.log()
    assert "\n".join(assistant.complaints()) == ""


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
    what_comes_twice_is_refused(eyes)
    assistant.wait(gate, "closed")


def what_comes_twice_is_refused(eyes: Eyes) -> None:
    """A press of `Open` that somebody has recorded opens nothing."""
    (opened,) = [one for one in eyes.on("cm/gate/action/set") if one.value["value"] == "open"]
    answers = len(eyes.on("cm/gate/status/action"))
    eyes.publish("cm/gate/action/set", opened.payload)
    eyes.wait(lambda _: len(eyes.on("cm/gate/status/action")) > answers, "an answer")
    answer = eyes.on("cm/gate/status/action")[-1].value
    assert (answer["result"], answer["id"]) == ("refused", opened.value["id"])
    assert answer["reason"].startswith("this command has come before")


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
    do(assistant, "fan.set_preset_mode", "blower", preset_mode="auto")
    assistant.until(lambda found: speed(found[blower]) == (55, "auto"), "it follows")
    do(assistant, "fan.turn_off", "blower")
    assistant.wait(blower, "off")
    assistant.until(lambda found: speed(found[blower]) == (0, None), "it does not follow any more")


def commands_of_every_other_sort(assistant: Assistant) -> None:
    assistant.wait("cm/panel/action_dim", "off")
    assistant.ask("enable", unique="penates/cm/panel/data_level")  # the light shows it; it is disabled
    assistant.wait("cm/panel/data_level", "0")
    assistant.wait("cm/panel/action_dim", "off")
    for service, name, more, unique, state in (
        ("light.turn_on", "dim", {"brightness": 128}, "data_level", "50.2"),
        ("light.turn_on", "dim", {}, "data_level", "100"),
        ("light.turn_off", "dim", {}, "data_level", "0"),
        ("number.set_value", "heat", {"value": 21.5}, "action_heat", "21.5"),
        ("select.select_option", "choose", {"option": "high"}, "action_choose", "high"),
    ):
        do(assistant, service, f"panel_{name}", **more)
        assistant.wait(f"cm/panel/{unique}", state)
    do(assistant, "text.set_value", "panel_say", value='{"a":"ä"}')
    said = lambda found: found["cm/panel/data_said"]["attributes"].get("said")  # noqa: E731
    assert json.loads(assistant.until(said, "an event")) == {"a": "ä"}


def speed(fan: dict[str, Any]) -> tuple[int | None, str | None]:
    """And how it came to that."""
    return fan["attributes"]["percentage"], fan["attributes"]["preset_mode"]


METERED_LATER = {f"cm/dial/data_{name}": "4715.75" for name in METERED}


def states(assistant: Assistant, found: dict[str, Any] | None = None) -> dict[str, str]:
    """What is shown of what is controlled and metered."""
    found = found or assistant.until(lambda found: found, "anything")
    names = (*(f"cm/{name}/action_set" for name in CONTROLLED), *METERED_LATER)
    return {name: found.get(name, {}).get("state") for name in names}


def what_is_metered_is_booked(house: House, assistant: Assistant, eyes: Eyes, began: str) -> None:
    """The sums have no jump over its restarts. What a kill makes it forget is taken back, and not booked twice."""
    meter = house.run("dial", program=QUICK)
    metered(assistant, 4711.25)
    save_energy_preferences(assistant)
    added(eyes, assistant, "0.5", 4711.75)
    meter.stop()
    meter = house.run("dial", program=QUICK)
    metered(assistant, 4711.75)
    added(eyes, assistant, "0.75", 4712.5)
    assistant.ask("statistics")
    assert sums(assistant, began) == dict.fromkeys(METERED, 1.25)
    added(eyes, assistant, "0.5", 4713.0)
    meter.stop(signal.SIGKILL)
    house.run("dial", program=QUICK)
    metered(assistant, 4712.5)
    added(eyes, assistant, "1.75", 4714.25)
    assistant.ask("statistics")
    assert sums(assistant, began) == dict.fromkeys(METERED, 3.0)
    assert assistant.on_socket("energy/validate") == {"energy_sources": [[], [], []], "device_consumption": [[]]}
    assert assistant.on_socket("recorder/validate_statistics") == {}


def metered(assistant: Assistant, total: float) -> None:
    for name in METERED:
        assistant.wait(f"cm/dial/data_{name}", str(total))


def added(eyes: Eyes, assistant: Assistant, amount: str, total: float) -> None:
    assert eyes.ask("cm/dial", "add", amount)["result"] == "done"
    metered(assistant, total)


def sums(assistant: Assistant, began: str) -> dict[str, float]:
    """What is booked by now of each."""
    asked = {"statistic_ids": [f"sensor.dial_{name}" for name in METERED], "period": "5minute", "types": ["sum"]}
    found = assistant.on_socket("recorder/statistics_during_period", start_time=began, **asked)
    return {name: round(found[f"sensor.dial_{name}"][-1]["sum"], 6) for name in METERED}


def save_energy_preferences(assistant: Assistant) -> None:
    """As a person does who sets up the energy dashboard."""
    free = {"stat_cost": None, "entity_energy_price": None, "number_energy_price": None}
    grid = {"stat_energy_from": "sensor.dial_energy", **free}
    sources = [
        {"type": "grid", "flow_from": [grid], "flow_to": [], "cost_adjustment_day": 0},
        {"type": "gas", "stat_energy_from": "sensor.dial_gas", **free},
        {"type": "water", "stat_energy_from": "sensor.dial_water", **free},
    ]
    consumers = [{"stat_consumption": "sensor.dial_energy"}]
    assistant.on_socket("energy/save_prefs", energy_sources=sources, device_consumption=consumers)
