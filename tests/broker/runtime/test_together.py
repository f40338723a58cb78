"""Sensors that share a process because their owner says so: one unit, one watchdog, and nothing else in common."""

import json
import signal

import pytest

from support.radio import radio
from support.world import Broker, Eyes, House, eventually

PROBES = ("probe1", "probe2")


@pytest.fixture
def attic(house: House, broker: Broker) -> House:
    """Two thermometers that share a process, and one that does not."""
    house.write(broker.port, top='heartbeat_s = 0.5\n[together]\nattic = ["probe1", "probe2"]')
    for probe in (*PROBES, "cellar"):
        house.thermometer(probe, every_s=0.1)
    return house


def test_each_is_a_sensor_of_its_own_and_its_faults_are_its_own(attic: House, eyes: Eyes) -> None:
    attic.probe("probe2", "").unlink()
    running = attic.run("attic")
    eyes.wait_online("probe1")
    eyes.wait_value("cm/probe2/status/state", "fault")
    attic.probe("probe2", 22000)
    eyes.wait_online("probe2")
    eyes.wait_value("cm/probe2/data/temperature", 22)
    second = attic.run("attic")
    assert second.wait() == 75
    attic.thermometer("probe1", every_s=0.05)
    since = len(eyes.seen)
    running.send(signal.SIGHUP)
    about = lambda seen: [one for one in seen[since:] if one.topic == "cm/probe1/status/about"]  # noqa: E731
    assert eyes.wait(about, "a new period")[-1].value["measures"]["temperature"]["every_s"] == 0.05
    assert running.stop() == 0
    for probe in PROBES:
        eyes.wait_value(f"cm/{probe}/status/state", "stopped")
        readings = [one.value for one in eyes.on(f"cm/{probe}/data/reading")]
        assert [one["seq"] for one in readings] == [*range(1, len(readings) + 1)]


def test_one_crash_for_those_together(attic: House, eyes: Eyes) -> None:
    running = attic.run("attic")
    eyes.wait_online(*PROBES)
    running.process.kill()
    for probe in PROBES:
        eyes.wait_value(f"cm/{probe}/status/state", "lost")


def test_a_sensor_that_shares_a_process_is_not_started_alone(attic: House) -> None:
    running = attic.run("probe1")
    assert running.wait() == 78
    assert "'probe1' runs in the process 'attic'" in running.log


def test_a_gateway_may_share_a_process_too(house: House, broker: Broker, eyes: Eyes) -> None:
    house.write(broker.port, top='[together]\nboth = ["radio", "cellar"]')
    house.thermometer("cellar")
    house.device("radio", radio(2))
    running = house.run("both")
    eyes.wait_online("radio", "s1", "s2", "cellar")
    house.device("radio", radio(3))
    running.send(signal.SIGHUP)
    eyes.wait_online("s3")
    assert running.stop() == 0


def test_the_supervisor_starts_one_process_for_them(attic: House, eyes: Eyes) -> None:
    parent = attic.supervise()
    eyes.wait_online(*PROBES, "cellar")
    assert set(attic.pids()) == {"attic", "cellar"}
    eventually(lambda: attic.status()["attic"]["state"] == "online", "both are online")
    shown = attic.penates("status").stdout
    assert "carries cm/probe1: online" in shown
    attic.probe("probe2", "").unlink()
    eyes.wait_value("cm/probe2/status/state", "fault")
    eventually(lambda: attic.status()["attic"]["state"] == "fault", "it is told of the process")
    done = attic.penates("status", "--json")
    row = next(one for one in json.loads(done.stdout)["sensors"] if one["name"] == "attic")
    assert {one["sensor"]: one["state"] for one in row["carries"]} == {"cm/probe1": "online", "cm/probe2": "fault"}
    house_toml = attic.folder / "house.toml"
    house_toml.write_text(house_toml.read_text().replace('"probe1", "probe2"', '"probe1"'))
    attic.probe("probe2", 22000)
    attic.penates("reload")  # it may be reported as waiting until the other process has left it
    eventually(lambda: {row["state"] for row in attic.status().values()} == {"online"}, "all are online")
    assert set(attic.pids()) == {"attic", "cellar", "probe2"}
    assert attic.penates("stop").returncode == 0
    parent.wait()
