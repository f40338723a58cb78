"""A door lock, as a process: what its lines are at each end, and which commands open it."""

import json
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from support.bolt import BOLT, DOOR, STRIKE, THROWS, Bolt
from support.world import Broker, Eyes, Wires, eventually

LOCK = "cm/doorlock"
SETTINGS = f'kind = "lock"\npin = {STRIKE}\nbolt = {BOLT}\ndoor = {DOOR}\nmove_s = 0.6\n'
KINDS = {
    "strike": 'fail = "secure"\n',
    "magnet": 'fail = "safe"\n',
    "motor": f'fail = "secure"\nlock_pin = {THROWS}\n',
}
OFF = ("0", "0")

Started = Callable[[str], Bolt]


def unlock(for_s: float = 60, within_s: float = 50, **more: Any) -> str:
    before = (datetime.now(UTC) + timedelta(seconds=within_s)).isoformat()
    return json.dumps({"state": "unlocked", "for_s": for_s, "by": "Anna", "before": before, **more})


@pytest.fixture
def bolt(wires: Wires) -> Iterator[Started]:
    """Return what makes the bolt of a lock of this kind, which follows its lines from then on."""
    with ExitStack() as stack:

        def start(kind: str) -> Bolt:
            found = Bolt(wires, motor=kind == "motor", fail_safe=kind == "magnet")
            return stack.enter_context(found.following())

        yield start


def lines(wires: Wires, kind: str) -> tuple[str, str]:
    return wires.held(STRIKE), wires.held(THROWS) if kind == "motor" else "0"


def state(eyes: Eyes) -> Any:
    return eyes.on(f"{LOCK}/data/state")[-1].value


def until(eyes: Eyes, word: str) -> None:
    eyes.wait(lambda _: eyes.on(f"{LOCK}/data/state") and state(eyes) == word, f"the lock is {word}")


def last(eyes: Eyes, *told: str) -> None:
    """Wait until this is what was done last, for whom, and how it ended."""
    topic = f"{LOCK}/data/last"
    eyes.wait(lambda _: tuple(eyes.on(topic)[-1].value[name] for name in ("what", "by", "ended")) == told, str(told))


@pytest.mark.parametrize("kind", KINDS)
def test_it_unlocks_for_a_while_and_tells_for_whom(wires: Wires, eyes: Eyes, bolt: Started, kind: str) -> None:
    its = bolt(kind)
    wires.run("doorlock", SETTINGS + KINDS[kind])
    until(eyes, "locked")
    answer = eyes.ask(LOCK, "set", unlock(for_s=2, id="a"))
    assert (answer["result"], answer["id"]) == ("done", "a")
    until(eyes, "unlocked")
    assert not its.thrown
    until(eyes, "locked")
    assert its.thrown
    eyes.wait(lambda _: len(eyes.on(f"{LOCK}/data/event")) > 1, "two events")
    events = [(one.value["what"], one.value["by"], one.value["ended"]) for one in eyes.on(f"{LOCK}/data/event")]
    assert events == [("unlock", "Anna", "unlocked"), ("relock", "the time that has passed", "locked")]
    last(eyes, "relock", "the time that has passed", "locked")
    assert ("1", "1") not in its.seen
    about = next(one.value for one in eyes.on(f"{LOCK}/status/about"))
    once = {"once": ["unlock", "unlocked"], "expires": True, "control": "lock", "sets": "state"}
    assert once.items() <= about["actions"]["set"].items()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("how", "when"), [(signal.SIGTERM, "unlocked"), (signal.SIGKILL, "unlocked"), (signal.SIGKILL, "unlocking")]
)
def test_it_fails_as_it_says_however_it_ends(  # noqa: PLR0913, PLR0917 - what there is
    wires: Wires, eyes: Eyes, bolt: Started, kind: str, how: int, when: str
) -> None:
    its = bolt(kind)
    running = wires.run("doorlock", SETTINGS + KINDS[kind])
    until(eyes, "locked")
    its.works = when == "unlocked"
    assert eyes.ask(LOCK, "set", unlock())["result"] == "done"
    until(eyes, when)
    its.works = True
    running.send(how)
    running.wait()
    if how == signal.SIGKILL:
        assert wires.house.penates("safe", "doorlock", program=None, **wires.env).returncode == 0
    assert lines(wires, kind) == OFF
    eventually(lambda: its.thrown == (kind != "magnet"), "it is as it fails")


