"""Installing and uninstalling that did not go to its end, or found what others had left there."""

import sys
from pathlib import Path

from machine import Machine

UNITS = "/etc/systemd/system"
# As if somebody pulled the plug just before this step.
DIES = """
import os, sys
from penates import steps
from penates.__main__ import main

def dying(do):
    def until(step):
        if sys.argv[1] in str(step):
            os._exit(9)
        do(step)
    return until

for kind in (steps.Write, steps.Remove, steps.Command):
    kind.do = dying(kind.do)
sys.exit(main(sys.argv[2:]))
"""


def dies(machine: Machine, before: str, *words: str) -> None:
    """Give this command, and pull the plug."""
    done = machine.run(sys.executable, "-c", DIES, before, *words)
    assert done.returncode == 9, done.stdout + done.stderr
    machine.calls()


def test_the_first_devices_come_however_the_first_run_ended(machine: Machine) -> None:
    dies(machine, "devices/recorder.toml", "install")
    assert "restart penates@pi.service penates@recorder.service" in machine.penates("install")
    machine.file("/etc/penates/devices/recorder.toml").unlink()
    machine.penates("install")
    assert not machine.file("/etc/penates/devices/recorder.toml").exists()


def test_what_was_written_and_not_taken_over_is_taken_over_by_the_next_run(installed: Machine) -> None:
    installed.file("/etc/penates/devices/frontdoor.toml").write_text('kind = "door"\npin = 17\n')
    dies(installed, "reload mosquitto.service", "install")
    dies(installed, "daemon-reload", "install")
    installed.penates("install")
    assert {"restart mosquitto.service", "daemon-reload"} <= {*installed.calls()}
    assert installed.penates("install").startswith("all was done already")
    dies(installed, "reload mosquitto.service", "invite", "atticpi")
    installed.penates("invite", "atticpi")
    assert "restart mosquitto.service" in installed.calls()


def test_a_broker_that_was_there_before_is_as_it_was(installed: Machine) -> None:
    record = installed.file("/opt/penates/installed.json")
    record.write_text('{"packages": ["mosquitto-clients"], "made_by": "a newer one"}')
    dies(installed, "try-restart mosquitto.service", "uninstall")
    installed.write("/etc/mosquitto/conf.d/penates-mine.conf", "connection mine\n")
    said = installed.penates("uninstall", "--dry-run")
    assert "systemctl try-restart mosquitto.service" in said
    assert "apt-get remove --yes mosquitto-clients\n" in said
    assert "penates-mine.conf" not in said


def test_your_own_drop_ins_stay(installed: Machine) -> None:
    own = f"{UNITS}/penates@pi.service.d/mine.conf"
    installed.write(own, "[Service]\nMemoryMax=1G\n")
    installed.penates("install", "--nursery")
    assert not Path(installed.file(own)).with_name("penates.conf").is_file()
    installed.penates("install", "--no-nursery")
    assert installed.file(own).read_text() == "[Service]\nMemoryMax=1G\n"
