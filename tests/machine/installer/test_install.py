"""Installing: on machines that are this one's files under an overlay."""

import json
import stat
import sysconfig
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from support.machine import Machine
from support.world import Broker, Eyes

DOOR = 'kind = "door"\npin = 17\n'
UNITS = "/etc/systemd/system"
DROP_INS = {f"{UNITS}/penates@{name}.service.d/penates.conf" for name in ("pi", "recorder")}


def mode(machine: Machine, name: str) -> int:
    return stat.S_IMODE(machine.file(name).stat().st_mode)


def test_a_house_of_two_on_a_fresh_machine(machine: Machine) -> None:
    said = machine.penates("install")
    assert "useradd" in said
    assert said.splitlines()[-2:] == [
        "  penates@pi.service: active: online",
        "  penates@recorder.service: active: online",
    ]
    assert machine.files() >= DROP_INS | {
        f"{UNITS}/penates.target.wants/penates@pi.service",
        f"{UNITS}/multi-user.target.wants/penates.target",
        "/etc/penates/secrets/firstpi",
        "/etc/mosquitto/penates/passwords",
        "/etc/mosquitto/conf.d/penates-listeners.conf",
    }
    assert machine.file("/usr/local/bin/penates").readlink() == Path("/opt/penates/bin/penates")
    calls = machine.calls()
    assert calls[-6:] == [
        "restart mosquitto.service",
        "daemon-reload",
        "enable --now penates-certs.timer",
        "enable penates@pi.service penates@recorder.service penates.target",
        "restart penates@pi.service penates@recorder.service",
        "start penates.target",
    ]
    assert "penates:x:" in machine.file("/etc/passwd").read_text()
    assert machine.run("id", "-nG", "pat").stdout.split() == ["pat", "penates", "penates-eyes"]
    assert "penates-eyes" not in machine.run("id", "-nG", "penates").stdout.split()


def test_each_secret_is_read_by_those_who_need_it(installed: Machine) -> None:
    secrets = installed.file("/etc/penates/secrets")
    assert (mode(installed, "/etc/penates/secrets"), mode(installed, "/etc/penates/secrets/admin")) == (0o750, 0o600)
    assert mode(installed, "/etc/penates/secrets/eyes") == 0o640
    assert installed.run("stat", "-c", "%G", "/etc/penates/secrets/eyes").stdout == "penates-eyes\n"
    looking = installed.file("/home/pat/.config/mosquitto_sub")
    assert stat.S_IMODE(looking.stat().st_mode) == 0o600
    assert f"-P {(secrets / 'eyes').read_text().strip()}" in looking.read_text().splitlines()
    assert installed.run("stat", "-c", "%U %G", "/home/pat/.config/mosquitto_sub").stdout == "pat pat\n"
    assert (
        "LoadCredential=password:/etc/penates/secrets/firstpi"
        in installed.file(f"{UNITS}/penates@pi.service.d/penates.conf").read_text()
    )
    assert mode(installed, "/opt/penates/installed.json") == 0o600


def test_the_second_time_there_is_nothing_to_do(installed: Machine) -> None:
    assert installed.penates("install").startswith("nothing to do")
    assert installed.calls() == []
    assert installed.penates("install", "--dry-run") == "0 steps to do; nothing was changed\n"


def test_a_dry_run_shows_the_same_and_does_nothing(machine: Machine) -> None:
    before = machine.files()
    shown = machine.penates("install", "--dry-run").splitlines()
    assert machine.files() == before
    assert machine.calls() == []
    assert shown[-1] == f"{len(shown) - 1} steps to do; nothing was changed"
    done = machine.penates("install").splitlines()
    assert [line for line in done if "/" in line[:8]] == shown[:-1]


RADIO = """
from dataclasses import dataclass
from typing import Annotated

from bootstrap.device import Device, Measure
from bootstrap.needs import DebianPackage, Program, SerialPort

@dataclass(kw_only=True)
class Radio(Device):
    port: SerialPort
    program: Annotated[Program, DebianPackage("rtl-433")] = "no-such-radio"
    heard = Measure("1")

    def read(self):
        return {"heard": 0}
"""


def test_a_dry_run_shows_the_package_and_the_group_that_a_device_needs(installed: Machine) -> None:
    installed.write("/etc/penates/hearing.py", RADIO)
    installed.write("/etc/penates/devices/radio.toml", 'kind = "hearing.Radio"\nport = "/dev/ttyUSB0"\n')
    shown = installed.penates("install", "--dry-run")
    assert "apt-get install --yes --no-install-recommends rtl-433" in shown
    assert "usermod --append --groups dialout penates" in shown
    installed.write("/etc/penates/devices/radio.toml", 'kind = "hearing.Radio"\nport = "x"\nprogram = "sh"\n')
    shown = installed.penates("install", "--dry-run")
    assert ("apt-get" in shown, "dialout" in shown) == (False, False)


