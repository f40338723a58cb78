"""What blocks runs in a worker thread: the loop goes on, calls of one bus take turns, and one that hangs is found."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from bootstrap.contract.timestamps import now
from support.paths import SEVERAL
from support.slow_devices import Fifo, spans
from support.world import Broker, Eyes, House, Running, Supervisor, eventually

STATE, LEVEL, ANSWER = "cm/slow/status/state", "cm/slow/data/level", "cm/slow/status/action"


@pytest.fixture
def fifo(house: House, broker: Broker) -> Fifo:
    house.write(broker.port, top="heartbeat_s = 0.2")
    return Fifo(house.folder / "fifo")


def run(house: House, kind: str = "Slow", more: str = "", **env: str) -> Running:
    house.device("slow", f'kind = "support.slow_devices.{kind}"\nfile = "fifo"\n{more}')
    return house.run("slow", program=None, **env)


def test_while_a_read_blocks_commands_and_heartbeats_go_on(house: House, fifo: Fifo, eyes: Eyes) -> None:
    running = run(house)
    held = fifo.hold()
    eyes.wait_value(STATE, "starting")
    assert eyes.ask("cm/slow", "echo", "7")["result"] == "done"
    eyes.wait_value(LEVEL, 7)
    seen = len(eyes.on("cm/slow/status/heartbeat"))
    eyes.wait(lambda _: len(eyes.on("cm/slow/status/heartbeat")) > seen + 2, "heartbeats")
    os.write(held, b"5")
    os.close(held)
    eyes.wait_value(LEVEL, 5)
    assert running.stop() == 0


def test_a_read_that_blocks_has_the_bus_that_its_device_declares(house: House, fifo: Fifo, eyes: Eyes) -> None:
    running = run(house, "OnI2C")
    fifo.answer("3")
    eyes.wait_value(LEVEL, 3)
    assert running.stop() == 0


def test_action_read_is_answered_when_the_read_ends(house: House, fifo: Fifo, eyes: Eyes) -> None:
    run(house)
    held = fifo.hold()
    eyes.wait_value(STATE, "starting")
    for word in ("first", "second"):
        eyes.publish("cm/slow/action/read", f'{{"id": "{word}"}}')
    assert eyes.ask("cm/slow", "echo", "7")["result"] == "done"
    assert [one.value["action"] for one in eyes.on(ANSWER)] == ["echo"]
    before = now()
    os.write(held, b"5")
    os.close(held)
    eyes.wait(lambda _: len(eyes.on(ANSWER)) == 3, "answers")
    answers = [one.value for one in eyes.on(ANSWER)[1:]]
    assert [(one["id"], one["result"]) for one in answers] == [("first", "done"), ("second", "done")]
    assert min(one["time"] for one in answers) > before
    assert eyes.wait_value(LEVEL, 5)
    reading = eyes.on("cm/slow/data/reading")[-1].value
    assert (reading["level"], reading["seq"]) == (5, 2)


@pytest.mark.parametrize(("text", "why"), [("11", "not within 0 to 10"), ("odd", "could not convert")])
def test_a_read_that_fails_refuses_action_read(house: House, fifo: Fifo, eyes: Eyes, text: str, why: str) -> None:
    run(house)
    fifo.answer("5")
    eyes.wait_value(STATE, "online")
    eyes.publish("cm/slow/action/read", "now")
    fifo.answer(text)
    eyes.wait_value(STATE, "fault")
    eyes.wait(lambda _: eyes.on(ANSWER), "the answer")
    answer = eyes.on(ANSWER)[0].value
    assert (answer["result"], why in answer["reason"]) == ("refused", True)
    eyes.publish("cm/slow/action/read", "now")
    fifo.answer("6")
    eyes.wait_value(STATE, "online")


def test_a_bug_in_a_read_that_blocks_ends_the_process(house: House, fifo: Fifo) -> None:
    running = run(house)
    running.wait_log("connected (")
    fifo.answer("bug")
    assert running.wait() == 70
    assert running.logged("a bug ended the daemon")
    assert "in read" in running.log


def test_a_stop_waits_a_moment_for_a_read_that_runs(house: House, fifo: Fifo, eyes: Eyes) -> None:
    running = run(house)
    fifo.answer("5")
    eyes.wait_value(STATE, "online")
    eyes.publish("cm/slow/action/read", "now")
    held = fifo.hold()
    running.send(signal.SIGTERM)
    running.wait_log("stopping")
    os.write(held, b"6")
    os.close(held)
    assert running.wait() == 0
    eyes.wait_value(STATE, "stopped")
    eyes.wait_value(LEVEL, 6)
    assert eyes.on(ANSWER)[-1].value["result"] == "done"


def test_a_stop_abandons_a_read_that_does_not_end(house: House, fifo: Fifo, eyes: Eyes) -> None:
    running = run(house)
    fifo.answer("5")
    eyes.wait_value(STATE, "online")
    eyes.publish("cm/slow/action/read", "now")
    held = fifo.hold()
    began = time.monotonic()
    assert running.stop() == 0
    assert time.monotonic() - began < 6
    eyes.wait_value(STATE, "stopped")
    answer = eyes.on(ANSWER)[-1].value
    assert (answer["result"], answer["reason"]) == ("refused", "stopping: the read has not ended")
    os.close(held)


def test_a_reload_while_a_read_runs_drops_its_outcome(house: House, fifo: Fifo, eyes: Eyes) -> None:
    other = Fifo(house.folder / "other")
    running = run(house)
    held = fifo.hold()
    eyes.wait_value(STATE, "starting")
    eyes.publish("cm/slow/action/read", "now")
    assert eyes.ask("cm/slow", "echo", "7")["result"] == "done"
    house.device("slow", 'kind = "support.slow_devices.Slow"\nfile = "other"\n')
    running.send(signal.SIGHUP)
    running.wait_log("reloaded (")
    os.write(held, b"5")
    os.close(held)
    other.answer("6")
    eyes.wait_value(LEVEL, 6)
    assert eyes.ask("cm/slow", "echo", "8")["result"] == "done"
    assert [one.value for one in eyes.on(LEVEL)] == [7, 6, 8]
    read = next(one.value for one in eyes.on(ANSWER) if one.value["action"] == "read")
    assert read["result"] == "refused"
    assert running.stop() == 0


@pytest.mark.parametrize("kind", ["Slow", "Asking"])
def test_a_call_that_hangs_is_a_fault_and_withholds_the_watchdog(
    house: House, fifo: Fifo, eyes: Eyes, supervisor: Supervisor, kind: str
) -> None:
    running = run(house, kind, NOTIFY_SOCKET=supervisor.address, WATCHDOG_USEC="1000000")
    supervisor.wait("READY=1")
    if kind == "Asking":
        eyes.wait_value(STATE, "online")
        eyes.publish("cm/slow/action/ask", "now")
    held = fifo.hold()
    eyes.wait_value(STATE, "fault")
    running.wait_log('no progress; the watchdog is not notified (stuck=["call"]')
    assert "has not ended for 1 s" in eyes.on("cm/slow/status/heartbeat")[-1].value["why"]
    supervisor.falls_silent(1.5)
    running.send(signal.SIGABRT)
    assert running.wait() == -signal.SIGABRT
    assert "in read" in running.log
    os.close(held)


def test_what_was_asked_is_published_when_it_is_known(house: House, fifo: Fifo, eyes: Eyes) -> None:
    running = run(house, "Asking")
    eyes.wait_value(STATE, "online")
    assert eyes.ask("cm/slow", "ask", "now")["result"] == "done"
    held = fifo.hold()
    assert eyes.ask("cm/slow", "echo", "meanwhile")["result"] == "done"
    eyes.wait_value("cm/slow/data/word", "meanwhile")
    os.write(held, b"5")
    os.close(held)
    eyes.wait_value(LEVEL, 5)
    assert running.stop() == 0


def test_an_asked_call_that_fails_is_a_fault_unless_the_device_takes_it(house: House, fifo: Fifo, eyes: Eyes) -> None:
    fifo.path.unlink()
    run(house, "Asking")
    eyes.wait_value(STATE, "online")
    eyes.ask("cm/slow", "ask", "gently")
    eyes.wait(lambda _: eyes.on("cm/slow/data/word")[1:], "a word")
    assert eyes.on("cm/slow/data/word")[1].value.startswith("failed: [Errno 2]")
    eyes.ask("cm/slow", "ask", "now")
    eyes.wait_value(STATE, "fault")
    eyes.wait_value(STATE, "online")  # read again soon


# One bus.


PROBES, TAKES_S, WATCHDOG_S = 20, 0.1, 1.0
NAMES = [f"probe{number:02}" for number in range(PROBES)]


@pytest.fixture
def bus(house: House, broker: Broker) -> Path:
    """A bus of probes whose reads together take twice as long as the watchdog allows."""
    house.write(broker.port, top=f"heartbeat_s = 0\n[supervisor]\nwatchdog_s = {WATCHDOG_S}\n")
    for name in NAMES:
        text = f'kind = "support.slow_devices.Probe"\nbus = "bus"\ntakes_s = {TAKES_S}\nevery_s = 4.0\n'
        house.device(name, text)
    house.bus.mkdir()
    return house.bus


def as_processes(house: House, _supervisor: Supervisor) -> Running:
    return house.supervise()


def as_one(house: House, supervisor: Supervisor) -> Running:
    watched = {"NOTIFY_SOCKET": supervisor.address, "WATCHDOG_USEC": str(round(WATCHDOG_S * 1e6))}
    return Running([sys.executable, SEVERAL, str(house.folder), *NAMES], house.env(**watched))


@pytest.fixture(params=[as_processes, as_one])
def probes(
    request: pytest.FixtureRequest, house: House, bus: Path, supervisor: Supervisor
) -> Iterator[tuple[Path, Running]]:
    """The bus, and what reads its probes."""
    running = request.param(house, supervisor)
    yield bus, running
    running.close()


def test_twenty_probes_on_one_bus_are_read_in_turn_and_none_is_killed(probes: tuple[Path, Running], eyes: Eyes) -> None:
    bus, running = probes
    eventually(lambda: len(spans(bus)) >= 2 * PROBES, "two reads of each")
    eyes.wait(lambda _: all(eyes.on(f"cm/{name}/data/reading")[1:] for name in NAMES), "two readings of each")
    found = spans(bus)
    assert [(one, other) for one, other in pairwise(found) if other[0] < one[1]] == []
    assert found[PROBES - 1][1] - found[0][0] > WATCHDOG_S
    assert not [text for text in ("no progress", "killed", "made no progress") if running.logged(text)]
    assert {one.value for name in NAMES for one in eyes.on(f"cm/{name}/status/state")} <= {"starting", "online"}
    assert running.stop() == 0
