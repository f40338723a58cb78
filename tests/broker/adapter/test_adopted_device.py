"""Devices of other makes become sensors on a real broker, by what their programs publish there."""

import json
import signal
import time
from typing import Any

import pytest

from support.world import Broker, Eyes, House, Running

FACTS = ("time", "run", "seq", "clock", "boot")
NODE = "zwave/nodeID_3"
DOOR = f"{NODE}/notification/endpoint_0/Access_Control/Door_state_simple"
OPENING = f"{NODE}/notification/endpoint_0/Access_Control/Opening_state"
PLUG = "zwave/nodeID_2"
SWITCH = f"{PLUG}/switch_binary/endpoint_0/currentValue"
TARGET = f"{PLUG}/switch_binary/endpoint_0/targetValue/set"
SECTIONS = """
[sensors.fgk101-1]
profile = "zwave-js-ui"
address = "nodeID_3"
only = ["open", "temperature", "battery"]
{door}

[sensors.fgwpe101-1]
profile = "zwave-js-ui"
address = "nodeID_2"
only = ["on", "power", "energy"]
{plug}
"""


def zwave(value: Any, at: float | None = None, **more: Any) -> str:
    """A payload of the type JSON Time-Value."""
    return json.dumps({"time": round((at or time.time()) * 1000), "value": value, **more})


class Home:
    """A house with an adapter, and somebody who publishes as the programs of other makes do."""

    def __init__(self, house: House, broker: Broker, eyes: Eyes) -> None:
        self.house, self.broker, self.eyes = house, broker, eyes

    def run(self, sections: str) -> Running:
        """Run the adapter."""
        self.house.write(self.broker.port, top="heartbeat_s = 0.2")
        self.house.device("zwave", f'kind = "adapter"\n{sections}')
        return self.house.run("zwave")

    def start(self, door: str = "", plug: str = "") -> Running:
        """Run the adapter with a door that is closed and a plug that is off, and wait until it listens to both."""
        self.eyes.retain_all([(DOOR, '{"value":23}'), (SWITCH, '{"value":false}')])
        running = self.run(SECTIONS.format(door=door, plug=plug))
        self.eyes.wait_value("cm/fgk101-1/data/open", False)
        self.eyes.wait_value("cm/fgwpe101-1/data/on", False)
        return running

    def told(self, sensor: str) -> list[dict[str, Any]]:
        """The readings of a sensor, without what each has."""
        return [
            {name: value for name, value in one.value.items() if name not in FACTS}
            for one in self.eyes.on(f"cm/{sensor}/data/reading")
        ]

    def wait_reading(self, sensor: str, **values: Any) -> None:
        """Until this is the newest reading of a sensor."""
        self.eyes.wait(lambda _: self.told(sensor)[-1:] == [values], f"{sensor} says {values}")

    def wait_health(self, sensor: str, **wanted: str) -> None:
        """Until these measures have this health."""

        def met(_: object) -> bool:
            told = self.eyes.on(f"cm/{sensor}/status/health")
            return bool(told) and {name: told[-1].value[name]["health"] for name in wanted} == wanted

        self.eyes.wait(met, f"{sensor} is {wanted}")


@pytest.fixture
def home(house: House, broker: Broker, eyes: Eyes) -> Home:
    return Home(house, broker, eyes)


def test_one_event_on_three_topics_is_one_reading_with_its_own_time(home: Home) -> None:
    home.start()
    since, at = len(home.eyes.seen), time.time() - 30
    home.eyes.publish(DOOR, zwave(22, at))
    home.eyes.publish(OPENING, zwave(1, at + 0.05))
    home.eyes.publish(f"{NODE}/battery/endpoint_0/level", zwave(91, at))
    home.eyes.publish(DOOR, zwave(23, at + 5))
    home.wait_reading("fgk101-1", open=False)
    assert home.told("fgk101-1") == [{"open": True}, {"open": False}]
    first = home.eyes.on("cm/fgk101-1/data/reading")[0].value["time"]
    assert first.startswith(time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at)))
    assert home.eyes.wait_value("cm/fgk101-1/data/battery", 91, since)


