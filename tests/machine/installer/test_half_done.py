"""Installing and uninstalling that did not go to its end, or found what others had left there."""

import json
import sys
from pathlib import Path

import pytest

from support.machine import Machine

UNITS = "/etc/systemd/system"
# As if somebody pulled the plug just before this step.
DIES = """
import os, sys
from penates.installer import steps
from penates.__main__ import main

def dying(do):
    def until(step):
        if sys.argv[1] in str(step):
            os._exit(9)
        do(step)
    return until

for kind in (steps.Write, steps.Remove, steps.CommandStep):
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
    assert installed.penates("install").startswith("nothing to do")
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


def test_a_broker_that_was_never_ours_is_not_restarted_because_a_run_was_interrupted(installed: Machine) -> None:
    join(installed, *THEIRS)  # and the Mosquitto on this machine is one of others from now on
    dies(installed, "daemon-reload", "install", "--supervisor")
    again = installed.penates("install", "--supervisor", "--dry-run")
    assert "daemon-reload" in again
    assert "mosquitto.service" not in again
    assert "mosquitto.service" not in installed.penates("uninstall", "--dry-run")


def test_your_own_drop_ins_stay(installed: Machine) -> None:
    own = f"{UNITS}/penates@pi.service.d/mine.conf"
    installed.write(own, "[Service]\nMemoryMax=1G\n")
    installed.penates("install", "--supervisor")
    assert not Path(installed.file(own)).with_name("penates.conf").is_file()
    installed.penates("install", "--no-supervisor")
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
        assert f"{words[0]} needs --broker" in machine.penates("install", *words, code=78)
    assert "--dry" in machine.penates("install", "--dry", code=2)
    assert "--password-file" in machine.penates("install", *THEIRS[:4], code=78)
    assert machine.calls() == []


def test_a_user_name_of_any_broker(machine: Machine) -> None:
    join(machine, *THEIRS[:3], "hub/../pi{sensor}@home", *THEIRS[4:])
    assert machine.file("/etc/penates/secrets/hub%2F..%2Fpi%7Bsensor%7D@home").read_text() == "opensesame\n"
    assert 'username = "hub/../pi{sensor}@home"' in machine.file("/etc/penates/house.toml").read_text()


def test_a_home_is_written_as_its_owner(machine: Machine) -> None:
    machine.write("/srv/x", "")
    machine.run("sh", "-c", "ln -s /etc/profile.d /home/pat/.config")
    machine.penates("install")
    assert not machine.file("/etc/profile.d/mosquitto_sub").exists()
    machine.run("sh", "-c", "rm /home/pat/.config; install -d -o pat /home/pat/real; ln -s real /home/pat/.config")
    machine.penates("install")
    file = machine.file("/home/pat/real/mosquitto_sub")
    assert file.read_text().startswith("# Made by")
    file.write_text("-h elsewhere\n")
    machine.penates("uninstall")
    assert file.read_text() == "-h elsewhere\n"


def test_a_dry_run_without_root_says_what_it_lacks(installed: Machine) -> None:
    program = (
        "import os, pwd, sys, penates.commands.install; os.setuid(pwd.getpwnam('pat').pw_uid);"
        "import penates.__main__ as it"
    )
    done = installed.run(sys.executable, "-c", f"{program}; sys.exit(it.main(['install', '--dry-run']))")
    refused = "penates install: no permission to read all of /etc/penates: use sudo\n"
    assert (done.returncode, done.stderr) == (1, refused)


def test_a_user_of_that_name_who_was_there_before_stays(machine: Machine) -> None:
    machine.run("useradd", "--create-home", "penates")
    machine.penates("install")
    machine.penates("uninstall")
    assert "penates:x:" in machine.file("/etc/passwd").read_text()


def test_the_port_of_the_house_is_the_brokers(installed: Machine) -> None:
    house = installed.file("/etc/penates/house.toml")
    text = house.read_text()
    house.write_text(text.replace("# port = 1883", "port = 1884"))
    installed.penates("install")
    listeners = installed.file("/etc/mosquitto/conf.d/penates-listeners.conf")
    assert {"listener 1884 127.0.0.1", "listener 8883"} <= {*map(str.strip, listeners.read_text().splitlines())}
    tls = text.replace("# port = 1883", "port = 8884").replace("# ca_file", "ca_file")
    house.write_text(tls)
    installed.penates("install")
    assert {"listener 1883 127.0.0.1", "listener 8884"} <= {*map(str.strip, listeners.read_text().splitlines())}
    house.write_text(tls.replace("8884", "1883"))
    assert "house.toml:" in installed.penates("install", code=78)


def test_a_state_folder_of_ones_own_may_be_written(installed: Machine, tmp_path: Path) -> None:
    house = installed.file("/etc/penates/house.toml")
    text = house.read_text()
    assert 'state = "/var/lib/penates"' in text
    house.write_text(text.replace('state = "/var/lib/penates"', 'state = "/mnt/card/house"'))
    installed.penates("install")
    assert (
        "ReadWritePaths=/mnt/card/house\n" in installed.file(f"{UNITS}/penates@pi.service.d/penates.conf").read_text()
    )
    assert installed.run("stat", "-c", "%U %a", "/mnt/card/house").stdout == "penates 750\n"
    assert installed.penates("install").startswith("nothing to do")
    installed.penates("install", "--supervisor")
    assert "ReadWritePaths=/mnt/card/house\n" in installed.file(f"{UNITS}/penates.service.d/penates.conf").read_text()
    assert "kept: /etc/penates, /mnt/card/house" in installed.copy(tmp_path / "other").penates("uninstall")
    for odd in ("../state", "/home/pat/state"):
        house.write_text(text.replace('state = "/var/lib/penates"', f'state = "{odd}"'))
        assert "'state'" in installed.penates("install", code=78)


def test_a_history_that_root_begins_is_its_owners(installed: Machine) -> None:
    installed.run("install", "-d", "-o", "penates", "-g", "penates", "-m", "750", "/var/lib/penates")
    installed.write("/srv/x.csv", "time,temperature\n2026-11-20T20:31:07Z,21.5\n")
    installed.file("/srv/x.csv").chmod(0o600)
    assert "1 value, 1 of them new" in installed.penates("import", "/srv/x.csv", "--sensor", "home/cellar")
    owners = installed.run("find", "/var/lib/penates", "-printf", "%u %P\\n").stdout.splitlines()
    assert "penates history.sqlite" in owners
    assert {row.split()[0] for row in owners} == {"penates"}


@pytest.mark.parametrize(
    ("packages", "ended"), [(["mosquitto"], "disable --now mosquitto.service"), ([], "try-restart mosquitto.service")]
)
def test_a_broker_that_moved_away_leaves_no_way_in(installed: Machine, packages: list[str], ended: str) -> None:
    installed.file("/opt/penates/installed.json").write_text(json.dumps({"packages": packages}))
    join(installed, *THEIRS)
    calls = installed.calls()
    assert {ended, "disable --now penates-certs.timer"} <= {*calls}
    left = {name for name in installed.files() if name.startswith(("/etc/mosquitto", f"{UNITS}/penates-certs"))}
    assert left == set()
    assert installed.penates("install").startswith("nothing to do")
    assert installed.calls() == []


def test_a_file_that_its_sensor_may_not_read_is_told(installed: Machine) -> None:
    file = installed.file("/etc/penates/devices/pi.toml")
    file.chmod(0o640)
    wanted = (
        "devices/pi.toml:1: its unit runs as penates, which may not read it: "
        "sudo chmod o+r /etc/penates/devices/pi.toml"
    )
    assert wanted in installed.penates("install", code=78)
    installed.run("chgrp", "penates", "/etc/penates/devices/pi.toml")
    installed.penates("install")
