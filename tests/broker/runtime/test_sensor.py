"""What one thermometer says on a real broker, from birth to every kind of end."""

import json
import re
import signal

import pytest

from support.paths import ROOT
from support.world import Broker, Eyes, House, Wanted, retained

TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"


def test_every_topic_of_the_contract_with_its_retain_flag(cellar: House, broker: Broker, eyes: Eyes) -> None:
    cellar.run()
    eyes.wait_value("cm/cellar/status/state", "online")
    eyes.wait(lambda seen: [one for one in seen if one.topic == "cm/cellar/data/reading"], "a reading")
    eyes.ask("cm/cellar", "read", "now")
    flags = {one.topic: (one.retain, one.qos) for one in eyes.seen}
    flags.pop("cm/cellar/action/read")
    assert flags == {
        "cm/cellar/data/temperature": (True, 1),
        "cm/cellar/data/reading": (False, 1),
        "cm/cellar/status/state": (True, 1),
        "cm/cellar/status/heartbeat": (True, 1),
        "cm/cellar/status/health": (True, 1),
        "cm/cellar/status/about": (True, 1),
        "cm/cellar/status/action": (False, 1),
        "homeassistant/device/cm-cellar/config": (True, 1),
    }
    assert set(retained(broker.port)) == {topic for topic, (retain, _) in flags.items() if retain}


def test_the_payloads(cellar: House, eyes: Eyes) -> None:
    cellar.run()
    reading = eyes.wait(lambda seen: [one for one in seen if one.topic == "cm/cellar/data/reading"], "a reading")[
        0
    ].value
    assert list(reading) == ["time", "run", "seq", "temperature"]
    assert re.fullmatch(TIME, reading["time"])
    assert (reading["seq"], reading["temperature"]) == (1, 21.5)
    heartbeat = eyes.on("cm/cellar/status/heartbeat")[0].value
    assert " ".join(heartbeat) == (
        "time clock run uptime_s heartbeat_s why last_reading reads faults invalid reconnects queued on_disk storage "
        "dropped rss_mb host"
    )
    contract = (ROOT / "docs" / "TOPICS.md").read_text()
    assert [field for field in (*reading, *heartbeat) if f"`{field}`" not in contract] == ["temperature"]
    assert (heartbeat["run"], heartbeat["last_reading"]) == (reading["run"], reading["time"])
    assert (heartbeat["heartbeat_s"], heartbeat["reads"], heartbeat["faults"]) == (60, 1, 0)
    about = eyes.on("cm/cellar/status/about")[0].value
    assert list(about) == ["kind", "measures", "actions", "heartbeat_s", "version", "host"]
    assert about["measures"] == {"temperature": {"unit": "°C", "low": -55, "high": 125, "step": 10, "every_s": 1}}
    assert about["actions"] == {"log": {"words": ["debug", "info", "warning", "error"]}, "read": {"words": ["now"]}}


def test_birth_is_in_order_and_readings_follow_without_a_gap(cellar: House, eyes: Eyes) -> None:
    cellar.thermometer(every_s=0.02)
    cellar.run()
    readings = eyes.wait(lambda seen: [one.value for one in seen if one.topic.endswith("reading")][40:], "41 readings")
    readings = [one.value for one in eyes.on("cm/cellar/data/reading")]
    assert [one["seq"] for one in readings] == list(range(1, len(readings) + 1))
    times = [one["time"] for one in readings]
    assert times == sorted(set(times))
    order = list(dict.fromkeys(one.topic.rpartition("/")[2] for one in eyes.seen))
    assert order == ["state", "about", "config", "heartbeat", "health", "temperature", "reading"]


@pytest.mark.parametrize(("millidegrees", "celsius"), [(-500, -0.5), (-12300, -12.3), (0, 0.0), (84999, 84.999)])
def test_cold_and_hot(cellar: House, eyes: Eyes, millidegrees: int, celsius: float) -> None:
    cellar.probe("cellar", millidegrees)
    cellar.run()
    eyes.wait_value("cm/cellar/data/temperature", celsius)


@pytest.mark.parametrize("text", ["", "85000", "125001", "x", "nan"])
def test_what_is_no_temperature_is_a_fault_and_never_published(cellar: House, eyes: Eyes, text: str) -> None:
    cellar.probe("cellar", text)
    running = cellar.run()
    eyes.wait_value("cm/cellar/status/state", "fault")
    cellar.probe("cellar", 20000)
    eyes.wait_value("cm/cellar/status/state", "online")
    values = {one.value for one in eyes.on("cm/cellar/data/temperature")}
    assert values == {20.0}
    assert len(running.logged("cannot read the device")) == 1


def test_a_vanished_probe_is_one_log_line_and_its_return_another(cellar: House, eyes: Eyes) -> None:
    running = cellar.run()
    eyes.wait_value("cm/cellar/status/state", "online")
    cellar.probe("cellar", 21500).unlink()
    fault = eyes.wait_value("cm/cellar/status/state", "fault")
    heartbeat = '{"id": 1}'
    assert eyes.ask("cm/cellar", "read", heartbeat)["result"] == "refused"
    since = eyes.seen.index(fault)
    cellar.probe("cellar", 22000)
    eyes.wait_value("cm/cellar/status/state", "online", since)
    eyes.wait_value("cm/cellar/data/temperature", 22.0)
    assert len(running.logged("cannot read the device")) == 1
    assert len(running.wait_log("reading again")) == 1


def readings_of(sensor: str) -> Wanted:
    return lambda seen: [one for one in seen if one.topic == f"cm/{sensor}/data/reading"][5:]


