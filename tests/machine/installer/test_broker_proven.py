"""What the installer does to a Mosquitto that has a life of its own: it proves its result, or changes nothing."""

import sys
from collections.abc import Callable

import pytest

from support.machine import Machine

CONF_D = "/etc/mosquitto/conf.d"
OPEN = "# everything in the house that has no password\nlistener 1883\nallow_anonymous true\n"
# Another program has the port before the command is given.
BUSY = """
import socket, subprocess, sys
with socket.create_server(("0.0.0.0", int(sys.argv[1]))):
    sys.exit(subprocess.run(["/opt/penates/bin/penates", "install"]).returncode)
"""
# A Mosquitto that reads more than its configuration, unless that is a copy.
WITH_MORE = """#!/bin/sh
if [ "$2" = /etc/mosquitto/mosquitto.conf ]; then
    { cat "$2"; printf '\\nlistener 1999\\n'; } >/tmp/more.conf
    set -- -c /tmp/more.conf
fi
exec /usr/sbin/mosquitto "$@"
"""


def brokers_files(machine: Machine) -> dict[str, str]:
    """What is there of Mosquitto's settings, with owner and mode."""
    listed = machine.run("find", "/etc/mosquitto", "-type", "f", "-printf", "%u:%g %m %p\\n").stdout.splitlines()
    return {row: machine.run("cat", row.split()[-1]).stdout for row in listed}


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        ("site.conf", "max_connections 50\n", "site.conf:1: 'max_connections 50' is before any listener"),
        ("fleet.conf", "\nclientid_prefixes fleet-\n", "fleet.conf:2: 'clientid_prefixes fleet-' is why Mosquitto"),
    ],
)
def test_settings_that_do_not_go_with_ours_are_told_and_nothing_is_done(
    machine: Machine, name: str, text: str, wanted: str
) -> None:
    machine.write(f"{CONF_D}/{name}", text)
    before = machine.files()
    assert wanted in machine.penates("install", code=78)
    assert (machine.files(), machine.calls()) == (before, [])


@pytest.mark.parametrize("options", [(), ("--broker", "localhost"), ("--broker", "localhost:1883")])
def test_a_broker_that_everybody_may_use_is_used_as_it_is(machine: Machine, options: tuple[str, ...]) -> None:
    machine.write(f"{CONF_D}/open.conf", OPEN)
    said = machine.penates("install", *options)
    assert ("others use the Mosquitto on this machine, so it stays as it is" in said) == (not options)
    assert {"managed = false", "port = 1883"} <= {*machine.file("/etc/penates/house.toml").read_text().splitlines()}
    assert not machine.file("/etc/penates/secrets").exists()
    assert not [call for call in machine.calls() if "mosquitto" in call]
    assert machine.file(f"{CONF_D}/open.conf").read_text() == OPEN


def test_a_port_that_another_program_has_is_told_and_nothing_is_done(machine: Machine) -> None:
    before = machine.files()
    done = machine.run(sys.executable, "-c", BUSY, "8883")
    assert done.returncode == 1
    assert "cannot use port 8883: python" in done.stderr
    assert "has it. Stop that, or, if it is a broker, use it" in done.stderr
    assert (machine.files(), machine.calls()) == (before, [])


def test_a_broker_that_does_not_come_up_is_put_back(installed: Machine) -> None:
    before = brokers_files(installed)
    house = installed.file("/etc/penates/house.toml")
    house.write_text(house.read_text().replace("# port = 1883", "port = 1884"))
    installed.file("/var/systemctl/broken/mosquitto.service").touch()
    said = installed.penates("install", code=1)
    assert "systemctl restart mosquitto.service failed" in said
    assert "its files are as they were before, and it runs again" in said
    assert brokers_files(installed) == before
    assert installed.calls()[-2:] == ["restart mosquitto.service"] * 2
    assert "restart mosquitto.service" in (installed.penates("install"), *installed.calls())


def test_a_broker_that_is_not_as_it_must_be_is_put_back(machine: Machine) -> None:
    """It lets in strangers: as if the real one read something that its copy did not."""
    machine.write("/usr/local/sbin/mosquitto", WITH_MORE)
    before = brokers_files(machine)
    said = machine.penates("install", code=1)
    assert "Mosquitto also listens on 0.0.0.0:1999; also listens on [::]:1999\n" in said
    assert "its files are as they were before, and it does not run" in said
    assert brokers_files(machine) == before
    assert machine.calls()[-1] == "stop mosquitto.service"


@pytest.mark.parametrize("name", ["homeassistant", "admin", "recorder"])
def test_a_host_may_have_the_name_of_one_of_the_brokers_users(new_machine: Callable[[str], Machine], name: str) -> None:
    machine = new_machine(name)
    assert "penates@pi.service: active" in machine.penates("install")
    secrets = machine.file("/etc/penates/secrets")
    assert (secrets / f"{name}-pi").read_text() != (secrets / name).read_text()


def test_a_host_that_is_called_homeassistant_is_invited(
    installed: Machine, new_machine: Callable[[str], Machine]
) -> None:
    installed.penates("invite", "homeassistant")
    other = new_machine("homeassistant")
    other.write("/srv/it.json", installed.file("/etc/penates/invited/homeassistant.json").read_text())
    other.penates("install", "--join", "/srv/it.json")
    assert other.file("/etc/penates/secrets/homeassistant-pi").exists()
    assert not other.file("/etc/penates/secrets/homeassistant").exists()


def test_a_port_for_browsers_is_opened_if_the_house_wants_it_and_told_if_it_cannot_be(installed: Machine) -> None:
    house = installed.file("/etc/penates/house.toml")
    text = house.read_text()
    house.write_text(text.replace("# websocket_port = 8884", "websocket_port = 8883"))
    assert "'websocket_port' must be a port of its own, such as 8884" in installed.penates("install", code=78)
    house.write_text(text.replace("# websocket_port = 8884", "websocket_port = 9443"))
    assert "restart mosquitto.service" in installed.penates("install")  # which proves that it listens there
    listeners = installed.file(f"{CONF_D}/penates-listeners.conf").read_text().splitlines()
    assert {"listener 9443", "protocol websockets"} <= {*listeners}
