"""`penates send`: a command is sent, and its answer printed."""

import json
import time

import pytest

from bootstrap.contract import timestamps
from support.world import Eyes, House, Wires


@pytest.fixture
def lamp(wires: Wires, eyes: Eyes) -> House:
    wires.run("lamp", 'kind = "lamp"\npin = 27\n')
    eyes.wait_value("cm/lamp/status/state", "online")
    return wires.house


@pytest.mark.parametrize("payload", ["on", '{"state":"on"}', '"on"', '{"state":"on","for_s":60,"id":"mine"}'])
def test_a_command_is_sent_and_its_answer_printed(lamp: House, eyes: Eyes, payload: str) -> None:
    sent = lamp.penates("send", "cm/lamp", "set", payload)
    assert (sent.returncode, sent.stdout) == (0, "cm/lamp set: done\n"), sent.stderr
    eyes.wait_value("cm/lamp/data/on", value=True)
    command = eyes.on("cm/lamp/action/set")[-1]
    assert command.value["id"]
    assert not command.retain
    assert 3 < timestamps.parse(command.value["before"]).timestamp() - time.time() + 2 < 8


def test_without_a_payload_it_is_now(lamp: House) -> None:
    sent = lamp.penates("send", "cm/lamp", "read", "--json")
    assert sent.returncode == 0
    assert json.loads(sent.stdout)["result"] == "done"


def test_a_refusal_is_exit_1_with_the_reason(lamp: House) -> None:
    sent = lamp.penates("send", "cm/lamp", "set", "bright")
    assert (sent.returncode, sent.stdout) == (1, "cm/lamp set: refused: send one of on, off, toggle\n")


def test_silence_is_exit_1_with_what_is_known(lamp: House, eyes: Eyes) -> None:
    eyes.publish("cm/cellar/status/state", "lost", retain=True)
    sent = lamp.penates("send", "cm/cellar", "read", "--wait", "1")
    assert sent.returncode == 1
    assert "no answer within 1 s; the state of cm/cellar is lost" in sent.stderr
    silent = lamp.penates("send", "--broker", "127.0.0.1:1", "cm/cellar", "read", "--wait", "1")
    assert silent.returncode == 1
    assert "Connection refused" in silent.stderr


def test_another_answer_is_not_taken_for_ours(lamp: House, eyes: Eyes) -> None:
    for answer in (b"", b"[]", b'{"id":"other","result":"done"}', b"\xff"):
        eyes.publish("cm/cellar/status/action", answer, retain=True)
        assert lamp.penates("send", "cm/cellar", "read", "--wait", "0.7").returncode == 1


@pytest.mark.parametrize(
    "words",
    [
        ["lamp", "set"],
        ["cm/lamp/x", "set"],
        ["cm/lamp", "a/b"],
        ["cm/lamp", "set", "NaN"],
        ["cm/lamp", "set", ""],
        ["cm/lamp", "set", "on", "--wait", "0"],
        ["cm/lamp", "set", "on", "--broker", "mqtt://x"],
    ],
)
def test_what_cannot_be_a_command_is_refused_before_it_is_sent(house: House, words: list[str]) -> None:
    house.write(1)
    sent = house.penates("send", *words)
    assert sent.returncode == 2
    assert sent.stderr.startswith("usage: ")