def test_what_is_retained_is_state_and_no_reading(home: Home) -> None:
    long_ago = time.time() - 4 * 86_400
    home.eyes.retain_all(
        [
            (DOOR, zwave(22)),
            (f"{NODE}/sensor_multilevel/endpoint_0/Air_temperature", zwave(23.4, long_ago)),
            (f"{NODE}/status", zwave(True, status="Asleep")),
            (SWITCH, zwave(False)),
        ]
    )
    home.run(SECTIONS.format(door="", plug=""))
    home.eyes.wait_value("cm/fgk101-1/data/open", True)
    home.eyes.wait_value("cm/fgwpe101-1/data/on", False)
    home.eyes.publish(SWITCH, zwave(True), retain=True)
    home.wait_reading("fgwpe101-1", on=True)
    home.broker.stop()
    since = len(home.eyes.seen)
    home.broker.start()  # without what it had retained: everybody publishes again
    home.eyes.wait(lambda _: home.eyes.connected(), "the broker is back")
    home.eyes.wait_value("cm/fgk101-1/status/state", "online", since)
    assert home.told("fgk101-1") == []
    assert home.told("fgwpe101-1") == [{"on": True}]
    assert home.eyes.on("cm/fgk101-1/data/temperature") == []


def test_a_command_is_done_when_the_device_says_so(home: Home) -> None:
    home.start(plug="answer_s = 1")

    def obey(_at: float) -> None:
        command = home.eyes.on(TARGET)[-1].payload
        if command == b"true":  # twice, as Z-Wave JS UI does
            home.eyes.pour(SWITCH, [zwave(command == b"true"), zwave(command == b"true", time.time() + 0.01)])

    end = home.eyes.listen(TARGET, obey)
    answer = home.eyes.ask("cm/fgwpe101-1", "set", "on")
    assert (answer["result"], answer["reason"]) == ("done", None)
    home.wait_reading("fgwpe101-1", on=True)
    answer = home.eyes.ask("cm/fgwpe101-1", "set", "off")
    assert (answer["result"], answer["reason"]) == ("refused", "no answer in 1 s")
    end()
    home.eyes.listen(TARGET, lambda _: home.eyes.pour(SWITCH, [zwave(True, time.time() + 5)]))
    answer = home.eyes.ask("cm/fgwpe101-1", "set", "off")
    assert (answer["result"], answer["reason"]) == ("refused", "no answer in 1 s; it says true")
    assert home.eyes.ask("cm/fgwpe101-1", "set", "dim")["reason"] == "send one of on, off"
    assert home.told("fgwpe101-1")[:1] == [{"on": True}]
    assert {"on": False} not in home.told("fgwpe101-1")


def test_a_report_that_was_held_up_answers_no_command(home: Home) -> None:
    home.start(plug="answer_s = 1")
    at = time.time()
    home.eyes.publish(SWITCH, zwave(True, at - 20))
    home.eyes.publish(SWITCH, zwave(False, at - 10))
    home.wait_reading("fgwpe101-1", on=False)
    home.eyes.listen(TARGET, lambda _: home.eyes.pour(SWITCH, [zwave(True, at - 15)]))
    answer = home.eyes.ask("cm/fgwpe101-1", "set", "on")
    assert (answer["result"], answer["reason"]) == ("refused", "no answer in 1 s")


def test_of_two_commands_the_later_one_counts(home: Home) -> None:
    home.start()
    home.eyes.publish("cm/fgwpe101-1/action/set", '{"value": "on", "id": 1}')
    home.eyes.publish("cm/fgwpe101-1/action/set", '{"value": "off", "id": 2}')
    home.eyes.wait_value(TARGET, False)
    home.eyes.publish(SWITCH, zwave(False))
    home.eyes.wait(lambda _: len(home.eyes.on("cm/fgwpe101-1/status/action")) == 2, "two answers")
    answers = [one.value for one in home.eyes.on("cm/fgwpe101-1/status/action")]
    assert {one["id"]: (one["result"], one["reason"]) for one in answers} == {
        1: ("refused", "another command came before the device had answered"),
        2: ("done", None),
    }


