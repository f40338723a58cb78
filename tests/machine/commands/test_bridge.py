"""Two sites on two machines with a wire between them: invited, joined, seen and removed by one command each."""

import re
import sys
from collections.abc import Callable, Iterator

import pytest

from support.machine import Machine
from support.wired import wired
from support.world import pipe

BRIDGE_CONF = "/etc/mosquitto/conf.d/penates-bridge.conf"
# Mosquitto, and what a sensor of the site says there.
SERVES = """
systemctl restart mosquitto.service || exit 1
{python} - <<'END' || exit 1
from pathlib import Path
from paho.mqtt.publish import single
password = Path("/etc/penates/secrets/admin").read_text().strip()
single("cm/firstpi/status/state", "online", 1, True, "127.0.0.1", auth={{"username": "admin", "password": password}})
print("serves", flush=True)
END
read -r end
"""


@pytest.fixture
def cabin(new_machine: Callable[[str], Machine]) -> Machine:
    """A site that has just been installed."""
    machine = new_machine("cabinpi")
    machine.penates("install")
    machine.calls()
    return machine


@pytest.fixture
def home(installed: Machine) -> Machine:
    return installed


def invite(home: Machine, cabin: Machine, *words: str) -> str:
    """The invitation, as it is copied to the other site."""
    said = home.penates("bridge", "invite", "cabin", "--as", "home", *words)
    file = "/etc/penates/sites/cabin.json"
    assert f"copy {file} to cabin, and run there: sudo penates bridge join cabin.json" in said
    text = home.file(file).read_text()
    cabin.write("/srv/cabin.json", text)
    return text


@pytest.fixture
def wire(home: Machine, cabin: Machine) -> Iterator[list[str]]:
    with wired(home, cabin) as addresses:
        yield addresses


@pytest.fixture
def serving(home: Machine, cabin: Machine, wire: list[str]) -> Iterator[None]:
    """Home has invited, and its broker runs."""
    assert wire
    invite(home, cabin)
    running = home.start("sh", "-c", SERVES.format(python=sys.executable))
    assert pipe(running.stdout).readline() == "serves\n"
    yield
    running.communicate()


def steps(said: str) -> list[str]:
    return [line for line in said.splitlines() if re.match(r" *\d+/\d+ ", line)]


@pytest.mark.usefixtures("serving")
def test_one_command_a_side_and_the_first_value_of_the_other_is_there(cabin: Machine) -> None:
    before = cabin.files()
    shown = cabin.penates("bridge", "join", "/srv/cabin.json", "--group", "cabin", "--dry-run")
    assert (cabin.files(), cabin.calls()) == (before, [])
    said = cabin.penates("bridge", "join", "/srv/cabin.json", "--group", "cabin")
    assert steps(said) == steps(shown)
    assert "the link to home is up: 1 sensor of it known here\n" in said
    assert cabin.run("stat", "-c", "%U %a", BRIDGE_CONF).stdout == "mosquitto 600\n"
    house = cabin.file("/etc/penates/house.toml").read_text().splitlines()
    assert {'group = "cabin"', 'name = "cabin"'} <= {*house}
    assert "restart penates@home.service" in "\n".join(cabin.calls())
    assert cabin.penates("install").startswith("nothing to do")
    assert "home:" in cabin.file("/etc/mosquitto/penates/passwords").read_text()


