"""A gateway: one process with many sensors, which nobody on the wire can tell from sensors with one of their own."""

import os
import signal
import time

import pytest

from support.radio import radio, say
from support.world import Broker, Eyes, House, Running, eventually, retained

COUNT = 20
SENSORS = [f"s{number}" for number in range(1, COUNT + 1)]


def start(house: House, broker: Broker, text: str, top: str = "heartbeat_s = 0.5") -> Running:
    house.write(broker.port, top=top)
    house.device("radio", text)
    return house.run("radio")


def wait_online(eyes: Eyes, *sensors: str, since: int = 0) -> None:
    for sensor in sensors:
        eyes.wait_value(f"cm/{sensor}/status/state", "online", since)


def readings(eyes: Eyes, sensor: str) -> list[dict[str, object]]:
    return [one.value for one in eyes.on(f"cm/{sensor}/data/reading")]


def reload(house: House, running: Running, text: str) -> None:
    done = len(running.logged("reloaded ("))
    house.device("radio", text)
    running.send(signal.SIGHUP)
    running.wait_log("reloaded (", done + 1)


def test_each_sensor_has_its_own_birth_life_and_end(house: House, broker: Broker, eyes: Eyes) -> None:
    running = start(house, broker, radio(COUNT))
    wait_online(eyes, "radio", *SENSORS)
    for value in range(3):
        for number in range(1, COUNT + 1):
            say(house.folder, id=number, temperature=value)
    for sensor in SENSORS:
        eyes.wait(lambda _, sensor=sensor: len(readings(eyes, sensor)) == 3, f"all of {sensor}")
        assert [(one["seq"], one["temperature"]) for one in readings(eyes, sensor)] == [(1, 0), (2, 1), (3, 2)]
    runs = {readings(eyes, sensor)[0]["run"] for sensor in SENSORS}
    assert len(runs) == COUNT
    about = eyes.on("cm/s1/status/about")[-1].value
    assert about["measures"]["temperature"]["unit"] == "°C"
    assert running.stop() == 0
    for sensor in ("radio", *SENSORS):
        eyes.wait_value(f"cm/{sensor}/status/state", "stopped")
        assert "lost" not in [one.value for one in eyes.on(f"cm/{sensor}/status/state")]


def test_a_kill_is_told_of_each_and_all_come_back(house: House, broker: Broker, eyes: Eyes) -> None:
    running = start(house, broker, radio(COUNT))
    wait_online(eyes, "radio", *SENSORS)
    killed = time.monotonic()
    running.process.kill()
    seen = [eyes.wait_value(f"cm/{sensor}/status/state", "lost") for sensor in ("radio", *SENSORS)]
    assert max(one.at for one in seen) - killed < 1
    since = len(eyes.seen)
    house.run("radio")
    wait_online(eyes, "radio", *SENSORS, since=since)
    told = retained(broker.port)
    assert {told[f"cm/{sensor}/status/state"] for sensor in ("radio", *SENSORS)} == {"online"}
