"""The kinds on plain lines, as processes: how they end, and what their settings become on the wire."""

import signal
from pathlib import Path

import pytest

from support.pwm import PwmFiles
from support.world import Eyes, Wires

PIN = 17
# What each is told, and what its line must be then, and after the end.
SWITCHED = {
    "output": ("", "on", "1", "0"),
    "output, safe on": ("safe = true\nactive_high = false", "off", "1", "0"),
    "dimmer": ("fade_s = 0", "40", "0.4", "0"),
    "dimmer, in a fade": ("fade_s = 3600", "40", None, "0"),
    "fan": ("", "40", "0.4", "1"),
    "fan, safe off": ('safe = "off"', "40", "0.4", "0"),
    "buzzer": ("", "on", "1", "0"),
    "servo": ("hold_s = 1", "90", None, "0"),
    "relay": ("pulse_s = 60", "press", "1", "0"),
    "relay, by 0": ("pulse_s = 60\nactive_high = false", "press", "0", "1"),
    "valve": ("longest_s = 600", "open", "1", "0"),
    "heater": ("longest_s = 600\nactive_high = false", "on", "0", "1"),
}


def told(command: str) -> float | str:
    return float(command) if command.isdecimal() else command


@pytest.mark.parametrize("name", SWITCHED)
def test_what_is_switched_is_safe_after_the_end(wires: Wires, eyes: Eyes, name: str) -> None:
    more, command, then, after = SWITCHED[name]
    running = wires.run("it", f'kind = "{name.partition(",")[0]}"\npin = {PIN}\n{more}\n')
    eyes.wait_value("cm/it/status/state", "online")
    assert eyes.ask_soon("cm/it", "set", told(command))["result"] == "done"
    assert then is None or wires.held(PIN) == then
    assert running.stop() == 0
    assert wires.held(PIN) == after


@pytest.mark.parametrize("name", [name for name in SWITCHED if "fade" not in name])
def test_what_is_switched_is_safe_after_a_kill(wires: Wires, eyes: Eyes, name: str) -> None:
    """As its unit does, which then runs `penates safe`."""
    more, command, _then, after = SWITCHED[name]
    running = wires.run("it", f'kind = "{name.partition(",")[0]}"\npin = {PIN}\n{more}\n')
    eyes.wait_value("cm/it/status/state", "online")
    assert eyes.ask_soon("cm/it", "set", told(command))["result"] == "done"
    running.send(signal.SIGKILL)
    running.wait()
    assert wires.house.penates("safe", "it", program=None, **wires.env).returncode == 0
    assert wires.held(PIN) == after


BY_HARDWARE = {  # each with a command, and at how much the line is high then, and after the end
    "dimmer": ("fade_s = 0", "40", 0.4, 0),
    "dimmer, on at 0": ("fade_s = 0\nactive_high = false", "40", 0.6, 1),
    "fan": ("frequency_hz = 25000", "40", 0.4, 1),
}


@pytest.mark.parametrize("name", BY_HARDWARE)
@pytest.mark.parametrize("killed", [False, True])
def test_a_channel_that_goes_on_by_itself_is_made_safe(
    wires: Wires, eyes: Eyes, tmp_path: Path, name: str, killed: bool
) -> None:
    files = PwmFiles(tmp_path / "sys", 18)
    files.channel(0)
    more, command, then, after = BY_HARDWARE[name]
    text = f'kind = "{name.partition(",")[0]}"\npin = 18\npwm = "hardware"\nsysfs = "{files.root}"\n{more}\n'
    running = wires.run("it", text)
    eyes.wait_value("cm/it/status/state", "online")
    eyes.wait(lambda _: [one for one in eyes.on("cm/it/status/about") if one.value["pwm"] == "hardware"], "about")
    assert eyes.ask("cm/it", "set", command)["result"] == "done"
    assert files.high(0) == pytest.approx(then)
    if killed:
        running.send(signal.SIGKILL)
        running.wait()
        assert files.high(0) == pytest.approx(then)
        assert wires.house.penates("safe", "it", program=None, **wires.env).returncode == 0
    else:
        assert running.stop() == 0
    assert files.high(0) == after


def test_what_another_program_does_to_a_channel_is_a_fault_until_it_is_mended(
    wires: Wires, eyes: Eyes, tmp_path: Path
) -> None:
    files = PwmFiles(tmp_path / "sys", 18)
    folder = files.channel(0)
    wires.run("it", f'kind = "fan"\npin = 18\npwm = "hardware"\nsysfs = "{files.root}"\nevery_s = 0.2\n')
    eyes.wait_value("cm/it/status/state", "online")
    since = len(eyes.seen)
    (folder / "enable").write_text("0")
    eyes.wait_value("cm/it/status/state", "fault", since)
    eyes.wait_value("cm/it/status/state", "online", since)
    assert files.high(0) == 1


def test_without_an_overlay_a_fan_says_so_and_ends(wires: Wires, tmp_path: Path) -> None:
    wires.house.device("it", f'kind = "fan"\npin = 18\npwm = "hardware"\nsysfs = "{tmp_path}"\n')
    done = wires.house.penates("run", "it", program=None, **wires.env)
    assert done.returncode == 1
    assert "the kernel has no PWM on GPIO18; its PWM is off" in done.stdout + done.stderr


def test_a_contact_is_called_on_the_wire_as_its_owner_says(wires: Wires, eyes: Eyes) -> None:
    wires.line(PIN).drive(False)
    settings = 'measure = "smoke"\ntrue_when = "open"\ndevice_class = "smoke"'
    wires.run("it", f'kind = "contact"\npin = {PIN}\n{settings}\n')
    eyes.wait_value("cm/it/data/smoke", value=False)
    wires.line(PIN).drive(True)
    eyes.wait_value("cm/it/data/smoke", value=True)
    (about,) = {str(one.value["measures"]): one.value["measures"] for one in eyes.on("cm/it/status/about")}.values()
    assert {name: (one["unit"], one["shown_as"]) for name, one in about.items()} == {"smoke": ("bool", "smoke")}


def test_a_wrong_setting_of_a_contact_is_told_with_what_it_must_be(wires: Wires) -> None:
    for setting, why in (
        ('measure = "time"', "a name for a measure"),
        ('device_class = "smok"', "smoke"),
        ('words = ["one"]', "'words' must be two different ones"),
    ):
        wires.house.device("it", f'kind = "contact"\npin = {PIN}\n{setting}\n')
        done = wires.house.penates("check")
        assert done.returncode == 78
        assert why in done.stdout + done.stderr, setting


def test_a_servo_is_released_and_a_stop_ends_its_pulses(wires: Wires, eyes: Eyes) -> None:
    running = wires.run("it", f'kind = "servo"\npin = {PIN}\nhold_s = 0.2\n')
    eyes.wait_value("cm/it/status/state", "online")
    assert eyes.ask("cm/it", "set", "90")["result"] == "done"
    eyes.wait_value("cm/it/data/angle", 90)
    assert wires.held(PIN) == "0"
    assert eyes.ask("cm/it", "set", "10")["result"] == "done"
    assert running.stop() == 0
    assert wires.held(PIN) == "0"
