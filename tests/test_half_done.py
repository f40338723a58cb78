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


def join(machine: Machine, *words: str, code: int = 0) -> str:
    machine.write("/srv/password", "opensesame\n")
    return machine.penates("install", *words, code=code)


THEIRS = ("--broker", "127.0.0.2:1", "--username", "pi2", "--password-file", "/srv/password")


def test_from_one_broker_to_another_nothing_of_the_first_is_left(installed: Machine) -> None:
    installed.penates("invite", "firstpi2")
    invitation = installed.file("/etc/penates/invited/firstpi2.json")
    installed.write("/srv/it.json", invitation.read_text().replace('"firstpi2"', '"firstpi"'))
    invitation.unlink()
    join(installed, *THEIRS)
    devices = installed.file("/etc/penates/devices")
    (devices / "recorder.toml").unlink()
    join(installed, "--join", "/srv/it.json")
    house = installed.file("/etc/penates/house.toml")
    assert not [row for row in house.read_text().splitlines() if row.startswith("username")]
    join(installed, *THEIRS[:1], "127.0.0.3", *THEIRS[2:])
    rows = house.read_text().splitlines()
    assert not [row for row in rows if row.startswith(("ca_file", "port"))]
    assert {'host = "127.0.0.3"', '# ca_file = "ca.pem"'} <= {*rows}


def test_an_option_that_would_mean_nothing_is_refused(machine: Machine) -> None:
    for words in (("--username", "x"), ("--password-file", "/srv/x"), ("--ca-file", "/srv/x")):
        assert f"{words[0]} goes with --broker" in machine.penates("install", *words, code=78)
    assert "--dry" in machine.penates("install", "--dry", code=2)
    assert "--password-file" in machine.penates("install", *THEIRS[:4], code=78)
    assert machine.calls() == []


def test_a_user_name_of_any_broker(machine: Machine) -> None:
    join(machine, *THEIRS[:3], "hub/../pi{sensor}@home", *THEIRS[4:])
    assert machine.file("/etc/penates/secrets/hub%2F..%2Fpi%7Bsensor%7D@home").read_text() == "opensesame\n"
    assert 'username = "hub/../pi{sensor}@home"' in machine.file("/etc/penates/house.toml").read_text()
