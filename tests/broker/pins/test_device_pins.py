"""Edges and outputs, on simulated lines; tests/pi/ runs the same on a kernel's."""

import json
import signal
import subprocess
import sys
import time
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from bootstrap.pins.simulated_lines import SimulatedLine
from support.paths import INJECT
from support.world import Broker, Eyes, Running, Wanted, Wires, eventually, retained

OPEN = "cm/frontdoor/data/open"
DOOR_READING = "cm/frontdoor/data/reading"
LAMP = "cm/lamp/data/on"


def door(wires: Wires, eyes: Eyes, more: str = "") -> Running:
    running = wires.run("frontdoor", f'kind = "door"\npin = 17\nevery_s = 3600\n{more}')
    eyes.wait_value("cm/frontdoor/status/state", "online")
    return running


def lamp(wires: Wires, eyes: Eyes, more: str = "") -> Running:
    running = wires.run("lamp", f'kind = "lamp"\npin = 27\nevery_s = 3600\n{more}')
    eyes.wait_value("cm/lamp/status/state", "online")
    return running


def readings(eyes: Eyes, topic: str = DOOR_READING) -> list[dict[str, Any]]:
    return [one.value for one in eyes.on(topic)]


def test_a_door_moves_its_topic_from_the_shell(wires: Wires, eyes: Eyes) -> None:
    door(wires, eyes)
    eyes.wait_value(OPEN, value=True)  # nothing drives the line: its pull-up does
    wires.penates_gpio("17", "0")
    eyes.wait_value(OPEN, value=False)
    assert {wires.penates_gpio(name) for name in ("17", "GPIO17", "board11")} == {"0"}
    since = len(eyes.seen)
    wires.penates_gpio("17", "float")
    eyes.wait_value(OPEN, value=True, since=since)


def test_a_level_from_before_the_start_counts(wires: Wires, eyes: Eyes) -> None:
    wires.line(17).drive(False)
    door(wires, eyes)
    first = eyes.wait(lambda seen: [one.value for one in seen if one.topic == DOOR_READING], "a reading")[0]
    assert first["open"] is False


def test_a_bounce_is_one_settled_change_and_no_later_one_is_lost(wires: Wires, eyes: Eyes) -> None:
    door(wires, eyes)
    line = wires.line(17)
    for level in (False, True, False, True, False):
        line.drive(level)
        time.sleep(0.003)
    eyes.wait_value(OPEN, value=False)
    line.drive(True)
    eyes.wait(lambda seen: [one for one in seen if one.topic == DOOR_READING][2:], "the next change")
    assert [one["open"] for one in readings(eyes)] == [True, False, True]


def test_a_bounce_that_ends_where_it_began_is_no_change(wires: Wires, eyes: Eyes) -> None:
    door(wires, eyes)
    for level in (False, True, False, True):
        wires.line(17).drive(level)
    eyes.ask("cm/frontdoor", "read", "now")
    time.sleep(0.2)
    assert [one["open"] for one in readings(eyes)] == [True, True]


def test_a_burst_faster_than_the_loop_is_all_in_the_history_in_order_with_its_times(wires: Wires, eyes: Eyes) -> None:
    running = door(wires, eyes, "bounce_s = 0\n")
    running.send(signal.SIGSTOP)
    before = time.time()
    line = wires.line(17)
    for _ in range(4):  # a socket of the kernel's default depth holds ten
        line.drive(False)
        line.drive(True)
    line.drive(False)
    after = time.time()
    time.sleep(0.3)
    running.send(signal.SIGCONT)
    eyes.wait(lambda seen: [one for one in seen if one.topic == DOOR_READING][9:], "nine edges")
    edges = readings(eyes)[1:]
    assert [one["open"] for one in edges] == [False, True] * 4 + [False]
    times = [datetime.fromisoformat(one["time"]).timestamp() for one in edges]
    assert before - 0.01 <= times[0] <= times[-1] <= after + 0.01
    eyes.wait(lambda seen: [one for one in seen if one.topic == OPEN][-1].value is False, "the final state")


def test_a_hundred_pulses_are_two_hundred_edges(wires: Wires, eyes: Eyes) -> None:
    door(wires, eyes, "bounce_s = 0\n")
    line = wires.line(17)
    for _ in range(100):
        line.drive(False)
        line.drive(True)
    eyes.wait(lambda seen: [one for one in seen if one.topic == DOOR_READING][200:], "200 edges")
    assert [one["open"] for one in readings(eyes)[1:]] == [False, True] * 100
    assert [one["seq"] for one in readings(eyes)] == list(range(1, 202))