def test_a_device_that_sleeps_is_there_and_a_dead_one_is_absent(home: Home) -> None:
    home.start()
    home.eyes.publish(f"{NODE}/status", zwave(True, status="Asleep"), retain=True)
    home.eyes.publish(f"{PLUG}/status", zwave(False, status="Dead"), retain=True)
    home.wait_health("fgwpe101-1", on="absent", power="absent", energy="absent")
    home.eyes.wait_why("fgwpe101-1", f"{PLUG}/status says Dead")
    home.wait_health("fgk101-1", open="ok", battery="ok")
    since = len(home.eyes.seen)
    home.eyes.publish(f"{PLUG}/status", zwave(True, status="Alive"), retain=True)
    home.eyes.wait_online("fgwpe101-1", since=since)
    home.wait_health("fgwpe101-1", on="ok", power="ok", energy="ok")
    home.eyes.publish("zwave/driver/status", "false", retain=True)
    home.wait_health("fgwpe101-1", on="absent")
    home.wait_health("fgk101-1", open="absent")
    since = len(home.eyes.seen)
    home.eyes.publish("zwave/driver/status", "true", retain=True)
    home.eyes.wait_online("fgwpe101-1", "fgk101-1", since=since)
    home.eyes.publish(f"{PLUG}/status", zwave(False, status="Dead"), retain=True)
    home.wait_health("fgwpe101-1", on="absent")
    home.eyes.publish(f"{PLUG}/status", None, retain=True)  # the device was removed, and its topics cleared
    home.wait_health("fgwpe101-1", on="ok")
    assert home.told("fgwpe101-1") == []


def test_silence_is_absence_and_any_word_ends_it(home: Home) -> None:
    home.start(plug="silent_s = 1")
    home.eyes.wait_online("fgk101-1")
    home.eyes.wait_why("fgwpe101-1", "nothing was heard of it for 1 s")
    home.wait_health("fgwpe101-1", on="absent")
    since = len(home.eyes.seen)
    home.eyes.publish(f"{PLUG}/meter/endpoint_0/value/66049", zwave(3.5))
    home.eyes.wait_online("fgwpe101-1", since=since)
    home.wait_health("fgwpe101-1", on="absent", power="absent")
    since = len(home.eyes.seen)
    home.eyes.publish(f"{PLUG}/lastActive", zwave(round(time.time() * 1000)))
    home.eyes.wait_online("fgwpe101-1", since=since)
    assert home.told("fgk101-1") == home.told("fgwpe101-1") == []


def test_what_says_nothing_is_nothing_and_what_is_wrong_is_a_failure(home: Home) -> None:
    home.start()
    topic = f"{NODE}/sensor_multilevel/endpoint_0/Air_temperature"
    home.eyes.publish(topic, zwave(20.5), retain=True)
    home.eyes.wait_value("cm/fgk101-1/data/temperature", 20.5)
    nothing: list[bytes | str] = [
        json.dumps({"time": 1}),
        zwave(None),
        zwave("unavailable"),
        zwave("NaN"),
        zwave(""),
        "null",
        "{}",
        "[]",
        b"\xff\xfe\x00\x9f",
        b"{" * 40_000,
        "[" * 30_000 + "]" * 30_000,
        json.dumps({"value": 99, "more": "x" * 70_000}),
        '{"value": 1e999}',
        '{"value":',
        "",
    ]
    for payload in nothing:
        home.eyes.publish(topic, payload)
    home.eyes.publish(topic, zwave("21.5"))
    home.wait_reading("fgk101-1", temperature=21.5)
    wrong = [zwave("warm"), zwave({"degrees": 20}), zwave(True), "20.5"]
    for payload in wrong:
        since = len(home.eyes.seen)
        home.eyes.publish(topic, payload)
        home.wait_health("fgk101-1", temperature="failing", open="ok")
        home.eyes.publish(topic, zwave(22.5 + wrong.index(payload)))
        home.eyes.wait_online("fgk101-1", since=since)
    home.wait_reading("fgk101-1", temperature=25.5)
    assert home.told("fgk101-1") == [{"temperature": one} for one in (21.5, 22.5, 23.5, 24.5, 25.5)]
    assert {one.value for one in home.eyes.on("cm/fgk101-1/data/temperature")} == {20.5, 21.5, 22.5, 23.5, 24.5, 25.5}