def test_only_what_has_changed_is_started_anew(installed: Machine) -> None:
    pi = installed.file("/etc/penates/devices/pi.toml")
    pi.write_text(pi.read_text().replace("# every_s = 60.0", "every_s = 10.0"))
    installed.penates("install")
    assert installed.calls() == ["restart penates@pi.service"]
    house = installed.file("/etc/penates/house.toml")
    house.write_text(house.read_text().replace("# heartbeat_s = 60.0", "heartbeat_s = 30.0"))
    installed.penates("install")
    assert installed.calls() == ["restart penates@pi.service penates@recorder.service"]
    installed.write(f"{sysconfig.get_path('purelib')}/more-1.dist-info/RECORD", "more.py,sha256=0,1\n")
    installed.penates("install")
    assert installed.calls() == ["restart penates@pi.service penates@recorder.service"]
    installed.file("/var/systemctl/active/penates@pi.service").unlink()
    installed.penates("install")
    assert installed.calls() == ["restart penates@pi.service"]


def test_status_is_as_systemd_tells_it(installed: Machine) -> None:
    installed.write("/run/systemd/system/x", "")
    said = [line.split() for line in installed.penates("status").splitlines()]
    assert [row[:3] for row in said[1:]] == [["pi", "home/firstpi", "online"], ["recorder", "home/recorder", "online"]]
    assert [row[-3:] for row in said[1:]] == [["7", "2", "online"]] * 2
    installed.file("/var/systemctl/active/penates@pi.service").unlink()
    row, _ = json.loads(installed.penates("status", "--json", code=1))["sensors"]
    assert (row["name"], row["state"]) == ("pi", "failed")


def test_a_device_comes_and_goes(installed: Machine) -> None:
    file = installed.file("/etc/penates/devices/frontdoor.toml")
    file.write_text(DOOR)
    installed.penates("install")
    assert installed.calls() == [
        "reload mosquitto.service",
        "daemon-reload",
        "enable penates@frontdoor.service",
        "restart penates@frontdoor.service",
    ]
    assert "frontdoor:" in installed.file("/etc/mosquitto/penates/passwords").read_text()
    file.unlink()
    installed.penates("install")
    assert installed.calls() == [
        "disable --now penates@frontdoor.service",
        "daemon-reload",
        "reload mosquitto.service",  # after it has said that it has stopped
    ]
    assert "frontdoor:" not in installed.file("/etc/mosquitto/penates/passwords").read_text()
    assert installed.penates("install").startswith("nothing to do")


def test_faults_are_said_and_nothing_is_done(installed: Machine) -> None:
    installed.file("/etc/penates/devices/frontdoor.toml").write_text('kind = "doro"\n')
    assert "devices/frontdoor.toml:1: no kind 'doro'; did you mean 'door'?" in installed.penates("install", code=78)
    assert installed.calls() == []


def test_a_unit_that_does_not_start_is_told(installed: Machine) -> None:
    installed.file("/etc/penates/devices/frontdoor.toml").write_text(DOOR)
    installed.file("/var/systemctl/broken/penates@frontdoor.service").touch()
    assert "  penates@frontdoor.service: failed: online" in installed.penates("install", code=1)
    assert "restart penates@frontdoor.service" in installed.calls()
    installed.penates("install", code=1)
    assert installed.calls() == ["restart penates@frontdoor.service"]


def test_one_unit_for_all_and_back(installed: Machine) -> None:
    installed.penates("install", "--supervisor")
    assert installed.calls() == [
        "disable --now penates@pi.service",
        "disable --now penates@recorder.service",
        "daemon-reload",
        "enable penates.service",
        "restart penates.service",
    ]
    text = installed.file(f"{UNITS}/penates.service.d/penates.conf").read_text()
    assert "LoadCredential=password_firstpi:/etc/penates/secrets/firstpi" in text
    assert not DROP_INS & installed.files()
    assert installed.penates("install").startswith("nothing to do")
    installed.penates("install", "--no-supervisor")
    assert installed.files() >= DROP_INS
    assert "disable --now penates.service" in installed.calls()


