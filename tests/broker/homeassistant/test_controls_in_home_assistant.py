"""The real Home Assistant operates what guards and moves something, and books what is metered."""

import json
import signal
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from support.assistant import Assistant, Start
from support.paths import QUICK
from support.world import Broker, Eyes, Running, Wires

# Lines.
STRIKE, BOLT = 4, 5
OPENS, CLOSES, AT_CLOSED, AT_OPEN = 6, 7, 8, 9
GARAGE_OPENS, GARAGE_CLOSES, GARAGE_CLOSED = 10, 11, 12
BUTTON, OPENER_CLOSED = 13, 14
VALVE, HEATER, RELAY, FAN, DIMMER = 15, 16, 18, 19, 20
METERS = {"energy_in": 21, "gas": 22, "water": 23}

SHOWN = ("strike", "shutter", "gate")  # what they are told to show
KINDS = {
    "front": f'kind = "lock"\npin = {STRIKE}\nbolt = {BOLT}\nfail = "secure"\nunlock_s = 300\nbounce_s = 0\n',
    "blind": f'kind = "cover"\ntype = "shutter"\nopens = {OPENS}\ncloses = {CLOSES}\nclosed_contact = {AT_CLOSED}\n'
    f"open_contact = {AT_OPEN}\nopening_s = 40\ndead_s = 0.2\nbounce_s = 0\nleave_s = 60\n",
    "garage": f'kind = "cover"\ntype = "sectional"\nopens = {GARAGE_OPENS}\ncloses = {GARAGE_CLOSES}\n'
    f"closed_contact = {GARAGE_CLOSED}\nbounce_s = 0\nleave_s = 60\n",
    "opener": f'kind = "cover"\ntype = "gate"\nbutton = {BUTTON}\nclosed_contact = {OPENER_CLOSED}\nbounce_s = 0\n',
    "tap": f'kind = "valve"\npin = {VALVE}\nlongest_s = 600\n',
    "heater": f'kind = "heater"\npin = {HEATER}\nlongest_s = 600\n',
    "bell": f'kind = "relay"\npin = {RELAY}\npulse_s = 60\n',
    "blower": f'kind = "fan"\npin = {FAN}\n',
    "lamp": f'kind = "dimmer"\npin = {DIMMER}\nfade_s = 0\n',
}
STATES = [f"cm/{name}/action_set" for name in (*SHOWN, *KINDS) if name != "bell"]
OF_METERS = "pulses_per_unit = 4\ninitial = 4711.25\nhighest = 1e9\nwrite_s = 1\nbounce_s = 0\n"
TOTALS = {f"cm/{name}-meter/data_{name}": f"sensor.{name}_meter_{name}" for name in METERS}


@pytest.mark.long
def test_each_is_operated_and_shows_what_it_is(
    wires: Wires, broker: Broker, start_assistant: Start, eyes: Eyes
) -> None:
    furnish(wires, broker)
    wires.house.supervise(*SHOWN, *KINDS, "panel", program=QUICK, **wires.env)
    assistant = start_assistant(broker, "recorder")
    what_a_lock_shows(assistant, eyes)
    what_covers_show(assistant, eyes)
    a_lock(assistant, wires, eyes)
    covers(assistant, wires)
    what_is_on_for_a_while(assistant, wires)
    what_is_modulated(assistant, wires)
    commands_of_every_other_sort(assistant)
    began = (datetime.now(UTC) - timedelta(minutes=10)).isoformat()
    what_is_metered_is_booked(assistant, wires, began)
    told = states(assistant.until(lambda found: found, "anything"))
    assistant.stop()
    pulsed(wires, 6)
    assistant = start_assistant(broker, "recorder")
    for unique, state in told.items():
        assistant.wait(unique, state)
    metered(assistant, 4715.5)
    booked(assistant, began, 4.25)
    assert "Compiling initial sum statistics" in assistant.log()
    assert "Detected new cycle" not in assistant.log()
    assert "\n".join(assistant.complaints()) == ""


