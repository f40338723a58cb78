"""The hardware restarts a machine that hangs, if its owner wants that."""

from support.machine import Machine

FILE = "/etc/systemd/system.conf.d/penates.conf"


def test_it_is_served_as_long_as_it_is_wanted(installed: Machine) -> None:
    assert FILE not in installed.files()
    installed.calls()
    installed.penates("install", "--watchdog")
    assert installed.file(FILE).read_text().endswith("\n[Manager]\nRuntimeWatchdogSec=15\n")
    assert "daemon-reload" in installed.calls()
    assert installed.penates("install").startswith("nothing to do")
    installed.penates("install", "--no-watchdog")
    assert FILE not in installed.files()
    assert "daemon-reload" in installed.calls()


def test_uninstall_takes_our_file_and_no_other(installed: Machine) -> None:
    installed.write("/etc/systemd/system.conf.d/own.conf", "[Manager]\n")
    installed.penates("install", "--watchdog")
    installed.penates("uninstall")
    assert FILE not in installed.files()
    assert installed.file("/etc/systemd/system.conf.d/own.conf").exists()
