"""Installing beside a broker that somebody else looks after, and that stays as it is."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from penates.broker.mosquitto_files import hashed
from support.machine import Machine
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
