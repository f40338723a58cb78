"""A command that is to be carried out at most once, over a broker and over the ends of a process."""

import json
import signal
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from support.world import Broker, Eyes, House, eventually

DOOR = "cm/door"


def moment(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


def unlock(seconds: float, **more: Any) -> str:
    return json.dumps({"state": "unlock", "before": moment(seconds), **more})


@pytest.fixture
def door(house: House, broker: Broker) -> House:
    house.write(broker.port)
    house.device("door", 'kind = "support.odd_devices.Opener"\n')
    return house


def test_a_repeated_command_does_nothing_even_after_a_kill(door: House, eyes: Eyes) -> None:
    running = door.run("door")
    eyes.wait_online("door")
    first = unlock(55, id="a")
    assert eyes.ask(DOOR, "set", first)["result"] == "done"
    eyes.wait_value(f"{DOOR}/data/unlocked", 1)
    assert "has come before" in eyes.ask(DOOR, "set", first)["reason"]
    running.send(signal.SIGKILL)
    running.wait()
    since = len(eyes.seen)
    door.run("door")
    eyes.wait_online("door", since=since)
    assert "has come before" in eyes.ask(DOOR, "set", first)["reason"]
    assert eyes.ask(DOOR, "set", "lock")["result"] == "done"
    assert eyes.ask(DOOR, "set", unlock(5, id="b"))["result"] == "done"
    assert eyes.on(f"{DOOR}/data/unlocked")[-1].value == 2


def test_about_says_so_and_send_does_what_is_needed(door: House, eyes: Eyes) -> None:
    door.run("door")
    eyes.wait_online("door")
    topic = f"{DOOR}/status/about"
    about = eyes.wait(lambda seen: [one for one in seen if one.topic == topic], "about")[0].value
    facts = {"words": ["lock", "unlock"], "expires": True, "once": ["unlock"], "control": "lock"}
    assert about["actions"]["set"] == facts
    for plain in ("unlock", '{"state":"unlock"}', '{"value":"unlock","id":"1"}'):
        assert "say by 'before'" in eyes.ask(DOOR, "set", plain)["reason"]
    for number in (1, 2):
        ran = door.penates("send", DOOR, "set", "unlock")
        assert (ran.stdout, ran.returncode) == (f"{DOOR} set: done\n", 0)
        eyes.wait_value(f"{DOOR}/data/unlocked", number)


def test_a_retained_command_never_does_it(door: House, eyes: Eyes) -> None:
    eyes.publish(f"{DOOR}/action/set", unlock(50, id="a"), retain=True)
    door.run("door")
    topic = f"{DOOR}/status/action"
    answer = eyes.wait(lambda seen: [one.value for one in seen if one.topic == topic], "an answer")[0]
    assert (answer["result"], "retained" in answer["reason"]) == ("refused", True)
    eyes.wait_value(f"{DOOR}/data/unlocked", 0)


def test_what_waits_while_the_process_stands_still_is_too_late(door: House, eyes: Eyes) -> None:
    running = door.run("door")
    eyes.wait_online("door")
    running.send(signal.SIGSTOP)
    deadline = time.time() + 1
    eyes.publish(f"{DOOR}/action/set", unlock(1, id="a"))
    eventually(lambda: time.time() > deadline, "it has expired")
    running.send(signal.SIGCONT)
    topic = f"{DOOR}/status/action"
    answer = eyes.wait(lambda seen: [one.value for one in seen if one.topic == topic], "an answer")[0]
    assert (answer["result"], "expired" in answer["reason"]) == ("refused", True)
    assert eyes.on(f"{DOOR}/data/unlocked")[-1].value == 0


def test_a_reload_forgets_nothing(door: House, eyes: Eyes) -> None:
    running = door.run("door")
    eyes.wait_online("door")
    assert eyes.ask(DOOR, "set", first := unlock(55, id="a"))["result"] == "done"
    abouts = len(eyes.on(f"{DOOR}/status/about"))
    door.device("door", 'kind = "support.odd_devices.Opener"\nevery_s = 7\n')
    running.send(signal.SIGHUP)
    eyes.wait(lambda _: len(eyes.on(f"{DOOR}/status/about")) > abouts, "the new settings")
    assert "has come before" in eyes.ask(DOOR, "set", first)["reason"]
