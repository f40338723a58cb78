"""The real Home Assistant finds the house on simulated lines, and loses what is gone."""

import json
import signal
import socket
from pathlib import Path
from typing import Any

import pytest

from bootstrap.config import kinds
from bootstrap.contract.topics import Topics
from bootstrap.homeassistant import announcement
from support.announced import Everything, announced
from support.assistant import Assistant, Start, judge
from support.controlled_devices import Blower, Gate, Shutter, Strike, Tap
from support.paths import QUICK
from support.world import Broker, Eyes, House, Running, Wires

UNAVAILABLE = "unavailable"
# What only a Pi has, and what no reading has.
ON_A_PI = {"cpu_temperature", "throttled", "throttled_since_start", "under_voltage", "under_voltage_since_start"}
NEVER_MEASURED = {"cm/odd/data_depth", *(f"cm/attic/data_{name}" for name in ON_A_PI)}
DEVICES = {
    "frontdoor": 'kind = "door"\npin = 17\nbounce_s = 0\n',
    "hall": 'kind = "motion"\npin = 23\n',
    "bell": 'kind = "button"\npin = 24\nbounce_s = 0\nclick_s = 0.1\n',
    "lamp": 'kind = "lamp"\npin = 27\n',
}


@pytest.fixture
def furnished(wires: Wires, broker: Broker) -> House:
    """A house of every kind, which has not started yet."""
    house = wires.house
    house.write(broker.port, top="heartbeat_s = 0.5")
    for number, level in ((17, False), (23, False), (24, True)):
        wires.line(number).drive(level)
    for name, text in DEVICES.items():
        house.device(name, text)
    house.thermometer(every_s=1)
    house.device("pi", 'kind = "pi"\nsensor = "attic"\n')
    (house.folder / "told.json").write_text(json.dumps({"level": 5, "word": "x" * 400}))
    house.device("odd", f'kind = "support.odd_devices.Told"\nfile = "{house.folder}/told.json"\nevery_s = 0.5\n')
    return house


@pytest.fixture
def cellar_alone(furnished: House, wires: Wires) -> Running:
    """All are alive, the cellar as a process that nobody looks after."""
    rest = sorted(file.stem for file in (furnished.folder / "devices").iterdir() if file.stem != "cellar")
    furnished.supervise(*rest, program=QUICK, **wires.env)
    return furnished.run(program=QUICK)


def test_every_announcement_is_valid_and_every_class_fits_its_unit() -> None:
    """By Home Assistant's own schemas, whatever its version; they are slow to load."""
    told = [announced(kinds.find(kind, Path()), kind) for kind in kinds.names()]
    controlled = [announced(one) for one in (Strike, Shutter, Gate, Tap, Blower)]
    good = [*told, announced(Everything), announced(Everything, heartbeat_s=0), all_units(), *controlled]
    bad = [announced(Everything) for _ in range(3)]
    bad[0]["cmps"]["data_power"]["unit_of_meas"] = "lx"
    bad[1]["cmps"]["data_power"]["sug_dsp_prc"] = -1
    bad[2]["cmps"]["action_turn"]["colour"] = "red"
    *verdicts, unit, digits, colour = judge([*good, *bad])
    assert [fault for faults in verdicts for fault in faults] == []
    assert unit[0] == "data_power: unit_of_measurement lx is none of power"
    assert "data_power" in digits[0]
    assert colour == ["action_turn: colour means nothing to a switch"]


def all_units() -> dict[str, Any]:
    """A device that measures everything there is a class for."""
    named = {f"x{number}_{last}": unit for number, (last, unit) in enumerate(announcement.BY_NAME)}
    units = {f"y{number}": unit for number, unit in enumerate([*announcement.BY_UNIT, "%", "1"])}
    facts = {name: {"unit": unit, "every_s": 1.0} for name, unit in {**named, **units}.items()}
    used = {f"{name}_used": {**each, "counter": True} for name, each in facts.items() if each["unit"] in ("kWh", "1")}
    truths = {name: {"unit": "bool", "every_s": 1.0} for name in announcement.TRUTHS}
    about = {"kind": "door", "measures": {**facts, **used, **truths}, "actions": {}, "heartbeat_s": 1.0}
    told = announcement.announcement(Topics("cm", "all"), {**about, "version": "1", "host": "pi"})
    found: dict[str, Any] = json.loads(told)
    return found


