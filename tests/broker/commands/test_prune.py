"""`penates prune` clears what is gone, and nothing that may not be."""

import json
import os
import pty
import socket
import subprocess
import sys
import time
from typing import Any

import pytest

from bootstrap.contract import timestamps
from support.assistant import Start
from support.paths import QUICK
from support.world import PATIENCE_S, Broker, Eyes, House, retained

HERE = socket.gethostname()
OTHER = "homeassistant/device/other-old/config"


def stand(eyes: Eyes, sensor: str, state: str = "stopped", host: str | None = HERE, age_s: float = 0) -> set[str]:
    """A sensor as it was left; returns its topics."""
    group, _, name = sensor.partition("/")
    beat = {"time": timestamps.utc(int((time.time() - age_s) * 1e6)), "heartbeat_s": 60, "uptime_s": 3.5, "run": "x"}
    said: dict[str, Any] = {
        f"{sensor}/status/about": {"kind": "door", "measures": {"open": {"unit": "bool"}}, "host": host},
        f"{sensor}/status/state": state,
        f"{sensor}/status/heartbeat": beat,
        f"{sensor}/data/open": True,
        f"homeassistant/device/{group}-{name}/config": announcement(sensor),
    }
    for topic, value in said.items():
        eyes.publish(topic, value if isinstance(value, str) else json.dumps(value), retain=True)
    return {*said}


def announcement(sensor: str, name: str = "penates") -> dict[str, Any]:
    return {"o": {"name": name}, "dev": {"ids": [f"penates/{sensor}"]}, "cmps": {}}


def prune(house: House, *words: str) -> subprocess.CompletedProcess[str]:
    return house.penates("prune", *words)


def test_what_is_gone_is_cleared_and_what_lives_is_not(cellar: House, broker: Broker, eyes: Eyes) -> None:
    gone = stand(eyes, "cm/old") | stand(eyes, "cm/older", "lost")
    stand(eyes, "cm/alive", "online")
    stand(eyes, "cm/attic", host="attic")
    stand(eyes, "other/old")
    eyes.publish("cm/cellar/data/humidity", "3", retain=True)
    eyes.publish("cm/cellar/action/set", "on", retain=True)
    cellar.run()
    eyes.wait_value("cm/cellar/data/temperature", 21.5)
    before = retained(broker.port)
    dry = prune(cellar, "--dry-run")
    assert (dry.returncode, dry.stderr) == (0, "")
    assert retained(broker.port).keys() == before.keys()
    done = prune(cellar, "--yes")
    assert (done.returncode, done.stdout) == (0, dry.stdout)
    cleared = {*gone, "cm/cellar/data/humidity", "cm/cellar/action/set"}
    assert before.keys() - retained(broker.port).keys() == cleared
    assert {line.partition(": ")[0] for line in dry.stdout.splitlines() if line[0] != "l"} == cleared
    assert [line for line in dry.stdout.splitlines() if line.startswith("left")] == [
        f"left alone: cm/alive is alive: online, on {HERE}",
        "left alone: cm/attic is stopped, on attic; if it is gone: --gone cm/attic",
        f"left alone: other/old is announced on {OTHER}, in another group; if it is gone: --gone other/old",
    ]
    assert prune(cellar, "--yes").stdout.startswith("nothing to clear\n")


@pytest.mark.parametrize(
    "case",
    [
        ("stopped", 0, True, "is gone"),
        ("online", 0, False, "is alive: online, on attic"),
        ("fault", 10, False, "is alive: fault, on attic"),
        ("online", 1000, True, "is gone"),
    ],
)
def test_what_is_called_gone_must_not_be_alive(cellar: House, eyes: Eyes, case: tuple[str, float, bool, str]) -> None:
    state, age_s, cleared, said = case
    topics = stand(eyes, "cm/attic", state, "attic", age_s)
    stand(eyes, "cm/shed", state, "attic", age_s)
    done = prune(cellar, "--yes", "--gone", "cm/attic")
    assert done.returncode == (0 if cleared else 1)
    assert f"cm/attic {said}" in done.stdout
    there = retained(eyes.port).keys()
    assert topics & there == (set() if cleared else topics)
    assert "cm/shed/status/state" in there


def renamed(house: House, port: int, eyes: Eyes, **renames: str) -> dict[str, Any]:
    """Run the cellar under its old name and below its old prefix, stop it, and rename it; returns what it has left."""
    house.write(port, log='level = "debug"\n[homeassistant]\nprefix = "ha/found"')
    running = house.run()
    eyes.wait_value("cm/cellar/data/temperature", 21.5)
    assert running.stop() == 0
    house.write(port)
    text = (house.folder / "house.toml").read_text()
    (house.folder / "house.toml").write_text(text.replace('group = "cm"', f'group = "{renames.get("group", "cm")}"'))
    if name := renames.get("file"):
        (house.folder / "devices" / "cellar.toml").rename(house.folder / "devices" / f"{name}.toml")
    return retained(port)


@pytest.mark.parametrize("renames", [{"group": "home2"}, {"file": "basement"}])
def test_a_renamed_group_or_sensor_leaves_nothing_behind(
    cellar: House, broker: Broker, eyes: Eyes, renames: dict[str, str]
) -> None:
    left = renamed(cellar, broker.port, eyes, **renames)
    assert {"ha/found/device/cm-cellar/config", "cm/cellar/status/about"} <= left.keys()
    dry = prune(cellar, "--dry-run")
    assert {line.partition(": ")[0] for line in dry.stdout.splitlines()} == left.keys()
    assert prune(cellar, "--yes").returncode == 0
    assert retained(broker.port) == {}