@pytest.mark.parametrize("active_high", [True, False])
def test_a_lamp_is_switched_and_read_back(wires: Wires, eyes: Eyes, active_high: bool) -> None:
    running = lamp(wires, eyes, f"active_high = {active_high}\n".lower())
    line, on, off = wires.line(27), float(active_high), float(not active_high)
    assert line.output() == off
    for word, level in (("on", on), ("off", off), ("toggle", on), ("toggle", off), ('{"state":"on"}', on)):
        assert eyes.ask("cm/lamp", "set", word)["result"] == "done"
        assert line.output() == level
    eyes.wait_value(LAMP, value=True)
    assert running.stop() == 0
    assert line.output() is None


def test_off_and_said_so_at_a_stop(wires: Wires, eyes: Eyes) -> None:
    running = lamp(wires, eyes)
    eyes.ask("cm/lamp", "set", "on")
    began = time.monotonic()
    assert running.stop() == 0
    assert time.monotonic() - began < 3
    states = [(one.topic.rpartition("/")[2], one.value) for one in eyes.seen if one.topic != "cm/lamp/action/set"]
    assert [value for name, value in states if name == "on"] == [False, True, False]
    assert states[-1] == ("state", "stopped")


def test_nothing_happens_to_an_output_while_it_stops(wires: Wires, broker: Broker, eyes: Eyes) -> None:
    """Neither a timer nor a command may switch it on again, and nothing is said after `stopped`."""
    running = lamp(wires, eyes)
    door(wires, eyes)
    eyes.ask("cm/lamp", "set", '{"state":"off","for_s":0.5}')
    broker.send(signal.SIGSTOP)
    running.send(signal.SIGTERM)
    time.sleep(0.8)
    assert wires.line(27).output() == 0
    broker.send(signal.SIGCONT)
    assert running.wait() == 0
    eyes.wait_value("cm/lamp/status/state", "stopped")
    assert eyes.on("cm/lamp/status/state")[-1].value == "stopped"


def test_a_lamp_goes_back_after_its_time_and_a_new_command_replaces_the_timer(wires: Wires, eyes: Eyes) -> None:
    lamp(wires, eyes)
    eyes.ask("cm/lamp", "set", '{"state":"on","for_s":0.3}')
    eyes.wait(lambda seen: [one.value for one in seen if one.topic == LAMP] == [False, True, False], "on and off")
    eyes.ask("cm/lamp", "set", '{"state":"on","for_s":0.3}')
    eyes.ask("cm/lamp", "set", "on")
    time.sleep(0.5)
    assert wires.line(27).output() == 1


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("bright", "send one of on, off, toggle"),
        ('{"for_s":1}', "the key 'state' is missing"),
        ("1", "send one of on, off, toggle"),
        ('{"state":"on","for_s":-1}', "a duration must be"),
        ('{"state":"on","for_s":true}', "a duration must be"),
        (
            '{"state":"on","for_s":1e300}',
            "a duration must be a number of seconds above 0 and at most 31622400 (a year)",
        ),
        ('{"state":"on","form":1}', "no key 'form'; an object may have state, for_s, id, before"),
        ('{"state":"on","before":"2026-01-01T00:00:00Z"}', "expired"),
    ],
)
def test_what_a_lamp_refuses(wires: Wires, eyes: Eyes, command: str, reason: str) -> None:
    lamp(wires, eyes)
    answer = eyes.ask("cm/lamp", "set", command)
    assert (answer["result"], answer["reason"][: len(reason)]) == ("refused", reason)
    assert wires.line(27).output() == 0


def test_a_retained_command_switches_nothing(wires: Wires, eyes: Eyes) -> None:
    lamp(wires, eyes)
    assert eyes.ask("cm/lamp", "set", "on", retain=True)["result"] == "refused"
    assert wires.line(27).output() == 0


def test_the_lamp_is_dark_after_a_bug(wires: Wires, eyes: Eyes) -> None:
    wires.house.device("lamp", 'kind = "lamp"\npin = 27\n')
    program = [INJECT, "bootstrap.runtime.reporter:Reporter.publish_answer"]
    running = wires.house.run("lamp", program=program, **wires.env)
    eyes.wait_value("cm/lamp/status/state", "online")
    eyes.publish("cm/lamp/action/set", "on")
    assert running.wait() == 70
    assert wires.line(27).output() is None
    assert wires.held(27) == "0"


def test_a_line_that_is_taken_is_said_to_be(wires: Wires, eyes: Eyes) -> None:
    door(wires, eyes)
    other = wires.run("backdoor", 'kind = "door"\npin = 17\n')
    assert other.wait() == 1
    assert "GPIO17 is in use" in other.log
    eyes.wait_value("cm/backdoor/status/state", "fault")


