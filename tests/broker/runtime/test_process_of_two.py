"""One process with two sensors: on the wire nobody can tell them from sensors with a process of their own."""

import sys
from collections.abc import Iterator

import pytest

from support.paths import SEVERAL
from support.world import Broker, Eyes, House, Running, retained

SENSORS = ("attic", "cellar")


@pytest.fixture
def two(house: House, broker: Broker) -> Iterator[Running]:
    house.write(broker.port, top="heartbeat_s = 0.5")
    for sensor in SENSORS:
        house.thermometer(sensor, every_s=0.1)
    command = [sys.executable, SEVERAL, str(house.folder), *SENSORS]
    running = Running(command, house.env())
    yield running
    running.close()


def test_each_has_its_own_birth_life_and_end(two: Running, eyes: Eyes) -> None:
    for sensor in SENSORS:
        eyes.wait_value(f"cm/{sensor}/status/state", "online")
        eyes.wait_value(f"cm/{sensor}/data/temperature", 21.5)
    runs = {sensor: eyes.on(f"cm/{sensor}/status/heartbeat")[0].value["run"] for sensor in SENSORS}
    assert runs["attic"] != runs["cellar"]
    assert eyes.ask("cm/attic", "read", "now")["result"] == "done"
    two.stop()
    assert two.wait() == 0
    for sensor in SENSORS:
        eyes.wait_value(f"cm/{sensor}/status/state", "stopped")
        states = [one.value for one in eyes.on(f"cm/{sensor}/status/state")]
        assert (states[-1], states.count("lost")) == ("stopped", 0)
        readings = [one.value for one in eyes.on(f"cm/{sensor}/data/reading")]
        assert [one["seq"] for one in readings] == [*range(1, len(readings) + 1)]
        assert {one["run"] for one in readings} == {runs[sensor]}


def test_one_that_fails_leaves_the_other_alone(two: Running, house: House, eyes: Eyes) -> None:
    eyes.wait_value("cm/attic/status/state", "online")
    house.probe("attic", "").unlink()
    eyes.wait_value("cm/attic/status/state", "fault")
    since = len(eyes.seen)
    eyes.wait(
        lambda seen: [one for one in seen[since:] if one.topic == "cm/cellar/data/reading"][5:], "the other goes on"
    )
    assert eyes.on("cm/cellar/status/state")[-1].value == "online"
    two.stop()


def test_a_crash_is_told_of_each(two: Running, eyes: Eyes, broker: Broker) -> None:
    for sensor in SENSORS:
        eyes.wait_value(f"cm/{sensor}/status/state", "online")
    two.process.kill()
    for sensor in SENSORS:
        eyes.wait_value(f"cm/{sensor}/status/state", "lost")
        assert retained(broker.port)[f"cm/{sensor}/status/state"] == "lost"
