"""Installing beside a broker that somebody else looks after, and that stays as it is."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from penates.broker.mosquitto_files import hashed
from support.machine import Machine, Shell
from support.world import Broker, Eyes

UNIT = "/etc/systemd/system/penates@pi.service.d/penates.conf"


@pytest.fixture
def open_broker(new_broker: Callable[..., Broker]) -> Broker:
    """Let everybody in, as most brokers of homes do, at an address that is not this machine's name."""
    return new_broker("open", "listener {port} 0.0.0.0", listener=False)


@pytest.fixture
def near(machine: Machine) -> Machine:
    """A machine in the network of the brokers of these tests."""
    machine.networks = []
    return machine


def test_a_broker_that_lets_everybody_in_needs_no_user(near: Machine, open_broker: Broker) -> None:
    conf = open_broker.conf.read_bytes()
    said = near.penates("install", "--broker", f"127.0.0.2:{open_broker.port}")
    house = near.file("/etc/penates/house.toml").read_text()
    assert {'host = "127.0.0.2"', f"port = {open_broker.port}", "recorder = true"} <= {*house.splitlines()}
    assert not [line for line in house.splitlines() if line.startswith(("username", "password_file"))]
    assert {"penates@pi.service: active: online", "penates@recorder.service: active: online"} <= {
        line.strip() for line in said.splitlines()
    }
    assert "LoadCredential=password" not in near.file(UNIT).read_text()
    assert not [name for name in near.files() if "mosquitto/" in name or "secrets" in name]
    looking = near.file("/home/pat/.config/mosquitto_sub").read_text().splitlines()
    assert looking[1:] == ["-h 127.0.0.2", f"-p {open_broker.port}"]
    assert near.penates("install").startswith("nothing to do")
    assert open_broker.conf.read_bytes() == conf
    lacking = said.partition("what the broker lacks for all that penates promises:\n")[2]
    assert "users: it lets in clients without a password" in lacking
    assert "queues: it keeps 1000 messages for a recorder that is away, and drops" in lacking
    assert "storage: what it keeps through a restart or a power cut cannot be seen from here" in lacking
    assert lacking.count("-> ") == 3
    found = json.loads(near.penates("doctor", "--json", code=1))
    of_doctor = {one["check"]: one["text"] for one in found if one["about"] == "house"}
    assert all(f"{name}: {of_doctor[name]}" in lacking for name in ("users", "queues", "storage"))


def test_that_it_knows_our_user_does_not_mean_that_it_keeps_others_out(near: Machine, open_broker: Broker) -> None:
    near.write("/srv/password", "opensesame\n")
    named = ("--username", "pi2", "--password-file", "/srv/password")
    said = near.penates("install", "--broker", f"127.0.0.2:{open_broker.port}", *named)
    assert "users: it lets in clients without a password" in said


def test_one_recorder_is_enough_for_a_broker(near: Machine, open_broker: Broker) -> None:
    client = Eyes(open_broker.port)
    client.publish("home/recorder/status/recording", b'{"recording": true, "groups": ["home"]}', retain=True)
    near.penates("install", "--broker", f"127.0.0.2:{open_broker.port}")
    client.close()
    assert not [name for name in near.files() if "recorder" in name]
    assert "recorder = true" in near.file("/etc/penates/house.toml").read_text().splitlines()


def test_a_broker_that_wants_a_user_says_so_before_anything_is_done(
    near: Machine, new_broker: Callable[..., Broker], tmp_path: Path
) -> None:
    passwords = tmp_path / "passwords"
    passwords.write_text(f"pi2:{hashed('opensesame')}\n")
    broker = new_broker("strict", "allow_anonymous false", f"password_file {passwords}", "max_queued_messages 8192")
    before, words = near.files(), ("install", "--broker", f"127.0.0.1:{broker.port}")
    said = near.penates(*words, code=78)
    assert f"127.0.0.1:{broker.port} does not let us in: Not authorized; name a user of it with --username" in said
    assert (near.files(), near.calls()) == (before, [])
    (tmp_path / "wrong").write_text("sesame\n")
    (tmp_path / "right").write_text("opensesame\n")
    named = (*words, "--username", "pi2", "--password-file")
    assert "check the user pi2 and its password there" in near.penates(*named, str(tmp_path / "wrong"), code=78)
    assert (near.files(), near.calls()) == (before, [])
    said = near.penates(*named, str(tmp_path / "right"))
    assert "penates@recorder.service: active: online" in said
    assert "opensesame" not in said
    assert "what the broker lacks" in said
    assert "queues" not in said  # it keeps more than the usual thousand messages
    assert "managed = false" in near.file("/etc/penates/house.toml").read_text().splitlines()