def stop_with_readings_flowing(house: House, eyes: Eyes, sensors: list[str]) -> None:
    for sensor in sensors:
        house.thermometer(sensor, every_s=0.02)
    running = {sensor: house.run(sensor) for sensor in sensors}
    for sensor in sensors:
        eyes.wait(readings_of(sensor), f"readings of {sensor}", 60)
    for daemon in running.values():
        daemon.send(signal.SIGTERM)
    assert [daemon.wait(60) for daemon in running.values()] == [0] * len(sensors)
    for sensor in sensors:
        eyes.wait_value(f"cm/{sensor}/status/state", "stopped")
        states = [one.value for one in eyes.on(f"cm/{sensor}/status/state")]
        assert (states[-1], states.count("lost")) == ("stopped", 0)
        readings = [one.value["seq"] for one in eyes.on(f"cm/{sensor}/data/reading")]
        assert readings == list(range(1, len(readings) + 1))
        assert "has not acknowledged everything" not in running[sensor].log


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_sigterm_says_stopped_and_the_will_never_fires(house: House, broker: Broker, eyes: Eyes, protocol: str) -> None:
    house.write(broker.port, broker=f'protocol = "{protocol}"')
    stop_with_readings_flowing(house, eyes, [f"s{number}" for number in range(5)])
    eyes.publish("end/of/all/wills", b"now")
    eyes.wait_value("end/of/all/wills", "now")
    assert not [one for one in eyes.seen if one.payload == b"lost"]


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_sigterm_fifty_times(house: House, broker: Broker, eyes: Eyes) -> None:
    house.write(broker.port)
    for tens in range(5):
        stop_with_readings_flowing(house, eyes, [f"s{tens}{number}" for number in range(10)])
    assert not [one for one in eyes.seen if one.payload == b"lost"]


def test_ctrl_c_stops_in_order_too(cellar: House, eyes: Eyes) -> None:
    running = cellar.run()
    eyes.wait_value("cm/cellar/status/state", "online")
    assert running.stop(signal.SIGINT) == 0
    eyes.wait_value("cm/cellar/status/state", "stopped")


def test_commands_that_pour_in_do_not_spoil_the_goodbye(cellar: House, broker: Broker, eyes: Eyes) -> None:
    """Unread data at close would reset the connection, and the broker would publish the will."""
    running = cellar.run()
    eyes.wait_value("cm/cellar/status/state", "online")
    running.send(signal.SIGTERM)
    eyes.pour("cm/cellar/action/read", [f'{{"id": {number}}}' for number in range(300)])
    assert running.wait() == 0
    eyes.wait_value("cm/cellar/status/state", "stopped")
    assert retained(broker.port)["cm/cellar/status/state"] == "stopped"


def test_sigkill_is_lost(cellar: House, broker: Broker, eyes: Eyes) -> None:
    running = cellar.run()
    eyes.wait_value("cm/cellar/status/state", "online")
    running.stop(signal.SIGKILL)
    lost = eyes.wait_value("cm/cellar/status/state", "lost")
    assert lost.retain
    assert retained(broker.port)["cm/cellar/status/state"] == "lost"


def test_whoever_hears_itself_called_lost_says_that_it_is_not(cellar: House, eyes: Eyes) -> None:
    running = cellar.run()
    eyes.wait_value("cm/cellar/status/state", "online")
    running.wait_log("connected")
    eyes.ask("cm/cellar", "read", "now")
    since = len(eyes.seen)
    eyes.publish("cm/cellar/status/state", "lost", retain=True)
    eyes.wait_value("cm/cellar/status/state", "online", since)


def test_a_second_daemon_of_the_same_sensor_is_refused(cellar: House, eyes: Eyes) -> None:
    first = cellar.run()
    eyes.wait_value("cm/cellar/status/state", "online")
    second = cellar.run()
    assert second.wait() == 75
    assert f"process {first.pid}" in second.log
    first.stop(signal.SIGKILL)
    third = cellar.run()
    third.wait_log("connected")


def test_settings_of_the_house_reach_the_wire_and_the_log(house: House, broker: Broker, eyes: Eyes) -> None:
    house.write(broker.port, top="heartbeat_s = 0", log='level = "info"\nformat = "json"')
    file = house.device("attic", 'kind = "thermometer"\nserial = "28-attic"\nbus = "bus"\n')
    house.probe("attic", 1000)
    file.write_text(file.read_text() + 'group = "loft"\nsensor = "top"\nevery_s = 0.05\n')
    eyes.publish("loft/top/status/heartbeat", '{"heartbeat_s":60}', retain=True)  # by a run that had some
    running = house.run("attic")
    eyes.wait(lambda seen: [one for one in seen if one.topic == "loft/top/data/reading"][5:], "readings")
    assert [one.payload for one in eyes.on("loft/top/status/heartbeat")[1:]] == [b""]
    assert running.stop() == 0
    lines = [json.loads(line) for line in running.lines]
    assert {line["sensor"] for line in lines} == {"loft/top"}
    assert {line["level"] for line in lines} == {"info"}


def test_heartbeats_come_as_often_as_they_say(cellar: House, broker: Broker, eyes: Eyes) -> None:
    cellar.write(broker.port, top="heartbeat_s = 0.2")
    cellar.run()
    beats: Wanted = lambda seen: [one for one in seen if one.topic.endswith("heartbeat")]  # noqa: E731
    found = eyes.wait(lambda seen: beats(seen)[:6] if len(beats(seen)) > 5 else None, "six heartbeats")
    assert 0.7 < found[-1].at - found[1].at < 2
    assert [one.value["heartbeat_s"] for one in found] == [0.2] * 6
    assert found[-1].value["uptime_s"] > found[1].value["uptime_s"]