def test_no_header_here_is_said_plainly(wires: Wires) -> None:
    wires.env["GPIOZERO_PIN_FACTORY"] = "kernel"
    running = wires.run("frontdoor", 'kind = "door"\npin = 17\n')
    assert running.wait() == 1
    assert "no Raspberry Pi header here" in running.log


def test_gpiozeros_own_factories_still_work(wires: Wires, eyes: Eyes) -> None:
    """`mock` changes its pins in the calling thread; the note goes through the inbox all the same."""
    wires.env["GPIOZERO_PIN_FACTORY"] = "mock"
    script, go = wires.house.folder / "press.py", wires.house.folder / "go"
    script.write_text(
        "import os, sys, threading, time\n"
        "from gpiozero import Device\n"
        "from penates.__main__ import main\n"
        "def press():\n"
        f"    while not os.path.exists({str(go)!r}):\n"
        "        time.sleep(0.05)\n"
        "    pin = Device.pin_factory.pin(17)\n"
        "    pin.drive_low()\n"
        "    pin.drive_high()\n"
        "threading.Thread(target=press, daemon=True).start()\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    wires.house.device("frontdoor", 'kind = "door"\npin = 17\nbounce_s = 0.0\nevery_s = 3600\n')
    running = wires.house.run("frontdoor", program=[str(script)], **wires.env)
    eyes.wait(lambda seen: [one for one in seen if one.topic == DOOR_READING], "the first reading")
    go.touch()
    eyes.wait(lambda seen: [one for one in seen if one.topic == DOOR_READING][2:], "both edges")
    assert [one["open"] for one in readings(eyes)] == [True, False, True]
    assert running.stop() == 0


def sleeps(running: Running, seconds: float) -> bool:
    """Whether it does not wake for so long."""
    before = running.wakeups()
    time.sleep(seconds)
    return running.wakeups() == before


@pytest.mark.exact
def test_an_idle_door_hardly_wakes(wires: Wires, broker: Broker) -> None:
    wires.house.write(broker.port, top="heartbeat_s = 0", log='level = "info"')
    running = wires.run("frontdoor", 'kind = "door"\npin = 17\nevery_s = 3600\n')
    running.wait_log("connected (")
    eventually(lambda: len(list(Path(f"/proc/{running.pid}/task").iterdir())) == 2, "two threads")
    eventually(lambda: sleeps(running, 0.5), "all is said")
    before = running.wakeups()
    time.sleep(3)
    assert running.wakeups() - before <= 1


def test_pwm_where_gpiozero_expects_it(tmp_path: Path) -> None:
    script = (
        "import json, time\n"
        "from gpiozero import PWMLED\n"
        "from bootstrap.pins.simulated_lines import SimulatedLine\n"
        "led = PWMLED(18)\n"
        "led.value = 0.25\n"
        "print(json.dumps([led.value, SimulatedLine(18).output()]))\n"
        "led.close()\n"
    )
    env = {"GPIOZERO_PIN_FACTORY": "simulated", "PENATES_LINES": str(tmp_path), "PATH": ""}
    done = subprocess.run(
        [sys.executable, "-c", script], env=env, capture_output=True, text=True, check=True, timeout=120
    )
    assert json.loads(done.stdout) == [0.25, 0.25]


# The daemons.


def test_the_outputs_of_a_killed_lamp_are_made_safe(wires: Wires, eyes: Eyes) -> None:
    running = lamp(wires, eyes)
    eyes.ask("cm/lamp", "set", "on")
    command = [sys.executable, "-m", "penates", "safe", "lamp", "--config", str(wires.house.folder)]
    env = wires.house.env(**wires.env)
    assert subprocess.run(command, env=env, check=False, timeout=120).returncode == 75
    assert wires.line(27).output() == 1
    running.stop(signal.SIGKILL)
    assert wires.held(27) == "1"
    house_toml = wires.house.folder / "house.toml"  # systemd takes a unit's credentials away before its stop action
    house_toml.write_text(house_toml.read_text().replace("[broker]", '[broker]\npassword_file = "gone"'))
    assert subprocess.run(command, env=env, check=False, timeout=120).returncode == 0
    assert wires.held(27) == "0"


def test_motion_lasts_until_the_hold_is_over(wires: Wires, eyes: Eyes) -> None:
    wires.run("hall", 'kind = "motion"\npin = 23\nhold_s = 1.5\nevery_s = 3600\n')
    eyes.wait_value("cm/hall/data/motion", value=False)
    line = wires.line(23)
    for _ in range(4):
        line.drive(True)
        time.sleep(0.1)
        line.drive(False)
        time.sleep(0.1)
    stilled = time.monotonic()
    motions: Wanted = lambda seen: [one for one in seen if one.topic == "cm/hall/data/motion"]  # noqa: E731
    end = eyes.wait(lambda seen: [one for one in motions(seen)[1:] if not one.value], "the end")[0]
    assert [value for value, _ in groupby(one.value for one in motions(eyes.seen))] == [False, True, False]
    assert end.at - stilled > 1.0


def button(wires: Wires, eyes: Eyes, hold_s: float = 60, click_s: float = 0.8) -> SimulatedLine:
    """One whose times are long where we must be quicker: a busy machine may stop us for a second."""
    text = 'kind = "button"\npin = 24\nbounce_s = 0.01\nevery_s = 3600\n'
    wires.run("bell", f"{text}hold_s = {hold_s}\nclick_s = {click_s}\n")
    eyes.wait_value("cm/bell/status/state", "online")
    return wires.line(24)


def press(line: SimulatedLine) -> None:
    line.drive(False)
    time.sleep(0.05)
    line.drive(True)
    time.sleep(0.05)


def hold(line: SimulatedLine, eyes: Eyes) -> None:
    line.drive(False)
    eyes.wait(lambda _: True in values(eyes, "held"), "held")
    line.drive(True)


def values(eyes: Eyes, measure: str) -> list[Any]:
    return [record[measure] for record in readings(eyes, "cm/bell/data/reading") if measure in record]


@pytest.mark.parametrize("count", [1, 2, 3])
def test_clicks_are_counted(wires: Wires, eyes: Eyes, count: int) -> None:
    line = button(wires, eyes, click_s=3)
    for _ in range(count):
        press(line)
    eyes.wait(lambda _: values(eyes, "clicks") == [count], "the clicks")
    assert values(eyes, "pressed") == [False, *[True, False] * count]


def test_a_long_press_is_a_hold_and_no_click(wires: Wires, eyes: Eyes) -> None:
    line = button(wires, eyes, hold_s=3)
    hold(line, eyes)
    eyes.wait(lambda _: len(values(eyes, "pressed")) == 3, "its end")
    press(line)
    eyes.wait(lambda _: values(eyes, "clicks") == [1], "one click")
    assert values(eyes, "held") == [False, False, True, False, False, False]


def test_a_click_is_an_event_and_is_not_told_again(wires: Wires, broker: Broker, eyes: Eyes) -> None:
    line = button(wires, eyes)
    press(line)
    told = eyes.wait(lambda seen: [one for one in seen if one.topic == "cm/bell/data/clicks"], "a click")
    assert (told[0].value, told[0].retain) == (1, False)
    assert eyes.on("cm/bell/status/about")[0].value["measures"]["clicks"]["event"] is True
    since = len(eyes.seen)
    eyes.publish("cm/bell/status/state", "lost", retain=True)
    eyes.wait_value("cm/bell/status/state", "online", since)
    assert "cm/bell/data/clicks" not in retained(broker.port)


def test_a_button_that_is_down_at_the_start_was_not_pressed(wires: Wires, eyes: Eyes) -> None:
    wires.line(24).drive(False)
    line = button(wires, eyes, hold_s=3)
    line.drive(True)
    time.sleep(1.0)
    press(line)
    hold(line, eyes)
    assert values(eyes, "clicks") == [1]


def test_a_pulse_on_a_floating_line_is_the_other_level_and_back(wires: Wires, eyes: Eyes) -> None:
    door(wires, eyes, "bounce_s = 0\n")
    assert wires.penates_gpio("17") == "1"  # the pull-up
    wires.penates_gpio("17", "pulse", "50")
    eyes.wait(lambda _: [one["open"] for one in readings(eyes)] == [True, False, True], "there and back")
    assert wires.line(17).driven() is None


def run_outputs(wires: Wires, eyes: Eyes, how: str) -> Running:
    text = f'kind = "support.odd_devices.Outputs"\nhow = "{how}"\nfirst_pin = 5\nsecond_pin = 6\nevery_s = 3600\n'
    running = wires.run("two", text)
    eyes.wait_value("cm/two/status/state", "online")
    return running


def test_every_output_is_made_safe_whatever_becomes_of_the_others(wires: Wires, eyes: Eyes) -> None:
    running = run_outputs(wires, eyes, "close one, then a bug")
    eyes.publish("cm/two/action/go", "now")
    assert running.wait() == 70
    assert (wires.held(5), wires.held(6)) == ("1", "0")  # the first was let go of by the device itself


def test_outputs_are_made_safe_when_a_thread_dies(wires: Wires, eyes: Eyes) -> None:
    running = run_outputs(wires, eyes, "a thread dies")
    eyes.publish("cm/two/action/go", "now")
    assert running.wait() == 70
    assert (wires.held(5), wires.held(6)) == ("0", "0")


def test_an_output_of_a_half_made_device_is_no_bug(wires: Wires, eyes: Eyes) -> None:
    door(wires, eyes)
    running = wires.run("two", 'kind = "support.odd_devices.Outputs"\nfirst_pin = 5\nsecond_pin = 17\n')
    assert running.wait() == 1
    eyes.wait_value("cm/two/status/state", "fault")


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ("drives an input", "GPIO6 is driven, but 'button' declares it as an Input"),
        ("drives a line of nobody", "GPIO26 is driven, but no setting declares it"),
        ("watches a line of nobody", "GPIO26 is watched, but no setting declares it"),
    ],
)
def test_a_line_is_used_as_it_is_declared(wires: Wires, how: str, why: str) -> None:
    text = f'kind = "support.odd_devices.Helped"\nrelay = "GPIO5"\nbutton = "BOARD31"\nhow = "{how}"\n'
    running = wires.run("fan", text)
    assert running.wait() == 78
    assert f"{why}: in Helped the type of its setting must be " in running.log