def test_uninstalled_nothing_is_left_but_what_is_yours(machine: Machine) -> None:
    before = machine.files()
    users = [machine.file(f"/etc/{name}").read_text() for name in ("passwd", "group")]
    machine.penates("install")
    machine.write("/var/lib/systemd/timers/stamp-penates-certs.timer", "")
    shown = machine.penates("uninstall", "--dry-run").splitlines()
    machine.calls()
    done = machine.penates("uninstall").splitlines()
    assert done[:-1] == shown[:-1]
    assert done[-1].endswith("done; kept: /etc/penates")
    assert {
        "disable --now penates@pi.service",
        "disable --now penates.target",
        "daemon-reload",
        "disable --now mosquitto.service",
    } <= {*machine.calls()}
    # Debian notes in /etc/rc*.d that Mosquitto is off again; it has run.
    own = ("/etc/penates/", "/etc/rc", "/var/log/mosquitto/", "/var/systemctl/mosquitto.")
    left = {name for name in machine.files() - before if not name.startswith(own)}
    assert left == set()
    assert [machine.file(f"/etc/{name}").read_text() for name in ("passwd", "group")] == users


def test_with_purge_that_too(installed: Machine) -> None:
    assert installed.penates("uninstall", "--purge").endswith("done; kept: nothing\n")
    assert not [name for name in installed.files() if "penates" in name]


def test_a_unit_that_had_failed_is_not_shown_for_ever(installed: Machine) -> None:
    installed.file("/var/systemctl/failed/penates@pi.service").touch()
    installed.penates("uninstall")
    assert "reset-failed penates@pi.service" in (calls := installed.calls())
    assert calls.index("disable --now penates@pi.service") < calls.index("reset-failed penates@pi.service")
    assert "reset-failed penates@recorder.service" not in calls


def test_what_is_kept_is_taken_up_again(installed: Machine) -> None:
    secret = installed.file("/etc/penates/secrets/firstpi").read_text()
    house = installed.file("/etc/penates/house.toml")
    house.write_text(house.read_text().replace('group = "home"', 'group = "mine"'))
    installed.penates("uninstall")
    installed.put_programme()
    installed.penates("install")
    assert installed.file("/etc/penates/secrets/firstpi").read_text() == secret
    assert 'group = "mine"' in house.read_text()


@pytest.fixture
def others(new_broker: Callable[..., Broker]) -> Broker:
    """A broker that we do not look after, at an address that is not this machine's name."""
    return new_broker("others", "listener {port} 0.0.0.0", listener=False)


def join_broker(machine: Machine, tmp_path: Path, port: int, *more: str, code: int = 0) -> str:
    password = tmp_path / "password"
    password.write_text("opensesame\n")
    words = ("--broker", f"127.0.0.2:{port}", "--username", "pi2", "--password-file", str(password), *more)
    return machine.penates("install", *words, code=code)


def test_with_somebody_elses_broker(machine: Machine, tmp_path: Path) -> None:
    said = join_broker(machine, tmp_path, 1)
    assert "cannot check whether these sensors are alive on another machine: 127.0.0.2:1: " in said
    assert "opensesame" not in said
    house = machine.file("/etc/penates/house.toml").read_text().splitlines()
    assert {'host = "127.0.0.2"', "port = 1", 'username = "pi2"', 'password_file = "secrets/pi2"'} <= {*house}
    assert machine.file("/etc/penates/secrets/pi2").read_text() == "opensesame\n"
    assert mode(machine, "/etc/penates/secrets/pi2") == 0o640
    unit = machine.file(f"{UNITS}/penates@pi.service.d/penates.conf").read_text()
    assert "LoadCredential=password:/etc/penates/secrets/pi2" in unit
    assert not [name for name in machine.files() if "mosquitto/" in name]
    assert not [call for call in machine.calls() if "mosquitto" in call]
    assert machine.penates("install").startswith("nothing to do")


def beat(age_s: float = 0) -> str:
    time = datetime.fromtimestamp(datetime.now(UTC).timestamp() - age_s, UTC)
    return json.dumps({"time": time.strftime("%Y-%m-%dT%H:%M:%S.%fZ"), "heartbeat_s": 60})


def test_a_sensor_that_is_alive_elsewhere_is_refused(machine: Machine, others: Broker, tmp_path: Path) -> None:
    machine.networks = []
    client = Eyes(others.port)
    client.publish("home/firstpi/status/state", b"online", retain=True)
    client.publish("home/firstpi/status/about", json.dumps({"host": "attic.local"}), retain=True)
    client.publish("home/firstpi/status/heartbeat", beat(), retain=True)
    said = join_broker(machine, tmp_path, others.port, code=75)
    assert "firstpi is alive on attic.local: rename devices/pi.toml, or stop it there" in said
    assert machine.calls() == []
    client.publish("home/firstpi/status/heartbeat", beat(age_s=600), retain=True)
    join_broker(machine, tmp_path, others.port, "--dry-run")
    client.publish("home/firstpi/status/heartbeat", beat(), retain=True)
    client.publish("home/firstpi/status/state", b"stopped", retain=True)
    assert "alive" not in join_broker(machine, tmp_path, others.port)
    client.close()


