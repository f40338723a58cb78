"""A meter as a process: its pulses over every end that a process has, and what Home Assistant is told of it."""

import json
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from support.world import Eyes, Wires, eventually

PIN = 17
SETTINGS = f'kind = "meter"\npin = {PIN}\npulses_per_unit = 1000\nwrite_s = 1\n'
TOTAL = "cm/meter/data/energy_in"
HALF_S = 0.01  # of fifty pulses a second
LIMIT_S = 60


@pytest.fixture
def pulses(wires: Wires) -> Callable[[int], threading.Thread]:
    """Begin to give so many pulses, fifty a second."""

    def drive(count: int) -> None:
        for high in [False, True] * count:
            wires.line(PIN).drive(high)
            time.sleep(HALF_S)

    def begin(count: int) -> threading.Thread:
        thread = threading.Thread(target=drive, args=(count,))
        thread.start()
        return thread

    return begin


def kept(wires: Wires) -> dict[str, Any]:
    file = wires.house.folder / "state" / "outbox" / "cm.meter" / "kept.json"
    found: dict[str, Any] = json.loads(file.read_text())["meter"] if file.exists() else {"count": 0}
    return found


def totals(eyes: Eyes) -> list[float]:
    return [one.value for one in eyes.on(TOTAL)]


def test_none_is_lost_while_the_process_stands_still_for_a_second(
    wires: Wires, eyes: Eyes, pulses: Callable[[int], threading.Thread]
) -> None:
    running = wires.run("meter", SETTINGS)
    eyes.wait_value(TOTAL, 0)
    driver = pulses(150)
    eventually(lambda: kept(wires)["count"], "the first pulse is on the disk")
    running.send(signal.SIGSTOP)
    time.sleep(1)
    running.send(signal.SIGCONT)
    driver.join()
    eyes.wait_value(TOTAL, 0.15, limit_s=LIMIT_S)
    assert running.stop() == 0
    assert (kept(wires)["count"], kept(wires)["running"]) == (150, False)


def test_a_kill_costs_at_most_what_has_come_since_the_last_write_and_what_was_told_is_on_the_disk(
    wires: Wires, eyes: Eyes, pulses: Callable[[int], threading.Thread]
) -> None:
    running, before = wires.run("meter", SETTINGS), 0
    eyes.wait_value(TOTAL, 0)
    for kills in (1, 2):
        pulses(60).join()
        eyes.wait_value(TOTAL, (before + 60) / 1000, limit_s=LIMIT_S)
        pulses(10).join()
        running.send(signal.SIGKILL)
        running.wait()
        count = kept(wires)["count"]
        assert before + 60 <= count <= before + 70
        running, before = wires.run("meter", SETTINGS), count
        running.wait_log("the last run was killed or lost power, so pulses may be missing")
        eyes.wait_value("cm/meter/data/gaps", kills)
    assert running.stop() == 0
    assert totals(eyes) == sorted(totals(eyes))


def test_home_assistant_is_told_of_a_total_that_only_grows(wires: Wires, eyes: Eyes) -> None:
    for counts, unit, kind, pace in (
        ("energy_in", "kWh", "energy", ("power", "W", "power")),
        ("gas", "m³", "gas", ("flow", "L/min", "volume_flow_rate")),
        ("water", "m³", "water", ("flow", "L/min", "volume_flow_rate")),
    ):
        running = wires.run("meter", f'{SETTINGS}counts = "{counts}"\ninitial = 7\n')
        eyes.wait_value(f"cm/meter/data/{counts}", 7)
        eyes.wait(lambda _: announced(eyes, f"data_{counts}"), "it is announced")  # noqa: B023 - it is awaited here
        total, flow = announced(eyes, f"data_{counts}"), announced(eyes, f"data_{pace[0]}")
        assert (total["dev_cla"], total["stat_cla"], total["unit_of_meas"]) == (kind, "total_increasing", unit)
        assert (flow["dev_cla"], flow["stat_cla"], flow["unit_of_meas"]) == (pace[2], "measurement", pace[1])
        assert running.stop() == 0


def announced(eyes: Eyes, component: str) -> dict[str, Any]:
    found = [one.value["cmps"] for one in eyes.on("homeassistant/device/cm-meter/config") if one.value]
    return found[-1].get(component, {}) if found else {}