def test_what_was_shared_by_a_sensor_that_is_private_now(cellar: House, broker: Broker, eyes: Eyes) -> None:
    """It may be running: only what is in the group that bridges carry is cleared, and its announcement."""
    running = cellar.run()
    eyes.wait_value("cm/cellar/status/state", "online")
    assert running.stop() == 0
    shared = retained(broker.port).keys()
    assert {"cm/cellar/status/about", "homeassistant/device/cm-cellar/config"} <= shared
    file = cellar.folder / "devices" / "cellar.toml"
    file.write_text(f'shared_with = "none"\n{file.read_text()}')
    cellar.run()
    eyes.wait_value("cm-private/cellar/status/state", "online")
    assert prune(cellar, "--yes").returncode == 0
    left = retained(broker.port).keys()
    assert {topic.partition("/")[0] for topic in left} == {"cm-private"}


def test_a_sensor_of_another_group_is_cleared_if_it_is_called_gone(cellar: House, broker: Broker, eyes: Eyes) -> None:
    """One that ran elsewhere, of which nothing here knows."""
    topics = stand(eyes, "old/attic", host="attic")
    beside = stand(eyes, "old/shed")
    assert "left alone: old/attic is announced on" in prune(cellar, "--dry-run").stdout
    assert prune(cellar, "--yes", "--gone", "old/attic").returncode == 0
    assert retained(broker.port).keys() & (topics | beside) == beside


@pytest.mark.parametrize(("name", "said"), [("cm/cellar", "has a file in devices/"), ("cm/x", "is not on the broker")])
def test_what_cannot_be_gone(cellar: House, name: str, said: str) -> None:
    done = prune(cellar, "--gone", name)
    assert (done.returncode, done.stdout) == (1, f"nothing to clear\nleft alone: {name} {said}\n")


def test_announcements_that_nobody_stands_behind(cellar: House, broker: Broker, eyes: Eyes) -> None:
    orphans = {
        "homeassistant/device/cm-old/config": "cm/old",
        "ha/device/cm-cellar/config": "cm/cellar",
        "homeassistant/device/cm-nobody/config": "cm/nobody",
    }
    strangers = {"homeassistant/device/x/config": "cm/x", "homeassistant/device/y/config": "other/y"}
    for topic, sensor in {**orphans, **strangers}.items():
        told = announcement(sensor, "zigbee" if sensor == "cm/x" else "penates")
        eyes.publish(topic, json.dumps(told), retain=True)
    eyes.publish("homeassistant/device/z/config", "[", retain=True)
    assert prune(cellar, "--yes").returncode == 0
    assert {topic for topic in retained(broker.port) if topic.endswith("config")} == {
        *strangers,
        "homeassistant/device/z/config",
    }


def test_a_faulty_file_may_be_any_sensors(cellar: House, eyes: Eyes, broker: Broker) -> None:
    stand(eyes, "cm/old")
    cellar.device("old", "kind = ")
    done = prune(cellar, "--yes")
    assert (done.returncode, done.stdout) == (78, "")
    assert "cm/old/status/state" in retained(broker.port)


def test_without_a_terminal_it_asks_nobody_and_clears_nothing(cellar: House, eyes: Eyes, broker: Broker) -> None:
    stand(eyes, "cm/old")
    done = prune(cellar)
    assert done.returncode == 1
    assert "use --yes" in done.stderr
    assert "cm/old/status/state" in retained(broker.port)


@pytest.mark.parametrize(("answer", "cleared"), [(b"n\n", False), (b"\n", False), (b"y\n", True)])
def test_a_person_is_asked(cellar: House, eyes: Eyes, broker: Broker, answer: bytes, cleared: bool) -> None:
    stand(eyes, "cm/old")
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "penates", "prune", "--config", str(cellar.folder)]
    asking = subprocess.Popen(command, stdin=theirs, stdout=subprocess.DEVNULL, env=cellar.env())
    os.write(ours, answer)
    assert asking.wait(PATIENCE_S) == (0 if cleared else 1)
    os.close(ours)
    os.close(theirs)
    assert ("cm/old/status/state" not in retained(broker.port)) is cleared


def test_a_broker_that_lets_nobody_clear_says_so(house: House, guarded: Broker) -> None:
    (guarded.folder / "acl").write_text(
        "user eyes\ntopic readwrite #\nuser cellar\ntopic read #\ntopic write cm/admin/#\n"
    )
    guarded.stop()
    guarded.start()
    eyes = Eyes(guarded.port, username="eyes", password="eyes")
    stand(eyes, "cm/old")
    (house.folder / "password").write_text("opensesame\n")
    house.write(guarded.port, broker='password_file = "password"')
    house.thermometer()
    done = house.penates("prune", "--yes", "--username", "cellar", program=QUICK)
    assert done.returncode == 1
    assert "cm/old/status/state was not cleared; may" in done.stderr
    eyes.close()


def test_no_broker(house: House) -> None:
    house.write(1)
    house.thermometer()
    done = prune(house, "--yes")
    assert done.returncode == 77
    assert "127.0.0.1:1: " in done.stderr


def test_home_assistant_forgets_the_device(cellar: House, broker: Broker, start_assistant: Start) -> None:
    cellar.thermometer("attic")
    daemons = {name: cellar.run(name, program=QUICK) for name in ("cellar", "attic")}
    assistant = start_assistant(broker)
    assistant.wait("cm/attic/data_temperature", "21.5")
    daemons["attic"].stop()
    (cellar.folder / "devices" / "attic.toml").unlink()
    assert prune(cellar, "--yes").returncode == 0
    assistant.until(lambda found: not any(unique.startswith("cm/attic/") for unique in found), "it is forgotten")
    assert {device["name"] for device in assistant.ask("devices").values()} & {"attic", "cellar"} == {"cellar"}
    assert not [topic for topic in retained(broker.port) if "attic" in topic]