@pytest.mark.usefixtures("cellar_alone")
def test_the_house_appears_as_what_it_is(wires: Wires, broker: Broker, start_assistant: Start, eyes: Eyes) -> None:
    assistant = start_assistant(broker)
    found = all_there(assistant)
    assistant.wait("cm/odd/data_level", "5")
    assistant.wait("cm/cellar/data_temperature", "21.5")
    looks = {
        "cm/cellar/data_temperature": ("sensor", "temperature", "measurement", "°C", 1),
        "cm/frontdoor/data_open": ("binary_sensor", "door", None, None, None),
        "cm/hall/data_motion": ("binary_sensor", "motion", None, None, None),
        "cm/attic/data_memory": ("sensor", None, "measurement", "%", 0),
        "cm/lamp/action_set": ("switch", None, None, None, None),
        "cm/bell/data_clicks": ("event", None, None, None, None),
        "cm/lamp/action_read": ("button", None, None, None, None),
        "cm/cellar/status_state": ("sensor", "enum", None, None, None),
    }
    assert {unique: look(found[unique]) for unique in looks} == looks
    assert (found["cm/lamp/action_set"]["id"], found["cm/cellar/data_temperature"]["id"]) == (
        "switch.lamp",
        "sensor.cellar_temperature",
    )
    assert found["cm/odd/data_word"]["state"] == "x" * 255
    assert all(one["category"] == "diagnostic" for unique, one in found.items() if "/status_" in unique)
    assert {unique for unique, one in found.items() if one["disabled"]} >= {"cm/lamp/data_on", "cm/lamp/status_reads"}
    devices_are_connected_by_their_host(assistant)
    a_switch_switches(assistant, wires)
    an_event_happens(assistant, wires)
    what_is_wrong_with_much_fits(assistant, eyes)
    assert "\n".join(assistant.complaints()) == ""


def what_is_wrong_with_much_fits(assistant: Assistant, eyes: Eyes) -> None:
    """Into the 16 kB that its recorder takes of attributes."""
    about = {"kind": "x", "measures": {}, "actions": {}, "heartbeat_s": 0, "version": "1", "host": "pi"}
    told = announcement.announcement(Topics("cm", "much"), about)
    bad = {f"{number:064}": {"health": "failing", "why": "ä" * 200} for number in range(80)}
    eyes.publish("homeassistant/device/cm-much/config", told, retain=True)
    eyes.publish("cm/much/status/health", json.dumps(bad), retain=True)
    eyes.publish("cm/much/status/state", "fault", retain=True)
    said = lambda found: found.get("cm/much/status_problem", {}).get("attributes", {}).get("0" * 64) and found  # noqa: E731
    problem = assistant.until(said, "what is wrong")["cm/much/status_problem"]
    assert problem["state"] == "on"
    assert len(json.dumps(problem["attributes"], ensure_ascii=False).encode()) < 16_000


def look(entity: dict[str, Any]) -> tuple[Any, ...]:
    of = entity["attributes"].get
    platform = entity["id"].partition(".")[0]
    return (platform, of("device_class"), of("state_class"), of("unit_of_measurement"), entity["digits"])


def devices_are_connected_by_their_host(assistant: Assistant) -> None:
    devices = assistant.ask("devices")
    known = {device["name"]: device for device in devices.values()}
    assert {"cellar", "frontdoor", "hall", "bell", "lamp", "attic", "odd"} <= known.keys()
    assert (known["cellar"]["model"], known["cellar"]["ids"]) == ("thermometer", ["penates/cm/cellar"])
    host = devices[known["cellar"]["via"]]
    assert host["ids"] == [f"penates@{socket.gethostname().partition('.')[0]}"]


def a_switch_switches(assistant: Assistant, wires: Wires) -> None:
    assert wires.line(27).output() == 0
    for service, level, state in (("turn_on", 1, "on"), ("turn_off", 0, "off"), ("toggle", 1, "on")):
        assistant.ask("call", service=f"switch.{service}", entity="switch.lamp")
        assistant.wait("cm/lamp/action_set", state)
        assert wires.line(27).output() == level
    before = assistant.until(lambda found: found["cm/cellar/action_read"], "a button")["state"]
    assistant.ask("call", service="button.press", entity="button.cellar_read")
    assistant.until(lambda found: found["cm/cellar/action_read"]["state"] != before, "it was pressed")


def an_event_happens(assistant: Assistant, wires: Wires) -> None:
    for level, pressed in ((False, "on"), (True, "off")):
        wires.line(24).drive(level)
        assistant.wait("cm/bell/data_pressed", pressed)
    clicked = lambda found: found["cm/bell/data_clicks"]["attributes"].get("clicks") and found  # noqa: E731
    told = assistant.until(clicked, "a click")["cm/bell/data_clicks"]["attributes"]
    assert (told["event_type"], told["clicks"]) == ("clicks", 1)
    wires.line(17).drive(True)
    assistant.wait("cm/frontdoor/data_open", "on")


