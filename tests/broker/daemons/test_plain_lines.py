"""The kinds on plain lines, as processes: how they end, and what their settings become on the wire."""

import signal

import pytest

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