def test_another_machine_is_invited_and_joins(installed: Machine, new_machine: Callable[[str], Machine]) -> None:
    said = installed.penates("invite", "atticpi", "attic")
    assert installed.calls() == ["reload mosquitto.service"]
    file = "/etc/penates/invited/atticpi.json"
    assert f"copy {file} to atticpi" in said
    assert mode(installed, file) == 0o600
    known = installed.file("/etc/mosquitto/penates/passwords").read_text()
    assert all(f"{user}:" in known for user in ("attic", "atticpi", "firstpi"))
    assert installed.penates("install").startswith("nothing to do")
    other = new_machine("atticpi")
    other.write("/srv/atticpi.json", installed.file(file).read_text())
    other.penates("install", "--join", "/srv/atticpi.json")
    house = other.file("/etc/penates/house.toml").read_text()
    assert 'host = ["firstpi.local", "firstpi", ' in house
    assert {"port = 8883", 'ca_file = "ca.pem"', "recorder = true"} <= {*house.splitlines()}
    for name in ("secrets/attic", "secrets/atticpi", "secrets/eyes", "ca.pem"):
        assert other.file(f"/etc/penates/{name}").read_text() == installed.file(f"/etc/penates/{name}").read_text()
    assert "restart penates@pi.service" in other.calls()
    assert not [name for name in other.files() if "/etc/mosquitto" in name]
    assert "--cafile /etc/penates/ca.pem" in other.file("/home/pat/.config/mosquitto_sub").read_text()


def test_who_has_no_house_invites_nobody(machine: Machine) -> None:
    before = machine.files()
    assert "nothing is installed here yet" in machine.penates("invite", "atticpi", code=78)
    assert machine.files() == before


def test_a_sensor_without_an_invitation(installed: Machine, new_machine: Callable[[str], Machine]) -> None:
    installed.penates("invite", "atticpi")
    other = new_machine("atticpi")
    file = installed.file("/etc/penates/invited/atticpi.json")
    other.write("/srv/atticpi.json", file.read_text())
    other.penates("install", "--join", "/srv/atticpi.json")
    other.file("/etc/penates/devices/window.toml").write_text(DOOR)
    said = other.penates("install", code=78)
    wanted = "devices/window.toml:1: the broker does not know window; on the broker's machine run: "
    assert f"{wanted}sudo penates invite atticpi window" in said
    installed.penates("invite", "atticpi", "window")
    other.write("/srv/atticpi.json", file.read_text())
    other.penates("install", "--join", "/srv/atticpi.json")
    assert "restart penates@window.service" in other.calls()[-1]


LISTED = (
    '{"machine": "gardenpi", "group": "home", "brokers": [], "port": 1, "recorder": true, "ca": "", "secrets": ["a"]}'
)
REFUSED = [
    (("firstpi",), 78, "firstpi is this machine; give the other one a different name"),
    (("atticpi", "firstpi"), 75, "firstpi is a sensor of firstpi"),
    (("cellarpi", "attic"), 75, "attic is a sensor of atticpi"),
    (("cellarpi", "recorder"), 2, "'recorder' must be"),
    (("a/b",), 2, "'a/b' must be"),
]


def test_an_invitation_is_for_one_machine_and_a_sensor_on_one(
    installed: Machine, new_machine: Callable[[str], Machine]
) -> None:
    installed.penates("invite", "atticpi", "attic")
    for words, code, why in REFUSED:
        assert why in installed.penates("invite", *words, code=code)
    other = new_machine("gardenpi")
    other.write("/srv/it.json", installed.file("/etc/penates/invited/atticpi.json").read_text())
    said = other.penates("install", "--join", "/srv/it.json", code=78)
    assert "is for atticpi, and this is gardenpi: run sudo hostnamectl set-hostname atticpi" in said
    text = other.file("/srv/it.json").read_text()
    for damaged in ("{}", "[]", '"x"', "x", text.replace('"attic"', '"../attic"'), LISTED):
        other.write("/srv/it.json", damaged)
        assert "it.json is not an invitation" in other.penates("install", "--join", "/srv/it.json", code=78)
    assert "cannot be read: No such file" in other.penates("install", "--join", "/no/such", code=78)