def furnish(wires: Wires, broker: Broker) -> None:
    """A house where everything is closed and locked."""
    house = wires.house
    house.write(broker.port)
    for name in SHOWN:
        house.device(name, f'kind = "support.controlled_devices.{name.capitalize()}"\n')
    for name, text in KINDS.items():
        house.device(name, text)
    for name, line in METERS.items():
        settings = (
            f'highest = 1e9\ncounts = "{name}"\npulses_per_unit = 4\ninitial = 4711.25\nwrite_s = 1\nbounce_s = 0\n'
        )
        house.device(f"{name}-meter", f'kind = "meter"\npin = {line}\n{settings}')
        wires.line(line).drive(True)
    house.device("panel", 'kind = "support.odd_devices.Panel"\nevery_s = 3600\n')
    for line in (BOLT, AT_CLOSED, GARAGE_CLOSED, OPENER_CLOSED):
        wires.line(line).drive(False)
    wires.line(AT_OPEN).drive(True)


def do(assistant: Assistant, service: str, entity: str, **data: Any) -> None:
    domain = service.partition(".")[0]
    assistant.ask("call", service=service, entity=f"{domain}.{entity}", data=data)


def states(found: dict[str, Any]) -> dict[str, str]:
    """What is shown of what is controlled."""
    return {name: found.get(name, {}).get("state") for name in STATES}


# What they show.


def what_a_lock_shows(assistant: Assistant, eyes: Eyes) -> None:
    """Never `locked` when nobody knows."""
    lock = "cm/strike/action_set"
    assistant.wait(lock, "locked")
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


def what_covers_show(assistant: Assistant, eyes: Eyes) -> None:
    """What has stopped while it was closing is not closed. One without expiries has all its words."""
    shutter = "cm/shutter/action_set"
    assistant.wait(shutter, "unknown")
    for service, state in (("open_cover", "open"), ("close_cover", "closed"), ("stop_cover", "open")):
        do(assistant, f"cover.{service}", "shutter")
        assistant.wait(shutter, state)
    do(assistant, "cover.set_cover_position", "shutter", position=30)
    assistant.until(lambda found: found[shutter]["attributes"].get("current_position") == 30, "it is at 30 %")
    assert assistant.wait(shutter, "open")["attributes"]["device_class"] == "shutter"
    assistant.wait("cm/shutter/data_obstructed", "off")
    for name in ("shutter", "gate"):
        for word, state in (("closing", "closing"), ("stopped", "open"), ("unknown", "unknown")):
            eyes.ask(f"cm/{name}", "show", word)
            assistant.wait(f"cm/{name}/action_set", state)
    what_comes_twice_is_refused(assistant, eyes)


def what_comes_twice_is_refused(assistant: Assistant, eyes: Eyes) -> None:
    """A press of `Open` that somebody has recorded opens nothing, and what is shown stays as it is."""
    gate = "cm/gate/action_set"
    for word, state in (("close", "closed"), ("open", "open")):
        do(assistant, "button.press", f"gate_{word}")
        assistant.wait(gate, state)
    do(assistant, "cover.set_cover_position", "gate", position=0)
    assistant.wait(gate, "closed")
    (opened,) = [one for one in eyes.on("cm/gate/action/set") if one.value["value"] == "open"]
    answers = len(eyes.on("cm/gate/status/action"))
    eyes.publish("cm/gate/action/set", opened.payload)
    eyes.wait(lambda _: len(eyes.on("cm/gate/status/action")) > answers, "an answer")
    answer = eyes.on("cm/gate/status/action")[-1].value
    assert (answer["result"], answer["id"]) == ("refused", opened.value["id"])
    assert answer["reason"].startswith("this command has come before")
    assistant.wait(gate, "closed")


# What they do.


def drives(assistant: Assistant, wires: Wires, line: int, level: float) -> None:
    """Until a line is driven so."""
    assistant.until(lambda _: wires.line(line).output() == level, f"GPIO{line} at {level}")