def test_a_line_that_a_helper_takes_is_made_safe_after_the_process_was_killed(wires: Wires, eyes: Eyes) -> None:
    running = wires.run("fan", 'kind = "support.odd_devices.Helped"\nrelay = "BOARD29"\nbutton = 6\n')
    eyes.wait_value("cm/fan/status/state", "online")
    eyes.publish("cm/fan/action/set", "1")
    eyes.wait_value("cm/fan/data/on", value=True)
    running.process.kill()
    running.wait()
    assert wires.held(5) == "1"
    assert wires.house.penates("safe", "fan", program=None, **wires.env).returncode == 0
    assert wires.held(5) == "0"


@pytest.mark.parametrize("error", ["RuntimeError", "SystemExit", "OSError"])
@pytest.mark.parametrize("hook", ["setup", "teardown"])
def test_a_sensor_that_cannot_be_made_safe_keeps_no_other_one_from_it(
    wires: Wires, eyes: Eyes, hook: str, error: str
) -> None:
    running = lamp(wires, eyes)
    eyes.ask("cm/lamp", "set", "on")
    running.stop(signal.SIGKILL)
    assert wires.held(27) == "1"
    wires.house.device("bad", f'kind = "support.odd_devices.Odd"\nhook = "{hook}"\nerror = "{error}"\n')
    made = wires.house.penates("safe", "bad", "lamp", program=None, **wires.env)
    assert made.returncode == (1 if error == "OSError" else 70)
    assert "cannot set the outputs to safe values" in made.stderr
    assert wires.held(27) == "0"