@pytest.mark.parametrize("kind", KINDS)
def test_a_reload_while_it_is_unlocked_locks(wires: Wires, eyes: Eyes, bolt: Started, kind: str) -> None:
    its = bolt(kind)
    running = wires.run("doorlock", SETTINGS + KINDS[kind])
    until(eyes, "locked")
    assert eyes.ask(LOCK, "set", unlock())["result"] == "done"
    until(eyes, "unlocked")
    wires.house.device("doorlock", SETTINGS + KINDS[kind] + "unlock_s = 7\n")
    running.send(signal.SIGHUP)
    until(eyes, "locked")
    assert its.thrown
    last(eyes, "relock", "the start of the sensor", "locked")
    count = len(its.seen)
    running.send(signal.SIGHUP)  # nothing has changed
    assert eyes.ask(LOCK, "read", "now")["result"] == "done"
    assert len(its.seen) == count


def test_an_old_command_never_opens_it_even_after_a_restart(wires: Wires, eyes: Eyes, bolt: Started) -> None:
    its = bolt("strike")
    first = unlock(id="a")
    eyes.publish(f"{LOCK}/action/set", first, retain=True)
    running = wires.run("doorlock", SETTINGS + KINDS["strike"])
    until(eyes, "locked")
    eyes.publish(f"{LOCK}/action/set", "", retain=True)
    eyes.wait(lambda _: len(eyes.on(f"{LOCK}/status/action")) > 1, "an answer to each")
    assert "retained" in eyes.on(f"{LOCK}/status/action")[0].value["reason"]
    for plain in ("unlock", '{"state":"unlocked"}', unlock(before=None), unlock(within_s=-1), unlock(within_s=90)):
        assert eyes.ask(LOCK, "set", plain)["result"] == "refused"
    assert its.seen == [OFF]
    assert eyes.ask(LOCK, "set", first)["result"] == "done"
    until(eyes, "unlocked")
    running.send(signal.SIGKILL)
    running.wait()
    assert wires.house.penates("safe", "doorlock", program=None, **wires.env).returncode == 0
    count, since = len(its.seen), len(eyes.seen)
    wires.run("doorlock", SETTINGS + KINDS["strike"])
    eyes.wait_online("doorlock", since=since)
    assert "has come before" in eyes.ask(LOCK, "set", first)["reason"]
    assert eyes.ask(LOCK, "set", "lock")["result"] == "done"
    until(eyes, "locked")
    assert ("1", "0") not in its.seen[count:]


def test_it_locks_while_the_broker_is_away(wires: Wires, eyes: Eyes, bolt: Started, broker: Broker) -> None:
    its = bolt("strike")
    wires.run("doorlock", SETTINGS + KINDS["strike"])
    until(eyes, "locked")
    assert eyes.ask(LOCK, "set", unlock(for_s=1))["result"] == "done"
    until(eyes, "unlocked")
    broker.stop()
    eventually(lambda: its.thrown, "it is locked")
    broker.start()
    until(eyes, "locked")


def test_a_door_that_is_left_open_is_seen_and_locked_when_it_closes(wires: Wires, eyes: Eyes, bolt: Started) -> None:
    its = bolt("motor")
    wires.run("doorlock", SETTINGS + KINDS["motor"])
    until(eyes, "locked")
    assert eyes.ask(LOCK, "set", unlock(for_s=2))["result"] == "done"
    until(eyes, "unlocked")
    wires.line(DOOR).drive(True)
    eyes.wait_value(f"{LOCK}/data/alert", "door_open")
    assert not its.thrown
    wires.line(DOOR).drive(False)
    until(eyes, "locked")
    assert eyes.on(f"{LOCK}/data/alert")[-1].value == "none"


def test_a_broken_contact_is_a_fault_and_blocks_no_unlocking(
    wires: Wires, eyes: Eyes, bolt: Started, broker: Broker
) -> None:
    its = bolt("strike")
    wires.house.write(broker.port, top="heartbeat_s = 1\n")
    wires.run("doorlock", SETTINGS + KINDS["strike"])
    until(eyes, "locked")
    its.works = False
    for identity in ("a", "b"):
        assert eyes.ask(LOCK, "set", unlock(for_s=5, id=identity))["result"] == "done"
        eventually(lambda: its.seen[-1] == ("1", "0"), "it has power")
        eyes.wait_value(f"{LOCK}/data/state", "unknown")
    eyes.wait_value(f"{LOCK}/status/state", "fault")
    eyes.wait_why("doorlock", "bolt contact")


def test_what_it_is_without_power_must_be_said(wires: Wires) -> None:
    wires.house.device("doorlock", SETTINGS)
    checked = wires.house.penates("check")
    assert checked.returncode == 78
    said = checked.stdout + checked.stderr
    assert "devices/doorlock.toml:1: 'fail' is missing: what the door is without power" in said
    assert all(word in said for word in ('"secure" is locked', '"safe" is unlocked'))