def test_the_invitation_shows_its_steps_and_makes_users(installed: Machine, cabin: Machine) -> None:
    before = installed.files()
    shown = installed.penates("bridge", "invite", "cabin", "--as", "home", "--dry-run")
    assert (installed.files(), installed.calls()) == (before, [])
    said = installed.penates("bridge", "invite", "cabin", "--as", "home")
    assert steps(said) == steps(shown)
    assert installed.calls()[-2:] == ["enable penates@cabin.service", "restart penates@cabin.service"]
    known = installed.file("/etc/mosquitto/penates/passwords").read_text()
    assert all(f"site-cabin{end}:" in known for end in ("", "-history", "-state"))
    assert 'name = "home"' in installed.file("/etc/penates/house.toml").read_text().splitlines()
    assert not installed.file("/etc/mosquitto/conf.d/penates-bridge.conf").exists()
    assert installed.penates("install").startswith("nothing to do")
    again = installed.penates("bridge", "invite", "cabin", "--group", "cabin", "--group", "shed")
    assert "sudo penates bridge join cabin.json" in again
    assert 'groups = ["cabin", "shed"]' in installed.file("/etc/penates/devices/cabin.toml").read_text()
    assert "topic write shed/+/data/reading" in installed.file("/etc/mosquitto/penates/acl").read_text()
    assert installed.run("stat", "-c", "%U %a", "/etc/penates/sites/cabin.json").stdout == "root 600\n"
    assert cabin.files()


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        (("firstpi",), 78, "firstpi is this site; give the other one a different name, or this one by --as"),
        (("pi",), 75, "devices/pi.toml is a sensor of this house (pi); give the other site a different name"),
        (("cabin", "--group", "cm"), 78, "the group 'cm' belongs to this site"),
        (("a" * 49,), 2, "at most 48"),
        (("cabin", "--port", "0"), 2, "a port must be a number from 1 to 65535"),
        (("cabin", "--address", "mqtts://x"), 2, "'mqtts://x' must be a host name or address"),
        (("cabin", "--address", "home.example"), 78, "was not made for home.example"),
    ],
)
def test_what_cannot_be_invited_is_told_and_nothing_is_done(
    installed: Machine, words: tuple[str, ...], code: int, why: str
) -> None:
    before = installed.files()
    assert why in installed.penates("bridge", "invite", *words, code=code)
    assert (installed.files(), installed.calls()) == (before, [])


def test_who_cannot_join_is_told_why_and_nothing_is_done(home: Machine, cabin: Machine, wire: list[str]) -> None:
    invitation = invite(home, cabin)
    assert wire
    before = cabin.files()
    for words, change, code, why in (
        ((), ("", ""), 78, "the invitation is for the group cabin, and this house has cm; either rename the group"),
        (("--group", "cabin"), ("", ""), 1, "nothing was changed: the broker of home cannot be used\n  "),
        (("--group", "cabin"), ('"by_groups": [\n    "cm"', '"by_groups": [\n    "a/b"'), 78, "'by_groups' must be"),
        (("--group", "cabin"), ('"site": "cabin"', '"site": ""'), 78, "'site' must be 1 to 64"),
    ):
        cabin.write("/srv/cabin.json", invitation.replace(*change) if change[0] else invitation)
        assert why in cabin.penates("bridge", "join", "/srv/cabin.json", *words, code=code)
        assert (cabin.files(), cabin.calls()) == (before, [])


def test_a_removed_site_leaves_nothing_behind(installed: Machine) -> None:
    before = {name for name in installed.files() if not name.startswith("/etc/rc")}
    installed.penates("bridge", "invite", "cabin", "--as", "home")
    installed.calls()
    installed.penates("bridge", "remove", "cabin", "--dry-run")
    assert installed.calls() == []
    assert "topics of cabin cleared" in installed.penates("bridge", "remove", "cabin")
    assert "disable --now penates@cabin.service" in installed.calls()
    left = {name for name in installed.files() if not name.startswith("/etc/rc")} - before
    assert not [name for name in left if "cabin" in name]
    assert "site-cabin" not in installed.file("/etc/mosquitto/penates/passwords").read_text()
    assert "no site 'cabin' is known here" in installed.penates("bridge", "remove", "cabin", code=78)


@pytest.mark.usefixtures("serving")
def test_uninstalled_the_connections_are_gone_too(cabin: Machine) -> None:
    cabin.penates("bridge", "join", "/srv/cabin.json", "--group", "cabin", "--metered")
    topics = cabin.file(BRIDGE_CONF).read_text()
    assert "topic cabin/+/status/heartbeats out 0\n" in topics
    assert "topic cabin/+/status/+ out 0\n" not in topics
    cabin.penates("uninstall")
    assert not cabin.file(BRIDGE_CONF).is_file()
    assert not [name for name in cabin.files() if name.startswith("/etc/mosquitto/penates")]