def test_what_is_dead_or_at_fault_is_unavailable_and_nothing_else_is(
    cellar_alone: Running, furnished: House, broker: Broker, start_assistant: Start, eyes: Eyes
) -> None:
    assistant = start_assistant(broker)
    assistant.wait("cm/cellar/data_temperature", "21.5")
    assert assistant.wait("cm/cellar/status_problem", "off")["attributes"]["device_class"] == "problem"
    furnished.probe("cellar", "")
    assistant.wait("cm/cellar/data_temperature", UNAVAILABLE)
    problem = assistant.wait("cm/cellar/status_problem", "on")["attributes"]
    assert "temperature" in problem
    assistant.wait("cm/cellar/action_read", UNAVAILABLE)
    assistant.until(lambda found: "temperature" in found["cm/cellar/status_why"]["state"], "the reason")
    furnished.probe("cellar", 17000)
    assistant.wait("cm/cellar/data_temperature", "17.0")
    (furnished.folder / "told.json").write_text(json.dumps({"level": 50, "word": "short"}))
    assistant.wait("cm/odd/data_level", UNAVAILABLE)
    assistant.wait("cm/odd/data_word", "short")
    assistant.wait("cm/odd/action_set", UNAVAILABLE)
    cellar_alone.stop(signal.SIGKILL)
    for unique in ("data_temperature", "action_read", "status_why"):
        assistant.wait(f"cm/cellar/{unique}", UNAVAILABLE)
    assistant.wait("cm/cellar/status_state", "lost")
    assistant.wait("cm/lamp/action_set", "off")
    furnished.run(program=QUICK).wait_log("connected (")
    assistant.wait("cm/cellar/data_temperature", "17.0")
    eyes.publish("cm/cellar/status/state", "unreachable", retain=True)  # as a bridge says of a far sensor
    for unique in ("data_temperature", "action_read", "status_why"):
        assistant.wait(f"cm/cellar/{unique}", UNAVAILABLE)
    assistant.wait("cm/cellar/status_state", "unreachable")
    assistant.wait("cm/cellar/status_problem", "off")


@pytest.mark.long
@pytest.mark.usefixtures("cellar_alone")
def test_it_and_the_broker_restart_in_either_order(broker: Broker, start_assistant: Start, wires: Wires) -> None:
    assistant = start_assistant(broker)
    ids = {unique: one["id"] for unique, one in all_there(assistant).items()}
    assistant.stop()
    broker.stop()
    broker.start()
    assistant = start_assistant(broker)
    assert {unique: one["id"] for unique, one in all_there(assistant).items()} == ids
    broker.stop()
    assistant.wait("cm/lamp/action_set", UNAVAILABLE)
    assistant.stop()
    assistant = start_assistant(broker)
    broker.start()
    assert {unique: one["id"] for unique, one in all_there(assistant).items()} == ids
    assistant.ask("call", service="switch.turn_on", entity="switch.lamp")
    assistant.wait("cm/lamp/action_set", "on")
    assert wires.line(27).output() == 1


def all_there(assistant: Assistant) -> dict[str, dict[str, Any]]:
    """Until nothing is unavailable that is wanted."""

    def are(found: dict[str, dict[str, Any]]) -> Any:
        away = {unique for unique, one in found.items() if not one["disabled"] and one["state"] in (None, UNAVAILABLE)}
        sensors = {unique.split("/")[1] for unique in found}
        return len(sensors) == len(DEVICES) + 3 and away <= NEVER_MEASURED and found

    found: dict[str, dict[str, Any]] = assistant.until(are, "all are there")
    return found


def test_what_is_announced_no_more_goes(house: House, broker: Broker, start_assistant: Start) -> None:
    (house.folder / "told.json").write_text('{"level":5}')
    house.device("cellar", f'kind = "support.odd_devices.Told"\nfile = "{house.folder}/told.json"\n')
    house.write(broker.port)
    daemon = house.run(program=QUICK)
    assistant = start_assistant(broker)
    assistant.wait("cm/cellar/data_level", "5")
    house.thermometer()
    daemon.stop()
    daemon = house.run(program=QUICK)
    assistant.wait("cm/cellar/data_temperature", "21.5")
    assistant.until(lambda found: "cm/cellar/data_level" not in found, "a measure goes")
    house.write(broker.port, log="[homeassistant]\nenabled = false")
    daemon.send(signal.SIGHUP)
    assistant.until(lambda found: not found, "all goes")
    names = {device["name"] for device in assistant.ask("devices").values()}
    assert "cellar" not in names
    assert "\n".join(assistant.complaints()) == ""