def a_lock(assistant: Assistant, wires: Wires, eyes: Eyes) -> None:
    lock = "cm/front/action_set"
    assistant.wait(lock, "locked")
    do(assistant, "lock.unlock", "front")
    assistant.wait(lock, "unlocking")
    assert wires.line(STRIKE).output() == 1
    wires.line(BOLT).drive(True)
    assistant.wait(lock, "unlocked")
    do(assistant, "lock.lock", "front")
    drives(assistant, wires, STRIKE, 0)
    wires.line(BOLT).drive(False)
    assistant.wait(lock, "locked")
    ended = [(one.value["what"], one.value["by"], one.value["ended"]) for one in eyes.on("cm/front/data/event")]
    assert ended == [("unlock", "Home Assistant", "unlocked"), ("lock", "Home Assistant", "locked")]


def covers(assistant: Assistant, wires: Wires) -> None:
    blind = "cm/blind/action_set"
    assistant.wait(blind, "closed")
    do(assistant, "cover.set_cover_position", "blind", position=100)
    assistant.wait(blind, "opening")
    drives(assistant, wires, OPENS, 1)
    wires.line(AT_CLOSED).drive(True)
    do(assistant, "cover.stop_cover", "blind")
    assistant.wait(blind, "open")
    drives(assistant, wires, OPENS, 0)
    do(assistant, "cover.open_cover", "blind")
    assistant.wait(blind, "opening")
    wires.line(AT_OPEN).drive(False)
    assistant.until(lambda found: found[blind]["attributes"].get("current_position") == 100, "it is open")
    do(assistant, "cover.close_cover", "blind")
    assistant.wait(blind, "closing")
    drives(assistant, wires, CLOSES, 1)
    wires.line(AT_OPEN).drive(True)
    wires.line(AT_CLOSED).drive(False)
    assistant.wait(blind, "closed")
    doors(assistant, wires)


def doors(assistant: Assistant, wires: Wires) -> None:
    """One that may not be closed from afar, and one of which there is but a button."""
    found = assistant.wait("cm/garage/action_set", "closed")
    assert (found["attributes"]["device_class"], found["attributes"]["supported_features"]) == ("garage", STOP)
    assert "cm/garage/action_set_close" not in assistant.until(lambda found: found, "anything")
    do(assistant, "button.press", "garage_open")
    assistant.wait("cm/garage/action_set", "opening")
    drives(assistant, wires, GARAGE_OPENS, 1)
    do(assistant, "cover.stop_cover", "garage")
    drives(assistant, wires, GARAGE_OPENS, 0)
    assert wires.line(GARAGE_CLOSES).output() == 0
    assert assistant.wait("cm/opener/action_set", "closed")["attributes"]["supported_features"] == 0
    do(assistant, "button.press", "opener_press")
    drives(assistant, wires, BUTTON, 1)
    wires.line(OPENER_CLOSED).drive(True)
    assistant.wait("cm/opener/action_set", "opening")
    wires.line(OPENER_CLOSED).drive(False)
    assistant.wait("cm/opener/action_set", "closed")


APART_NS = 1_000_000
STOP = 8  # of Home Assistant's features of covers


def what_is_on_for_a_while(assistant: Assistant, wires: Wires) -> None:
    """A valve, a heater, and a relay that is pressed."""
    for service, kind, line, level, state in (
        ("valve.open_valve", "tap", VALVE, 1, "open"),
        ("valve.close_valve", "tap", VALVE, 0, "closed"),
        ("switch.turn_on", "heater", HEATER, 1, "on"),
        ("switch.turn_off", "heater", HEATER, 0, "off"),
    ):
        do(assistant, service, kind)
        assistant.wait(f"cm/{kind}/action_set", state)
        assert wires.line(line).output() == level
    do(assistant, "button.press", "bell_press")
    assistant.wait("cm/bell/data_pressed", "on")
    assert wires.line(RELAY).output() == 1