def test_late_and_double_reports_are_dropped_and_counted(home: Home) -> None:
    home.start()
    at, topic = time.time() - 60, f"{PLUG}/meter/endpoint_0/value/66049"
    home.eyes.publish(topic, zwave(1.0, at), retain=True)
    home.eyes.wait_value("cm/fgwpe101-1/data/power", 1.0)
    for value, seconds in ((2.0, 1), (2.0, 1), (9.0, -5), (1.0, 0), (3.0, 3), (8.0, 2), (4.0, 3.5)):
        home.eyes.publish(topic, zwave(value, at + seconds))
    home.wait_reading("fgwpe101-1", power=4.0)
    assert home.told("fgwpe101-1") == [{"power": 2.0}, {"power": 3.0}, {"power": 4.0}]
    home.eyes.ask("cm/zwave", "read", "now")
    home.eyes.wait_value("cm/zwave/data/dropped", 4)
    home.eyes.wait_value("cm/zwave/data/heard", 3)


def test_zigbee_and_tasmota_by_their_profiles_among_many_topics_of_others(home: Home) -> None:
    lamp, plug = "zigbee2mqtt/living room/lamp", "tasmota_9CF9D1"
    home.eyes.retain_all([(f"zigbee2mqtt/other {number}", '{"state":"ON","power":5}') for number in range(2000)])
    home.eyes.retain_all([(lamp, '{"state":"OFF","power":0}'), (f"tele/{plug}/LWT", "Online")])
    home.run(
        f'[sensors.lamp]\nprofile = "zigbee2mqtt"\naddress = "living room/lamp"\nonly = ["on", "power"]\n'
        f'[sensors.plug]\nprofile = "tasmota"\naddress = "{plug}"\n'
    )
    home.eyes.wait_value("cm/lamp/data/on", False)
    home.eyes.wait_online("plug")
    home.eyes.listen(f"{lamp}/set", lambda _: home.eyes.pour(lamp, ['{"state":"ON","power":0}']))
    assert home.eyes.ask("cm/lamp", "set", "on")["result"] == "done"
    home.eyes.publish(lamp, '{"state":"ON","power":"8.5","linkquality":90}')
    home.wait_reading("lamp", power=8.5)
    assert home.told("lamp") == [{"on": True}, {"power": 8.5}]
    home.eyes.listen(f"cmnd/{plug}/POWER", lambda _: home.eyes.pour(f"stat/{plug}/RESULT", ['{"POWER":"ON"}']))
    assert home.eyes.ask("cm/plug", "set", "on")["result"] == "done"
    home.wait_reading("plug", on=True)
    home.eyes.publish(f"tele/{plug}/LWT", "Offline", retain=True)
    home.wait_health("plug", on="absent", power="absent")
    home.eyes.ask("cm/zwave", "read", "now")
    home.eyes.wait_value("cm/zwave/data/heard", 3)


def test_a_changed_profile_of_the_house_counts_after_a_reload(home: Home) -> None:
    profiles = home.house.folder / "profiles"
    profiles.mkdir()
    file, text = profiles / "mine.toml", 'what = "mine"\nsilent_s = 60\nvalues = ["level = {address}/x: . %"]\n'
    file.write_text(text)
    home.eyes.retain_all([("tank/x", "40"), ("tank/y", "50")])
    running = home.run('[sensors.tank]\nprofile = "mine"\naddress = "tank"\n')
    home.eyes.wait_value("cm/tank/data/level", 40)
    file.write_text(text.replace("/x", "/y"))
    running.send(signal.SIGHUP)
    home.eyes.wait_value("cm/tank/data/level", 50)
    assert home.told("tank") == []


def test_a_device_whose_state_nothing_retains_is_asked_for_it(home: Home) -> None:
    home.eyes.retain_all([("tele/desk/LWT", "Online")])
    state = '{"Time":"2024-02-24T22:20:38","POWER":"ON","Dimmer":40}'
    home.eyes.listen("cmnd/desk/TelePeriod", lambda _: home.eyes.pour("tele/desk/STATE", [state]))
    home.run('[sensors.desk]\nprofile = "tasmota"\naddress = "desk"\nonly = ["on", "brightness"]\n')
    home.wait_reading("desk", on=True, brightness=40)
    assert [one.payload for one in home.eyes.on("cmnd/desk/TelePeriod")] == [b"?"]