def test_a_gpiozero_device_with_a_thread_of_its_own_tells_the_loop(wires: Wires, eyes: Eyes) -> None:
    wires.run("pir", 'kind = "support.odd_devices.Queued"\npin = 10\nevery_s = 3600\n')
    eyes.wait_value("cm/pir/status/state", "online")
    time.sleep(0.3)  # gpiozero takes its first sample
    before = time.time()
    wires.line(10).drive(True)
    eyes.wait_value("cm/pir/data/thread", "MainThread")
    record = eyes.wait(lambda seen: [one.value for one in seen if one.topic == "cm/pir/data/reading"], "it")[0]
    assert before - 0.01 < datetime.fromisoformat(record["time"]).timestamp() < time.time()


def test_what_fails_at_an_edge_is_looked_at_again_soon(wires: Wires, eyes: Eyes) -> None:
    wires.run("pir", 'kind = "support.odd_devices.Queued"\npin = 10\nevery_s = 3600\nfails = true\n')
    eyes.wait_value("cm/pir/status/state", "online")
    time.sleep(0.3)  # gpiozero takes its first sample
    wires.line(10).drive(True)
    fault = eyes.wait_value("cm/pir/status/state", "fault")
    eyes.wait_value("cm/pir/status/state", "online", since=eyes.seen.index(fault))


def test_settings_of_pins_that_cannot_be_are_no_bug(wires: Wires) -> None:
    wires.env["GPIOZERO_PIN_FACTORY"] = "nonsense"
    running = wires.run("frontdoor", 'kind = "door"\npin = 17\n')
    assert running.wait() == 78
    assert "no pin factory 'nonsense'" in running.log