def what_is_modulated(assistant: Assistant, wires: Wires) -> None:
    """A fan, and a lamp with a brightness."""
    fan, lamp = "cm/blower/action_set", "cm/lamp/action_set"
    for service, data, level in (
        ("fan.set_percentage", {"percentage": 40}, 0.4),
        ("fan.turn_off", {}, 0),
        ("fan.turn_on", {}, 1),
    ):
        do(assistant, service, "blower", **data)
        drives(assistant, wires, FAN, level)
        assistant.until(lambda found: found[fan]["attributes"].get("percentage") == level * 100, f"at {level}")  # noqa: B023
    assistant.wait(fan, "on")
    for service, data, level in (
        ("light.turn_on", {"brightness": 51}, 0.2),
        ("light.turn_off", {}, 0),
        ("light.turn_on", {}, 0.2),
    ):
        do(assistant, service, "lamp", **data)
        drives(assistant, wires, DIMMER, level)
    assert assistant.wait(lamp, "on")["attributes"]["brightness"] == 51


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


# What is metered.


def what_is_metered_is_booked(assistant: Assistant, wires: Wires, began: str) -> None:
    """The sums have no jump over a restart of the meters, nor over a kill."""
    meters = started(wires)
    metered(assistant, 4711.25)
    save_energy_preferences(assistant)
    pulsed(wires, 2)
    metered(assistant, 4711.75)
    for meter in meters:
        meter.stop()
    meters = started(wires)
    metered(assistant, 4711.75)
    booked(assistant, began, 0.5)
    pulsed(wires, 4)
    metered(assistant, 4712.75)
    for meter in meters:
        meter.stop(signal.SIGKILL)
    started(wires)
    pulsed(wires, 5)
    metered(assistant, 4714.0)
    booked(assistant, began, 2.75)
    assert assistant.on_socket("energy/validate") == {"energy_sources": [[], [], []], "device_consumption": [[]]}
    assert assistant.on_socket("recorder/validate_statistics") == {}


def started(wires: Wires) -> list[Running]:
    meters = [wires.house.run(f"{name}-meter", program=QUICK, **wires.env) for name in METERS]
    for meter in meters:
        meter.wait_log("connected (")
    return meters


def pulsed(wires: Wires, count: int) -> None:
    """Give all meters so many pulses, all at once."""
    at_ns = time.monotonic_ns()
    for number in range(count):
        for line in METERS.values():
            for half, high in enumerate((False, True)):
                wires.line(line).drive(high, at_ns + (2 * number + half) * APART_NS)


def metered(assistant: Assistant, total: float) -> None:
    for unique in TOTALS:
        assistant.wait(unique, str(total))


def booked(assistant: Assistant, began: str, total: float) -> None:
    """What Home Assistant has booked of each until now."""
    assistant.ask("statistics")
    asked = {"statistic_ids": [*TOTALS.values()], "period": "5minute", "types": ["sum"]}
    found = assistant.on_socket("recorder/statistics_during_period", start_time=began, **asked)
    assert {name: round(periods[-1]["sum"], 6) for name, periods in found.items()} == dict.fromkeys(
        TOTALS.values(), total
    )


def save_energy_preferences(assistant: Assistant) -> None:
    """As a person does who sets up the energy dashboard."""
    free = {"stat_cost": None, "entity_energy_price": None, "number_energy_price": None}
    energy, gas, water = TOTALS.values()
    sources = [
        {"type": "grid", "flow_from": [{"stat_energy_from": energy, **free}], "flow_to": [], "cost_adjustment_day": 0},
        {"type": "gas", "stat_energy_from": gas, **free},
        {"type": "water", "stat_energy_from": water, **free},
    ]
    consumers = [{"stat_consumption": energy}]
    assistant.on_socket("energy/save_prefs", energy_sources=sources, device_consumption=consumers)
