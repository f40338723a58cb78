"""What waits for a sensor's request to restart the machine: it is there as long as a device's file allows that."""

from support.machine import Machine

UNITS = "/etc/systemd/system"
WAITS = "penates-power@{word}.path"


def allow(machine: Machine, words: str) -> list[str]:
    """Set this in the file of the machine's own sensor, install, and return what systemd was asked about it."""
    machine.write("/etc/penates/devices/pi.toml", f'kind = "pi"\n{words}\n')
    machine.penates("install")
    return [call for call in machine.calls() if "power" in call]


def waiting(machine: Machine) -> set[str]:
    return {file for file in machine.files() if "penates-power@" in file}


def test_it_waits_as_long_as_it_is_allowed(installed: Machine) -> None:
    assert waiting(installed) == set()
    reboot, shutdown = (WAITS.format(word=word) for word in ("reboot", "shutdown"))
    assert allow(installed, 'allow = ["reboot", "shutdown"]') == [f"enable --now {reboot}", f"enable --now {shutdown}"]
    shipped = {f"{UNITS}/penates-power@.path", f"{UNITS}/penates-power@.service"}
    links = {f"{UNITS}/penates.target.wants/{unit}" for unit in (reboot, shutdown)}
    assert waiting(installed) == shipped | links
    assert installed.penates("install").startswith("nothing to do")
    assert allow(installed, 'allow = ["shutdown"]') == [f"disable --now {reboot}"]
    assert waiting(installed) == shipped | {f"{UNITS}/penates.target.wants/{shutdown}"}
    assert allow(installed, "") == [f"disable --now {shutdown}"]
    assert waiting(installed) == set()


def test_nothing_of_it_outlasts_penates(installed: Machine) -> None:
    allow(installed, 'allow = ["reboot"]')
    installed.penates("uninstall")
    assert waiting(installed) == set()
