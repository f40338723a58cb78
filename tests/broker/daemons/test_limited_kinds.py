"""Valves and heaters as processes: off in time, whatever becomes of the broker, the clock and the process."""

import resource
import signal
from itertools import pairwise

import pytest

from support.paths import OTHER_CLOCK
from support.world import Broker, Eyes, Running, Wires, eventually

PIN = 17
HEATER = f'kind = "heater"\npin = {PIN}\nlongest_s = 1\nrest_s = 600\n'


def levels(wires: Wires) -> list[tuple[int, str]]:
    """Each level that was set: when, in nanoseconds, and which."""
    rows = (row.split() for row in wires.line(PIN).history.read_text().splitlines())
    return [(int(at), level) for at, level in rows]


def on_for_s(wires: Wires) -> list[float]:
    """For how many seconds it was on each time."""
    return [(end - begin) / 1e9 for (begin, level), (end, _) in pairwise(levels(wires)) if level == "1"]


def switched_on(eyes: Eyes, running: Running) -> Running:
    eyes.wait_online("it")
    assert eyes.ask_soon("cm/it", "set", "on")["result"] == "done"
    return running


def is_off(wires: Wires) -> bool:
    return levels(wires)[-1][1] == "0" and bool(on_for_s(wires))


def test_it_is_off_in_time_while_the_broker_is_away(wires: Wires, broker: Broker, eyes: Eyes) -> None:
    wires.line(PIN).history.touch()
    switched_on(eyes, wires.run("it", HEATER))
    broker.stop(signal.SIGKILL)
    eventually(lambda: is_off(wires), "it is off")
    assert on_for_s(wires)[0] >= 1
    since = len(eyes.seen)
    broker.start()
    eyes.wait_value("cm/it/data/resting", value=True, since=since)
    assert "it rests" in eyes.ask_soon("cm/it", "set", "on")["reason"]
    assert len(on_for_s(wires)) == 1


@pytest.mark.parametrize("jump_s", [-86_400, 86_400])
def test_it_is_off_in_time_when_the_clock_jumps(wires: Wires, eyes: Eyes, jump_s: int) -> None:
    wires.line(PIN).history.touch()
    clock = wires.house.folder / "clock"
    clock.write_text("0")
    wires.house.device("it", HEATER)
    switched_on(eyes, wires.house.run("it", program=[OTHER_CLOCK, str(clock)], **wires.env))
    clock.write_text(str(jump_s))
    eyes.wait_value("cm/it/data/resting", value=True)
    assert levels(wires)[-1][1] == "0"
    assert on_for_s(wires)[0] >= 1


def test_after_a_kill_it_rests_and_after_an_end_in_order_it_has_its_time(wires: Wires, eyes: Eyes) -> None:
    text = HEATER.replace("longest_s = 1", "longest_s = 600")
    running = switched_on(eyes, wires.run("it", text))
    running.send(signal.SIGKILL)
    running.wait()
    assert wires.house.penates("safe", "it", program=None, **wires.env).returncode == 0
    assert wires.held(PIN) == "0"
    since = len(eyes.seen)
    running = wires.run("it", text)
    eyes.wait_value("cm/it/data/resting", value=True, since=since)
    assert "it rests for another" in eyes.ask_soon("cm/it", "set", "on")["reason"]
    assert eyes.ask("cm/it", "set", "off")["result"] == "done"
    assert running.stop() == 0
    for _ in range(2):
        since = len(eyes.seen)
        running = wires.run("it", HEATER.replace("rest_s = 600", "rest_s = 1"))
        eyes.wait_value("cm/it/data/resting", value=False, since=since)
        switched_on(eyes, running)
        assert wires.held(PIN) == "1"
        assert running.stop() == 0
        assert wires.held(PIN) == "0"


def test_a_reload_switches_it_off_and_gives_it_no_more_time(wires: Wires, eyes: Eyes) -> None:
    wires.line(PIN).history.touch()
    running = switched_on(eyes, wires.run("it", HEATER))
    eyes.wait_value("cm/it/data/resting", value=True)
    wires.house.device("it", HEATER.replace("rest_s = 600", "rest_s = 500"))
    since = len(eyes.seen)
    running.send(signal.SIGHUP)
    eyes.wait(lambda seen: [one for one in seen[since:] if one.topic == "cm/it/status/about"], "the new settings")
    assert "it rests" in eyes.ask_soon("cm/it", "set", "on")["reason"]
    assert len(on_for_s(wires)) == 1


def test_a_line_that_takes_no_level_is_a_fault_until_it_is_off(wires: Wires, eyes: Eyes) -> None:
    """The kernel lets the process write no files, which simulated lines are."""
    running = switched_on(eyes, wires.run("it", HEATER.replace("longest_s = 1", "longest_s = 600")))
    limits = resource.prlimit(running.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(running.pid, resource.RLIMIT_FSIZE, (0, limits[1]))
    answer = eyes.ask("cm/it", "set", "off")
    assert (answer["result"], "File too large" in answer["reason"]) == ("refused", True)
    eyes.wait_value("cm/it/status/state", value="fault")
    assert wires.held(PIN) == "1"
    since = len(eyes.seen)
    resource.prlimit(running.pid, resource.RLIMIT_FSIZE, limits)
    eyes.wait_online("it", since=since)
    assert wires.held(PIN) == "0"
    eyes.wait_value("cm/it/data/on", value=False, since=since)
