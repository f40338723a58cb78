"""Two sites on two machines with a wire between them: invited, joined, seen and removed by one command each."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial

import pytest

from support.machine import Machine, Shell
from support.wired import wired
from support.world import eventually

BRIDGE_CONF = "/etc/mosquitto/conf.d/penates-bridge.conf"


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
def serving(home: Machine, cabin: Machine, wire: list[str]) -> Iterator[Shell]:
    """Home has invited, and its broker runs."""
    assert wire
    invite(home, cabin)
    with closing(Shell(home)) as shell:
        shell.serve("home/firstpi")
        yield shell


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
        (("cabin", "--group", "home"), 78, "the group 'home' belongs to this site"),
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
        ((), ("", ""), 78, "the invitation is for the group cabin, and this house has home; either rename the group"),
        (("--group", "cabin"), ("", ""), 1, "nothing was changed: the broker of home cannot be used\n  "),
        (("--group", "cabin"), ('"by_groups": [\n    "home"', '"by_groups": [\n    "a/b"'), 78, "'by_groups' must be"),
        (("--group", "cabin"), ('"site": "cabin"', '"site": ""'), 78, "'site' must be 1 to 64"),
        (("--callable", "192.0.2.1", "--metered"), ("", ""), 78, "--metered needs one site that calls for both"),
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


def test_a_group_that_the_house_gets_is_known_to_the_bridge_and_one_of_the_far_site_by_a_command(
    installed: Machine,
) -> None:
    installed.penates("bridge", "invite", "cabin", "--as", "home")
    installed.write("/etc/penates/devices/attic.toml", 'kind = "recorder"\ngroup = "attic"\nsensor = "store"\n')
    installed.run("chmod", "644", "/etc/penates/devices/attic.toml")
    installed.penates("install")
    file = "/etc/penates/devices/cabin.toml"
    assert 'own_groups = ["attic", "home"]' in installed.file(file).read_text()
    assert "topic read attic/+/data/reading" in installed.file("/etc/mosquitto/penates/acl").read_text()
    assert installed.penates("install").startswith("nothing to do")
    shown = installed.penates("bridge", "groups", "cabin", "cabin", "shed", "--dry-run")
    said = installed.penates("bridge", "groups", "cabin", "cabin", "shed")
    assert steps(said) == steps(shown)
    assert 'groups = ["cabin", "shed"]' in installed.file(file).read_text()
    assert "topic write shed/+/data/reading" in installed.file("/etc/mosquitto/penates/acl").read_text()
    for words, why in (
        (("hut", "hut"), "no site 'hut' is known here; known: cabin"),
        (("cabin", "attic"), "the group 'attic' belongs to this site"),
    ):
        assert why in installed.penates("bridge", "groups", *words, code=78)
    installed.file("/etc/penates/devices/attic.toml").unlink()
    installed.penates("install")
    assert 'own_groups = ["home"]' in installed.file(file).read_text()


@pytest.mark.usefixtures("serving")
def test_uninstalled_the_connections_are_gone_too(cabin: Machine) -> None:
    cabin.penates("bridge", "join", "/srv/cabin.json", "--group", "cabin", "--metered")
    topics = cabin.file(BRIDGE_CONF).read_text()
    assert "topic cabin/+/status/heartbeats out 0\n" in topics
    assert "topic cabin/+/status/+ out 0\n" not in topics
    cabin.penates("uninstall")
    assert not cabin.file(BRIDGE_CONF).is_file()
    assert not [name for name in cabin.files() if name.startswith("/etc/mosquitto/penates")]


# What `bridge status` says, at both sites and at each of its times.


def says(shell: Shell, line: str, code: int) -> bool:
    """Whether the only site in it is described like this."""
    return shell.ask("/opt/penates/bin/penates bridge status") == (f"{line}\n", code)


def test_the_status_of_a_link_that_never_was_then_is_and_then_is_not(cabin: Machine, serving: Shell) -> None:
    assert cabin.penates("bridge", "status") == "this site knows no other: sudo penates bridge invite SITE\n"
    assert says(serving, "cabin (group cabin): history never up, state never up; cabin calls home; 0 sensors", 1)
    up = "history up, state up; cabin calls home; 1 sensor: 1 online"
    with closing(Shell(cabin)) as far:
        joined = far.penates("bridge join /srv/cabin.json --group cabin")
        assert "the link to home is up: 1 sensor of it known here\n" in joined
        assert says(far, f"home (group home): {up}", 0)
        far.serve("cabin/cabinpi")
        eventually(partial(says, serving, f"cabin (group cabin): {up}", 0), "home says that it is up")
        assert json.loads(serving.penates("bridge status --json"))["sites"] == [
            {
                "site": "cabin",
                "groups": ["cabin"],
                "caller": "cabin",
                "history": True,
                "state": True,
                "outgoing": None,
                "sensors": {"cabin/cabinpi": "online"},
            }
        ]
    down = "cabin (group cabin): history down, state down; cabin calls home; 1 sensor: 1 online"
    eventually(partial(says, serving, down, 1), "home says that it is down")
    assert "Connection refused" in cabin.penates("bridge", "status", code=1)


# Both call.


def test_a_site_that_can_be_called_too_answers_with_a_file_and_each_brings_what_is_its_own(
    home: Machine, cabin: Machine, serving: Shell
) -> None:
    with closing(Shell(cabin)) as far:
        joining = "bridge join /srv/cabin.json --group cabin --callable 192.168.78.2"
        shown = far.penates(f"{joining} --dry-run")
        said = far.penates(joining)
        assert steps(said) == steps(shown)
        reply = "/etc/penates/sites/home.json"
        assert said.endswith(f"copy {reply} to home, and run there: sudo penates bridge join home.json\n")
        far.serve("cabin/cabinpi")
        home.write("/srv/home.json", cabin.file(reply).read_text())
        waiting = (
            "history never up, state never up; home calls cabin; history up, state up; cabin calls home; 0 sensors"
        )
        eventually(partial(says, far, f"home (group home): {waiting}", 1), "the cabin calls already")
        said = serving.penates("bridge join /srv/home.json")
        assert "the link to cabin is up: 1 sensor of it known here\n" in said
        serving.say_online("home/firstpi")  # the Mosquitto that was killed has forgotten it
        here = "history up, state up; cabin calls home; history up, state up; home calls cabin; 1 sensor: 1 online"
        there = "history up, state up; home calls cabin; history up, state up; cabin calls home; 1 sensor: 1 online"
        assert says(serving, f"cabin (group cabin): {here}", 0)
        eventually(partial(says, far, f"home (group home): {there}", 0), "the cabin knows, too")
        for machine, own in ((home, "home"), (cabin, "cabin")):
            lines = machine.file(BRIDGE_CONF).read_text().splitlines()
            each = [f"{own}/+/data/reading out 1", f"{own}/+/data/+ out 0", f"{own}/+/status/+ out 0"]
            assert [line for line in lines if line.startswith("topic ")] == [f"topic {one}" for one in each]
            assert "fetch = false" in machine.file(f"/etc/penates/devices/{OTHER[own]}.toml").read_text()
            owner = machine.run("stat", "-c", "%U:%G %a", f"/etc/penates/secrets/site-{OTHER[own]}").stdout
            assert owner == "root:penates 640\n"
        for shell in (serving, far):
            assert shell.penates("install").startswith("nothing to do")


OTHER = {"home": "cabin", "cabin": "home"}


@pytest.mark.parametrize(
    ("change", "words", "why"),
    [
        (('"reply_to": "home"', '"reply_to": "shed"'), "", "is for the site shed, and this is home"),
        (('"site": "cabin"', '"site": "hut"'), "", "no site 'hut' is known here; known: cabin"),
        (("", ""), "--group shed", "is a reply; --group, --callable and --metered are for an invitation"),
        (('"port": 8883', '"port": 0'), "", "is not a reply, as `penates bridge join --callable` writes one: 'port'"),
    ],
)
def test_a_reply_that_cannot_be_used(installed: Machine, change: tuple[str, str], words: str, why: str) -> None:
    installed.penates("bridge", "invite", "cabin", "--as", "home")
    ca = installed.file("/etc/penates/ca.pem").read_text()
    reply = {"reply_to": "home", "site": "cabin", "groups": ["cabin"], "brokers": ["192.0.2.1"], "port": 8883, "ca": ca}
    installed.write("/srv/home.json", json.dumps(reply).replace(*change))
    before = installed.files()
    assert why in installed.penates("bridge", "join", "/srv/home.json", *words.split(), code=78)
    assert installed.files() == before
