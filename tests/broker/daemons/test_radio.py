"""A radio receiver: a real rtl_433 hears transmitters of our own, and each is a sensor on a real broker."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bootstrap.contract import timestamps
from bootstrap.limits import YEAR_S
from bootstrap.radio.decoders import in_program
from support.air import Air, listens, receiver_pids, receivers
from support.history import wait_stored
from support.rtl_tcp import RtlTcp
from support.transmitters import alecto_rain, alecto_temperature, alecto_wind, nexus, old_remote
from support.world import Broker, Eyes, House, Running, eventually, pipe


@pytest.fixture
def air(tmp_path: Path) -> Iterator[Air]:
    air = Air(tmp_path)
    yield air
    air.close()


def stick(air: Air, *sections: str, more: str = "") -> str:
    return f'kind = "radio"\ninput = "{air.input}"\n{more}\n' + "\n".join(sections)


ALECTO = '[sensors.alecto1]\nmodel = "AlectoV1"\nid = 44\nchannel = 1\n'
SHED = '[sensors.shed]\nmodel = "Nexus-TH"\nid = 181\nchannel = 2\n'


def start(house: House, broker: Broker, text: str) -> Running:
    house.write(broker.port, top="heartbeat_s = 0.5")
    house.device("stick", text)
    return house.run("stick")


def readings(eyes: Eyes, sensor: str) -> list[dict[str, Any]]:
    return [one.value for one in eyes.on(f"cm/{sensor}/data/reading")]


def test_the_decoders_of_rtl_433_are_known() -> None:
    found = in_program("rtl_433")
    assert len(found) > 200
    assert [found[number].private for number in (16, 19, 23, 60)] == [False, False, True, True]


def test_a_station_is_one_sensor_whatever_it_speaks_as(house: House, broker: Broker, eyes: Eyes, air: Air) -> None:
    running = start(house, broker, stick(air, ALECTO, SHED))
    eyes.wait_value("cm/alecto1/status/state", "online")
    air.send(alecto_temperature(44, -0.5, 81), nexus(181, 2, -12.3, 33, battery=False))
    eyes.wait_value("cm/alecto1/data/temperature", -0.5)
    eyes.wait_value("cm/alecto1/data/humidity", 81)
    eyes.wait_value("cm/alecto1/data/battery", "ok")
    eyes.wait_value("cm/shed/data/temperature", -12.3)
    eyes.wait_value("cm/shed/data/battery", "low")
    eyes.wait_value("cm/stick/data/searching", value=False)
    listens(running, 16, 19)
    air.send(alecto_wind(44, 1.4, 3, 135), alecto_rain(44, 12.75))
    eyes.wait_value("cm/alecto1/data/wind_avg", 1.4)
    eyes.wait_value("cm/alecto1/data/wind_max", 3)
    eyes.wait_value("cm/alecto1/data/wind_dir", 135)
    eyes.wait_value("cm/alecto1/data/rain", 12.75)
    assert running.stop() == 0
    eyes.wait_value("cm/alecto1/status/state", "stopped")
    assert len(readings(eyes, "alecto1")) == 3
    about = eyes.on("cm/alecto1/status/about")[-1].value
    assert {name: one["unit"] for name, one in about["measures"].items()} == {
        "temperature": "°C",
        "humidity": "%",
        "battery": "str",
        "wind_avg": "m/s",
        "wind_max": "m/s",
        "wind_dir": "°",
        "rain": "mm",
    }
    assert about["measures"]["rain"]["counter"] is True
    announced = eyes.on("homeassistant/device/cm-alecto1/config")[-1].value["cmps"]
    assert {"data_temperature", "data_rain", "data_wind_dir"} < announced.keys()
    assert "data_pressure" not in announced  # which it has never sent


def watched(house: House, line: str) -> bool:
    """Whether `penates watch` shows this line, in the end."""
    command = [sys.executable, "-m", "penates", "watch", "--config", str(house.folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=house.env(), text=True) as watch:
        try:
            return any(one.rstrip() == line for one in pipe(watch.stdout))
        finally:
            watch.kill()


def test_what_a_station_sends_is_in_the_history_once_and_can_be_watched(
    house: House, broker: Broker, eyes: Eyes, air: Air
) -> None:
    running = start(house, broker, stick(air, ALECTO))
    house.device("recorder", 'kind = "recorder"\nkeep_days = 36500\n')
    recorder = house.run("recorder")
    for sensor in ("alecto1", "recorder"):
        eyes.wait_value(f"cm/{sensor}/status/state", "online")
    air.send(alecto_temperature(44, -0.5, 81))
    listens(running, 16)
    air.send(alecto_wind(44, 1.4, 3, 135), alecto_rain(44, 12.75), alecto_temperature(44, -2.3, 82))
    eyes.wait_value("cm/alecto1/data/temperature", -2.3)
    assert watched(house, "cm/alecto1/data/temperature -2.3")
    rows = [fields for _seq, _at, fields in wait_stored(house, 4, "cm/alecto1")]
    assert (running.stop(), recorder.stop()) == (0, 0)
    assert rows == [
        {"temperature": -0.5, "humidity": 81, "battery": "ok"},
        {"wind_avg": 1.4, "wind_max": 3, "wind_dir": 135, "battery": "ok"},
        {"rain": 12.75, "battery": "ok"},
        {"temperature": -2.3, "humidity": 82, "battery": "ok"},
    ]


REMOTE = '[sensors.remote-c]\nmodel = "Waveman-Switch"\nid = "C"\n'


def test_a_press_is_one_event_however_often_it_is_repeated(house: House, broker: Broker, eyes: Eyes, air: Air) -> None:
    running = start(house, broker, stick(air, REMOTE))
    eyes.wait_value("cm/remote-c/status/state", "online")
    air.send(*[old_remote("C", 5, on=True)] * 20)  # held
    eyes.wait_value("cm/remote-c/data/channel_2_button_1", "on")
    listens(running, 4)
    air.send(*[old_remote("C", 6, on=False)] * 4)
    eyes.wait_value("cm/remote-c/data/channel_2_button_2", "off")
    assert running.stop() == 0
    eyes.wait_value("cm/remote-c/status/state", "stopped")
    presses = [one for one in eyes.seen if one.topic.startswith("cm/remote-c/data/") and "reading" not in one.topic]
    assert [(one.value, one.retain) for one in presses] == [("on", False), ("off", False)]
    about = eyes.on("cm/remote-c/status/about")[-1].value["measures"]["channel_2_button_1"]
    assert (about["event"], about["every_s"]) == (True, YEAR_S)  # nobody knows when somebody presses it


def unknown_ones(eyes: Eyes) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [one.value["heard"] for one in eyes.on("cm/stick/status/unknown")][-1]
    return found


@pytest.mark.long
def test_who_is_unknown_is_listed_and_adopted_by_a_number(house: House, broker: Broker, eyes: Eyes, air: Air) -> None:
    text = stick(air, more='ignore = ["Nexus-TH 7", "Prologue*"]')
    running = start(house, broker, text)
    eyes.wait_value("cm/stick/data/searching", value=True)
    # As the old remote transmits, a smoke detector and an alarm seem to do: nobody is told of such.
    air.send(nexus(7, 1, 3), nexus(181, 2, -12.3, 33), old_remote("C", 5, on=True), nexus(9, 1, 4))
    eyes.wait(lambda _: [one for one in unknown_ones(eyes) if one["key"].get("id") == 9], "they are listed")
    listed = {one["number"]: (one["key"], one["example"]) for one in unknown_ones(eyes)}
    assert listed == {
        1: ({"model": "Nexus-TH", "id": 181, "channel": 2}, "battery ok, temperature -12.3 °C, humidity 33 %"),
        2: ({"model": "Waveman-Switch", "id": "C"}, "channel_2_button_1 on"),
        3: ({"model": "Nexus-TH", "id": 9, "channel": 1}, "battery ok, temperature 4.0 °C, humidity 50 %"),
    }
    shown = house.penates("unknown").stdout
    assert re.search(r"^1 +cm/stick +--model Nexus-TH --id 181 --channel 2 +1 .*-12.3 °C", shown, re.MULTILINE)
    assert house.penates("new", "shed", "--from", "cm/stick", "9").returncode == 78
    done = house.penates("new", "shed", "--from", "cm/stick", "1")
    assert (done.returncode, done.stderr) == (0, "")
    assert (house.folder / "devices" / "stick.toml").read_text() == text + "\n" + SHED
    running.send(signal.SIGHUP)
    eyes.wait_value("cm/shed/status/state", "online")
    air.send(nexus(181, 2, -12.4, 33))
    eyes.wait_value("cm/shed/data/temperature", -12.4)
    eyes.wait(lambda _: 181 not in [one["key"]["id"] for one in unknown_ones(eyes)], "it is unknown no more")
    listens(running, 19)
    air.send(old_remote("D", 5, on=True), nexus(10, 1, 4))
    eyes.wait(lambda _: 10 in [one["key"]["id"] for one in unknown_ones(eyes)], "only what its decoder hears is listed")
    assert "D" not in [one["key"]["id"] for one in unknown_ones(eyes)]
    since = len(eyes.seen)
    assert eyes.ask("cm/stick", "search", '{"state": "on", "for_s": 3600}')["result"] == "done"
    eyes.wait_value("cm/stick/data/searching", value=True, since=since)
    eventually(lambda: [one for one in receivers(running) if "-60" in one], "all are on, but those of tyres and alarms")
    assert eyes.ask("cm/stick", "search", "off")["result"] == "done"
    listens(running, 19)
    assert running.stop() == 0


@pytest.mark.long
def test_nobody_is_told_of_an_alarm_though_its_decoder_is_on(
    house: House, broker: Broker, eyes: Eyes, air: Air, tmp_path: Path
) -> None:
    """A program that does not list its decoders has all of them on, those of alarms and smoke detectors, too."""
    program = tmp_path / "silent_433"
    program.write_text('#!/bin/sh\ncase "$*" in *help) exit 0 ;; esac\nexec rtl_433 "$@"\n')
    program.chmod(0o755)
    running = start(house, broker, stick(air, more=f'program = "{program}"'))
    eyes.wait_value("cm/stick/data/searching", value=True)
    air.send(old_remote("C", 5, on=True), nexus(9, 1, 4))  # as what also a smoke detector sends
    eyes.wait(lambda _: [one for one in unknown_ones(eyes) if one["key"]["id"] == 9], "the last one is listed")
    assert {one["key"]["model"] for one in unknown_ones(eyes)} == {"Waveman-Switch", "Nexus-TH"}
    assert running.stop() == 0
    assert "Smoke" not in "".join(one.payload.decode() for one in eyes.seen)


@pytest.mark.long
def test_alarms_of_others_are_listed_only_while_one_searches(
    house: House, broker: Broker, eyes: Eyes, air: Air
) -> None:
    """The decoder of smoke detectors is on because its owner has one; the neighbours have others."""
    smoke = 86
    running = start(house, broker, stick(air, SHED, more=f"decoders = [{smoke}]"))
    air.send(nexus(181, 2, 1))
    eyes.wait_value("cm/shed/data/temperature", 1)
    listens(running, 19, smoke)
    air.send(old_remote("C", 5, on=True), nexus(9, 1, 4))  # the former as a smoke detector sends, too
    eyes.wait(lambda _: unknown_ones(eyes), "who is unknown")
    assert [one["key"]["model"] for one in unknown_ones(eyes)] == ["Nexus-TH"]
    assert eyes.ask("cm/stick", "search", "on")["result"] == "done"
    eventually(lambda: ["-60" in one for one in receivers(running)] == [True], "all but those of tyres are on")
    air.send(old_remote("C", 6, on=True))

    def listed() -> list[str]:
        return [one["key"]["model"] for one in unknown_ones(eyes)]

    eyes.wait(lambda _: "Smoke-GS558" in listed(), "it is listed")
    assert eyes.ask("cm/stick", "search", "off")["result"] == "done"
    eyes.wait(lambda _: "Smoke-GS558" not in listed(), "it is listed no more")
    assert running.stop() == 0


def test_a_new_battery_is_offered_or_followed(house: House, broker: Broker, eyes: Eyes, air: Air) -> None:
    other = SHED.replace("shed", "attic").replace("181", "55").replace("channel = 2", "channel = 3\nevery_s = 0.2")
    running = start(house, broker, stick(air, SHED + "every_s = 0.2\n", other + "follow = true\n"))
    eyes.wait_value("cm/attic/status/state", "online")
    air.send(nexus(181, 2, 1))
    listens(running, 19)
    air.send(nexus(55, 3, 2))
    eyes.wait_value("cm/attic/data/temperature", 2)
    for sensor in ("shed", "attic"):
        eyes.wait_value(f"cm/{sensor}/status/state", "fault")  # it is silent for too long
    air.send(nexus(182, 2, 1.5))
    offered = lambda _: eyes.on("cm/shed/status/about")[-1].value.get("successor")  # noqa: E731
    assert eyes.wait(offered, "it is offered") == {"model": "Nexus-TH", "id": 182, "channel": 2}
    eyes.wait(
        lambda _: unknown_ones(eyes) and unknown_ones(eyes)[0].get("successor_of") == "shed", "the list says of whom"
    )
    assert running.logged("may be it with a new battery")
    air.send(nexus(181, 2, 1.7))
    eyes.wait_value("cm/shed/data/temperature", 1.7)
    eyes.wait(lambda _: "successor" not in eyes.on("cm/shed/status/about")[-1].value, "it is itself again")
    air.send(nexus(56, 3, 2.5), nexus(56, 3, 2.6))
    running.wait_log("from now on this one is it")
    air.send(nexus(56, 3, 2.7))
    eyes.wait_value("cm/attic/data/temperature", 2.7)
    followed = lambda _: eyes.on("cm/attic/status/about")[-1].value.get("followed")  # noqa: E731
    assert eyes.wait(followed, "who it is now")["id"] == 56
    assert running.stop() == 0
    running = house.run("stick")
    eyes.wait_value("cm/attic/status/state", "stopped")
    air.send(nexus(56, 3, 2.8))
    eyes.wait_value("cm/attic/data/temperature", 2.8)  # which it remembers
    assert running.stop() == 0


def test_how_often_a_station_sends_is_learnt(house: House, broker: Broker, eyes: Eyes, air: Air) -> None:
    running = start(house, broker, stick(air, SHED))
    eyes.wait_value("cm/shed/status/state", "online")

    def told() -> float:
        """How often the station sends, as others are told."""
        measures = eyes.on("cm/shed/status/about")[-1].value["measures"]
        return float(measures.get("temperature", {"every_s": 0})["every_s"])

    air.send(nexus(181, 2, 0))
    listens(running, 19)
    assert told() == 600
    for number in range(1, 5):
        air.send(nexus(181, 2, number))
        eyes.wait_value("cm/shed/data/temperature", number)
    eyes.wait(lambda _: told() != 600, "it is learnt")
    assert told() < 10
    eyes.wait_value("cm/shed/status/state", "fault")
    assert running.stop() == 0


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ('input = ":none"', ("ended with exit code 2: No supported devices found.", "absent")),
        ('input = "rtl_tcp:127.0.0.1:1"', ("ended with exit code 2: connect: Connection refused", "failing")),
        ('input = "ook:/nowhere"', ("ended with exit code 0: Opening file: ook:/nowhere failed!", "absent")),
        ('input = "rtl_tcp:127.0.0.1:1"\noptions = ["-Q"]', ("rtl_433: invalid option -- 'Q'", "failing")),
        ('input = "0"\nprogram = "no-such-program"', ("No such file or directory: 'no-such-program'", "failing")),
    ],
)
def test_a_receiver_that_does_not_work_says_why(
    house: House, broker: Broker, eyes: Eyes, setting: str, told: tuple[str, str]
) -> None:
    running = start(house, broker, f'kind = "radio"\n{setting}\n{SHED}every_s = 0.3\n')
    eyes.wait_value("cm/stick/status/state", "fault")
    eyes.wait_value("cm/shed/status/state", "fault")
    said = lambda seen: [one for one in seen if one.topic == "cm/stick/status/health" and one.value["heard"]["why"]]  # noqa: E731
    found = eyes.wait(said, "why")[-1].value["heard"]
    assert found["why"].endswith(told[0])
    assert found["health"] == told[1]
    assert running.logged("a stream is not open")
    assert running.stop() == 0


def test_a_decoder_that_is_not_there_is_named(house: House, broker: Broker, eyes: Eyes, air: Air) -> None:
    running = start(house, broker, stick(air, SHED, more="decoders = [23, 999]"))
    eyes.wait_value("cm/stick/status/state", "fault")
    beat = "cm/stick/status/heartbeat"
    eyes.wait(lambda _: any("rtl_433 has no decoder 999" in str(one.value["why"]) for one in eyes.on(beat)), "why")
    air.send(nexus(181, 2, 1))
    eyes.wait_value("cm/shed/data/temperature", 1)
    listens(running, 19, 23)  # its own, and the one that is on in any case
    assert running.stop() == 0


def test_a_receiver_that_is_killed_is_started_again(house: House, broker: Broker, eyes: Eyes, air: Air) -> None:
    running = start(house, broker, stick(air, SHED))
    air.send(nexus(181, 2, 1))
    eyes.wait_value("cm/shed/data/temperature", 1)
    listens(running, 19)
    for number in (2, 3):
        since = len(eyes.seen)
        os.kill(receiver_pids(running)[0], signal.SIGKILL)
        eyes.wait_value("cm/stick/status/state", "fault", since)
        air.send(nexus(181, 2, number))
        eyes.wait_value("cm/shed/data/temperature", number, since)
        eyes.wait_value("cm/stick/status/state", "online", since)
    assert "was killed by SIGKILL" in running.log
    assert running.stop() == 0


STICK = """#!/bin/sh
case "$*" in *help) exec rtl_433 "$@" ;; esac
[ ! -e {0}/pulled ] || exec rtl_433 -c /dev/null -d :none
[ ! -e {0}/taken ] || {{ echo 'usb_claim_interface error -6\nFailed to open rtlsdr device #0.' >&2; exit 2; }}
exec rtl_433 "$@"
"""


def health(eyes: Eyes, sensor: str, measure: str) -> dict[str, Any]:
    """The newest that is known of a measure."""
    found: dict[str, Any] = eyes.on(f"cm/{sensor}/status/health")[-1].value.get(measure, {})
    return found


def silent_s(found: dict[str, Any]) -> float:
    """For how long a measure had no value when its health changed."""
    since, last = (timestamps.parse(found[name]).timestamp() for name in ("since", "last_good"))
    return since - last


@pytest.mark.long
def test_of_a_stick_that_is_pulled_out_each_sensor_is_stale_in_its_time(
    house: House, broker: Broker, eyes: Eyes, air: Air, tmp_path: Path
) -> None:
    program = tmp_path / "stick"
    program.write_text(STICK.format(tmp_path))
    program.chmod(0o755)
    periods = {"shed": 0.5, "attic": 1.5, "cellar": 600.0}
    key = '[sensors.{}]\nmodel = "Nexus-TH"\nid = {}\nchannel = 2\nevery_s = {}\n'
    sections = [key.format(name, number, every_s) for number, (name, every_s) in enumerate(periods.items(), 11)]
    running = start(house, broker, stick(air, *sections, more=f'program = "{program}"\nevery_s = 0.5'))
    air.send(nexus(11, 2, 11))
    eyes.wait_value("cm/shed/data/temperature", 11)
    listens(running, 19)
    air.send(nexus(12, 2, 12), nexus(13, 2, 13))
    eyes.wait_value("cm/cellar/data/temperature", 13)
    since = len(eyes.seen)
    (tmp_path / "pulled").touch()
    os.kill(receiver_pids(running)[0], signal.SIGKILL)
    eyes.wait_value("cm/stick/status/state", "fault", since)
    for sensor in ("shed", "attic"):
        stale = lambda _, name=sensor: health(eyes, name, "temperature").get("health") == "stale"  # noqa: E731
        eyes.wait(stale, f"{sensor} is stale")
        assert 3 * periods[sensor] <= silent_s(health(eyes, sensor, "temperature"))
        eyes.wait_value(f"cm/{sensor}/status/state", "fault", since)
    eyes.wait(lambda _: health(eyes, "stick", "heard")["health"] == "absent", "the stick is absent")
    assert health(eyes, "stick", "heard")["why"].endswith("No supported devices found.")
    (tmp_path / "taken").touch()
    (tmp_path / "pulled").unlink()
    eyes.wait(lambda _: health(eyes, "stick", "heard")["health"] == "failing", "another has the stick")
    assert health(eyes, "stick", "heard")["why"].endswith("usb_claim_interface error -6")
    assert health(eyes, "cellar", "temperature")["health"] == "ok", "it need not have sent yet"
    (tmp_path / "taken").unlink()
    since = len(eyes.seen)
    air.send(nexus(12, 2, 10))
    eyes.wait_value("cm/attic/data/temperature", 10, since)
    eyes.wait_value("cm/stick/status/state", "online", since)
    assert running.stop() == 0


def test_two_stations_of_one_id_are_one_whose_jumps_are_refused(
    house: House, broker: Broker, eyes: Eyes, air: Air
) -> None:
    running = start(house, broker, stick(air, SHED))
    air.send(nexus(181, 2, 20.0, 50))
    eyes.wait_value("cm/shed/data/temperature", 20)
    listens(running, 19)
    for number in range(1, 4):
        air.send(nexus(181, 2, -5.0, 80), nexus(181, 2, 20 + number / 10, 50))
    eyes.wait_value("cm/shed/data/temperature", 20.3)
    assert running.stop() == 0
    eyes.wait_value("cm/shed/status/state", "stopped")
    assert [one["temperature"] for one in readings(eyes, "shed") if "temperature" in one] == [20, 20.1, 20.2, 20.3]
    told = [one.value.get("temperature", {}).get("why") or "" for one in eyes.on("cm/shed/status/health")]
    assert any("-5 °C is more than 10 away from the last good value" in why for why in told)


def test_a_probe_that_is_put_into_a_freezer_is_believed_at_the_third_value_or_at_once(
    house: House, broker: Broker, eyes: Eyes, air: Air
) -> None:
    cold = SHED.replace("shed", "cold").replace("181", "55") + "[sensors.cold.temperature]\nstep = 100\n"
    running = start(house, broker, stick(air, SHED, cold))
    air.send(nexus(181, 2, 21.0))
    eyes.wait_value("cm/shed/data/temperature", 21)
    listens(running, 19)
    air.send(nexus(55, 2, 21.0))
    eyes.wait_value("cm/cold/data/temperature", 21)
    for celsius in (-3.0, -9.5, -14.0, -16.5):
        air.send(nexus(181, 2, celsius), nexus(55, 2, celsius))
    for sensor in ("shed", "cold"):
        eyes.wait_value(f"cm/{sensor}/data/temperature", -16.5)
    assert running.stop() == 0
    eyes.wait_value("cm/shed/status/state", "stopped")
    found = {
        name: [one["temperature"] for one in readings(eyes, name) if "temperature" in one] for name in ("shed", "cold")
    }
    assert found == {"shed": [21, -14, -16.5], "cold": [21, -3, -9.5, -14, -16.5]}


def test_a_value_that_cannot_be_is_refused(house: House, broker: Broker, eyes: Eyes, air: Air) -> None:
    running = start(house, broker, stick(air, SHED, "[sensors.shed.humidity]\nhigh = 90\n"))
    air.send(nexus(181, 2, 1.0, 50))
    eyes.wait_value("cm/shed/data/temperature", 1)
    listens(running, 19)
    air.send(nexus(181, 2, 44.0, 95))  # such as what noise looks like
    eyes.wait_value("cm/shed/status/state", "fault")
    air.send(nexus(181, 2, 1.1, 51))
    eyes.wait_value("cm/shed/data/humidity", 51)
    assert running.stop() == 0
    eyes.wait_value("cm/shed/status/state", "stopped")
    assert [one.get("temperature") for one in readings(eyes, "shed")] == [1.0, None, 1.1]
    refused = [
        one for one in eyes.on("cm/shed/status/health") if one.value.get("temperature", {}).get("health") == "failing"
    ]
    assert "44 °C is more than 10 away" in refused[0].value["temperature"]["why"]
    assert "95 % is not within 0 to 90" in refused[0].value["humidity"]["why"]


@pytest.mark.long
def test_a_flood_of_neighbours_costs_the_adopted_nothing(house: House, broker: Broker, eyes: Eyes, air: Air) -> None:
    running = start(house, broker, stick(air, SHED))
    air.send(nexus(181, 2, 0))
    eyes.wait_value("cm/shed/data/temperature", 0)
    listens(running, 19)
    for number in range(100):
        air.send(nexus(number, 3, 20 + number % 5), nexus(181, 2, number / 10))
    eyes.wait(lambda _: len(readings(eyes, "shed")) == 100, "all of its own")
    assert [one["temperature"] for one in readings(eyes, "shed")] == [0, *(number / 10 for number in range(1, 100))]
    dropped = lambda _: eyes.on("cm/stick/status/unknown")[-1].value["dropped"]  # noqa: E731
    eyes.wait(dropped, "more than can be listed")
    assert len(unknown_ones(eyes)) == 50
    assert running.stop() == 0


@pytest.fixture
def rtl_tcp() -> Iterator[RtlTcp]:
    server = RtlTcp()
    yield server
    server.close()


@pytest.mark.long
def test_a_receiver_elsewhere_is_heard_in_real_time_and_may_stall(
    house: House, broker: Broker, eyes: Eyes, rtl_tcp: RtlTcp
) -> None:
    running = start(house, broker, f'kind = "radio"\ninput = "{rtl_tcp.input}"\n{SHED}')
    eyes.wait_value("cm/shed/status/state", "online")
    began = time.time()
    rtl_tcp.send(nexus(181, 2, -0.5))
    eyes.wait_value("cm/shed/data/temperature", -0.5)
    (one,) = eyes.wait(lambda _: readings(eyes, "shed"), "its reading")
    assert began - 1 < timestamps.parse(one["time"]).timestamp() < time.time()  # the time at which it was on the air
    assert one["snr"] > 10
    listens(running, 19)
    eventually(lambda: rtl_tcp.clients == 2, "it is connected again")
    for number, trouble, words in ((1, rtl_tcp.hang_up, "sync read failed"), (2, rtl_tcp.stall, "read stalled")):
        since = len(eyes.seen)
        trouble()
        eyes.wait_value("cm/stick/status/state", "fault", since)
        rtl_tcp.send(nexus(181, 2, number))
        eyes.wait_value("cm/shed/data/temperature", number, since)
        eyes.wait_value("cm/stick/status/state", "online", since)
        assert words in running.log
    health = [one.value["heard"]["health"] for one in eyes.on("cm/stick/status/health")]
    assert "absent" in health
    assert running.stop() == 0