THEIRS = "listener 1883\npassword_file /etc/mosquitto/theirs\nacl_file /etc/mosquitto/rules\n"
RULES = (
    "topic read $SYS/#\n\nuser tasmota\ntopic readwrite tele/#\n\npattern readwrite own/%u/#"  # without a last newline
)
TRY = """\
from pathlib import Path
from bootstrap.mqtt.address import ConnectOptions
from bootstrap.mqtt.connect import connect
from penates.fleet.probe import MqttProbe

def may(user, topic, password=None):
    password = password or Path(f"/etc/penates/secrets/{user}").read_text().strip()
    options = ConnectOptions(client_id="", protocol="5", keepalive_s=9, username=user, password=password)
    with MqttProbe(connect("127.0.0.1", 1883, None), options) as probe:
        return not probe.greet().failed and not probe.publish(topic).failed

print(may("tasmota", "tele/x", "sesame"), may("firstpi", "home/firstpi/data/x"), may("admin", "home/x/action/read"))
print(may("tasmota", "home/firstpi/data/x", "sesame"), may("firstpi", "home/other/data/x"),
    may("eyes", "home/x/data/y"), may("admin", "tele/x"), may("firstpi", "tele/x"),
    may("firstpi", "home/firstpi/status/recording"))
"""


@pytest.fixture
def shared(machine: Machine) -> Machine:
    """A machine with a Mosquitto that has users and rules of others."""
    machine.write("/etc/mosquitto/conf.d/theirs.conf", THEIRS)
    machine.write("/etc/mosquitto/theirs", f"tasmota:{hashed('sesame')}\n")
    machine.write("/etc/mosquitto/rules", RULES)
    machine.run("sh", "-c", "cd /etc/mosquitto; chown mosquitto theirs rules; chmod 600 theirs; chmod 640 rules")
    return machine


def of_mosquitto(machine: Machine) -> dict[str, str]:
    """What others have there, with owner and mode."""
    listed = machine.run("find", "/etc/mosquitto", "-type", "f", "-printf", "%u:%g %m %p\\n").stdout.splitlines()
    return {row: machine.run("cat", row.split()[-1]).stdout for row in listed}


def test_beside_users_and_rules_of_others_each_sensor_is_a_user_with_rules_of_its_own(shared: Machine) -> None:
    before = of_mosquitto(shared)
    shared.write("/srv/try.py", TRY)
    shell = Shell(shared)
    shell.run("systemctl restart mosquitto.service")
    said = shell.run("/opt/penates/bin/penates install")
    may, may_not = shell.run(f"{sys.executable} /srv/try.py").splitlines()
    again = shell.run("/opt/penates/bin/penates install")
    shell.close()
    assert "systemctl reload mosquitto.service" in said
    assert "restart mosquitto" not in said
    assert "penates@recorder.service: active" in said
    assert (may, may_not) == ("True True True", "False False False False False False")
    assert again.startswith("nothing to do")
    after = of_mosquitto(shared)
    assert after.keys() == before.keys()
    changed = {row: text for row, text in after.items() if text != before[row]}
    assert {row.split()[-1] for row in changed} == {"/etc/mosquitto/rules", "/etc/mosquitto/theirs"}
    assert all(text.startswith(f"{before[row].rstrip()}\n# penates: begin") for row, text in changed.items())
    assert "pattern" not in "".join(changed.values()).replace(RULES, "")
    conf = shared.file("/etc/mosquitto/conf.d/theirs.conf")
    conf.write_text(THEIRS.replace("1883", "1884"))  # a listener that we do not know: there is nothing to add to
    shared.run("/opt/penates/bin/penates", "install")
    conf.write_text(THEIRS)
    shared.penates("uninstall")
    assert {row: text.rstrip() for row, text in of_mosquitto(shared).items()} == {
        row: text.rstrip() for row, text in before.items()
    }


def test_a_user_of_others_with_a_name_that_we_need_is_told_and_nothing_is_done(shared: Machine) -> None:
    file = shared.file("/etc/mosquitto/theirs")
    file.write_text(f"{file.read_text()}admin:{hashed('theirs')}\n")
    before = of_mosquitto(shared)
    said = shared.penates("install", code=78)
    assert "/etc/mosquitto/theirs:2: 'admin' is a user there already" in said
    assert "write its password into /etc/penates/secrets/admin" in said
    assert "sesame" not in said
    assert of_mosquitto(shared) == before
    shared.write("/etc/penates/secrets/admin", "theirs\n")
    shown = shared.penates("install", "--dry-run")
    assert "write /etc/mosquitto/theirs (mosquitto:root 600)  [changed]" in shown
    assert "systemctl reload mosquitto.service" in shown


def test_only_when_asked_a_broker_of_others_is_taken_over_with_its_users_and_given_back(shared: Machine) -> None:
    before = of_mosquitto(shared)
    shared.write("/srv/try.py", TRY)
    shell = Shell(shared)
    shell.run("systemctl restart mosquitto.service")
    said = shell.run("/opt/penates/bin/penates install --take-over")
    may, _ = shell.run(f"{sys.executable} /srv/try.py").splitlines()
    shell.close()
    assert "restart mosquitto.service" in said
    assert may == "True True True"  # theirs as before, by its password and its rules
    theirs = shared.file("/etc/mosquitto/conf.d/theirs.conf").read_text()
    assert [line.startswith("#penates took this over: ") for line in theirs.splitlines()] == [True] * 3
    assert "# managed = true" in shared.file("/etc/penates/house.toml").read_text().splitlines()
    shared.penates("uninstall")
    assert of_mosquitto(shared) == before
