"""What `penates doctor` finds, on a real broker with real files; each thing that is wrong is found, and it alone."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bootstrap.config.loader import load
from bootstrap.config.toml_file import SettingsError
from penates.commands import doctor
from penates.doctor import supervision
from penates.doctor.findings import Finding, Verdict
from support.places import Place
from support.reports import reports
from support.world import PATIENCE_S, Broker, House, eventually, free_port, retained

TLS = 'ca_file = "ca.pem"\npassword_file = "secrets/{sensor}"'
GOOD, BAD, UNKNOWN = Verdict


def found(house: House, about: str = "cm/cellar", *names: str) -> dict[str, Finding]:
    """By check; of the good and bad of one check the worse."""
    (report,) = (one for one in doctor.examine(house.folder, [*names]) if one.about == about)
    return {one.check: one for one in sorted(report.found, key=lambda one: [GOOD, UNKNOWN, BAD].index(one.verdict))}


def not_good(findings: dict[str, Finding]) -> dict[str, Verdict]:
    return {name: one.verdict for name, one in findings.items() if one.verdict is not GOOD and name != "clock"}


@pytest.fixture(autouse=True)
def _like_the_sensors(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(house.folder / "state"))


@pytest.fixture
def site(house: House, tmp_path: Path, new_broker: Callable[..., Broker]) -> Place:
    """A cellar, and the broker that is made for it."""
    place = Place(house, tmp_path / "mosquitto")
    house.thermometer()
    place.make()
    kept = tmp_path / "kept"
    kept.mkdir()
    lines = ("allow_anonymous false", f"persistence_location {kept}/", f"include_dir {place.site.conf_d}")
    place.broker = new_broker("site", *lines, listener=False, port=place.site.plain_port)
    return place


@pytest.fixture
def alive(site: Place) -> Place:
    """The same, with its sensor online."""
    site.house.thermometer(every_s=0.1)
    running = site.house.run()
    running.wait_log("connected")
    running.wait_log(f"read (seq={len(running.logged('read (')) + 2}")
    return site


def allow(site: Place, *rules: str) -> None:
    """Only this, to the cellar and whoever commands it."""
    file = site.site.private / "acl"
    file.write_text("\n".join([*rules, "user admin", "topic readwrite #", "user eyes", "topic read #", ""]))
    file.chmod(0o640)
    before = site.broker.log().count("Reloading config")
    site.broker.send(1)
    deadline = time.monotonic() + 10
    while site.broker.log().count("Reloading config") == before and time.monotonic() < deadline:
        time.sleep(0.01)


RIGHTS = ("password", "status/#", "data/#", "action/#", "only its own", "last will")
SAY, TELL, OBEY = "pattern readwrite cm/%u/status/#", "pattern write cm/%u/data/#", "pattern read cm/%u/action/#"


# A whole house, well.


def test_a_house_that_is_well_and_is_not_disturbed(alive: Place) -> None:
    login = alive.login("admin")
    before = retained(alive.site.plain_port, **login)
    running = alive.house._running[0]  # noqa: SLF001 - ours
    done = alive.house.penates("doctor")
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert {name for name in RIGHTS if f"  ok   {name} " in done.stdout} == set(RIGHTS)
    assert "  BAD  " not in done.stdout
    now = retained(alive.site.plain_port, **login)
    assert now.keys() == before.keys()
    assert now["cm/cellar/status/heartbeat"]["reconnects"] == 0
    assert not [line for line in running.lines if not line.split(" ", 1)[1].startswith(("info", "debug"))]


def test_by_tls_with_a_supervisor_and_a_recorder(site: Place) -> None:
    house = site.house
    house.device("recorder", 'kind = "recorder"\n')
    house.device("lamp", 'kind = "lamp"\npin = 22\n')
    house.write(site.site.tls_port, broker=f"{TLS}\n[history]\nrecorder = true", host='"localhost"')
    site.make()
    site.broker.send(1)
    parent = house.supervise(GPIOZERO_PIN_FACTORY="simulated")
    login, word = site.login("admin"), "cm/recorder/status/recording"
    eventually(
        lambda: retained(site.site.plain_port, **login).get(word, {}).get("recording"), "it says that it records"
    )
    told = json.loads(house.penates("doctor", "--json").stdout)
    assert {one["about"] for one in told} == {"house", "cm/cellar", "cm/lamp", "cm/recorder"}
    assert [one for one in told if one["verdict"] == "bad"] == []
    tls = next(one for one in told if one["check"] == "TLS")
    assert tls["text"].endswith("more days")
    assert house.penates("stop", "recorder").returncode == 0
    told = json.loads(house.penates("doctor", "cellar", "--json").stdout)
    assert [one["text"] for one in told if one["verdict"] == "bad" and one["check"] == "recorded"] == [
        "its readings wait, because no recorder says that it records them"
    ]
    parent.stop()


# At the broker.


@pytest.mark.parametrize(
    ("rules", "wrong"),
    [
        ((SAY, TELL, OBEY), set()),
        ((TELL, OBEY), {"status/#", "last will"}),
        ((SAY.replace("readwrite", "write"), TELL, OBEY), {"status/#", "last will"}),
        ((SAY.replace("readwrite", "read"), TELL, OBEY), {"status/#", "last will"}),
        ((SAY, OBEY), {"data/#"}),
        ((SAY, TELL), {"action/#"}),
        ((SAY, TELL, OBEY, "user cellar", "topic write cm/#"), {"only its own"}),
        ((SAY, TELL, OBEY, "user cellar", "topic read cm/+/status/state"), {"only its own"}),
    ],
)
def test_each_thing_that_the_broker_denies(site: Place, rules: tuple[str, ...], wrong: set[str]) -> None:
    eyes = site.eyes("admin")
    eyes.publish("cm/other/status/state", "online", retain=True)
    eyes.close()
    allow(site, *rules)
    findings = found(site.house)
    assert {name for name in RIGHTS if findings[name].verdict is not GOOD} == wrong
    assert all(findings[name].verdict is BAD and findings[name].advice for name in wrong)


def test_one_that_may_not_tell_home_assistant(alive: Place) -> None:
    allow(alive, SAY, TELL, OBEY)
    assert not_good(found(alive.house)) == {"announced": UNKNOWN}
    alive.house.write(
        alive.site.plain_port, broker='password_file = "secrets/{sensor}"\n[homeassistant]\nenabled = false'
    )
    assert not_good(found(alive.house)) == {}


def test_a_wrong_password(alive: Place) -> None:
    (alive.house.folder / "secrets" / "cellar").write_text("wrong")
    findings = found(alive.house)
    assert not_good(findings) == {"password": BAD}
    assert findings["password"].text == "the broker refuses the user cellar: Not authorized"
    assert "sudo penates install" in findings["password"].advice
    assert findings["state"].text.startswith("online; last heartbeat ")  # as the eyes saw it


def test_no_password_at_all(alive: Place) -> None:
    (alive.house.folder / "secrets" / "cellar").unlink()
    assert not_good(found(alive.house))["password"] is BAD
    alive.house.write(alive.site.plain_port)
    assert found(alive.house)["password"].advice == "set `password_file` in house.toml"


def test_without_rights_what_cannot_be_looked_at_is_not_green(alive: Place) -> None:
    (alive.house.folder / "secrets" / "cellar").chmod(0)
    # Root may read everything, unless that right is taken away.
    apart = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.getuid() == 0 else []
    command = [*apart, sys.executable, "-m", "penates", "doctor", "--json", "--config", str(alive.house.folder)]
    (alive.house.folder / "state" / "outbox").mkdir(exist_ok=True)
    (alive.house.folder / "state" / "outbox").chmod(0)
    done = subprocess.run(command, env=alive.house.env(), capture_output=True, text=True, check=False)
    cellar = {one["check"]: one for one in json.loads(done.stdout) if one["about"] == "cm/cellar"}
    (alive.house.folder / "state" / "outbox").chmod(0o700)
    assert {name for name, one in cellar.items() if one["verdict"] == "unknown"} == {"password", "folder"}
    assert cellar["password"]["advice"] == "run it with sudo"
    assert cellar["state"]["verdict"] == "ok"  # as the eyes saw it
    assert "status/#" not in cellar
    assert done.returncode == 0


def test_a_broker_that_asks_for_nothing(house: House, broker: Broker) -> None:
    house.write(broker.port)
    house.thermometer()
    findings = found(house)
    assert findings["password"].text == "the broker does not require one"
    assert findings["only its own"].verdict is UNKNOWN
    assert findings["action/#"].verdict is findings["last will"].verdict is GOOD
    assert findings["state"].text == "it has never published a state to this broker"
    assert findings["process"].text == "it is not running"


def test_one_of_mqtt_3_does_not_tell_all(house: House, broker: Broker) -> None:
    house.write(broker.port, broker='protocol = "3.1.1"')
    house.thermometer()
    findings = found(house)
    assert {name for name, one in findings.items() if one.verdict is UNKNOWN} == {"data/#", "only its own"}
    assert findings["status/#"].verdict is findings["last will"].verdict is GOOD


def test_no_broker(house: House) -> None:
    port = free_port()
    house.write(port)
    house.thermometer()
    about = found(house, "house")["broker"]
    assert about.text == f"127.0.0.1:{port} (127.0.0.1) cannot be reached: [Errno 111] Connection refused"
    assert found(house)["broker"].verdict is UNKNOWN


# The sensor's own words.


def test_a_double_on_another_machine(site: Place) -> None:
    admin = site.eyes("admin")
    double = reports("online", host="attic-pi")
    for name in ("state", "heartbeat", "about"):
        admin.publish(f"cm/cellar/status/{name}", double[name], retain=True)
    admin.close()
    findings = found(site.house)
    assert not_good(findings) == {"process": BAD, "alone": BAD, "announced": UNKNOWN}
    assert "devices/cellar.toml" in findings["alone"].advice


def test_sensors_of_other_machines(alive: Place) -> None:
    admin = alive.eyes("admin")

    def say(sensor: str, said: dict[str, bytes]) -> None:
        for name in ("state", "heartbeat", "about"):
            admin.publish(f"cm/{sensor}/status/{name}", said[name], retain=True)

    for number in range(12):  # more than are sent without an acknowledgement
        say(f"well{number}", reports("online", host="atticpi"))
    about = found(alive.house, "house")["elsewhere"]
    assert (about.verdict, about.text) == (GOOD, "sensors on other machines that are well: 12")
    say("gone", reports("online", ago_s=1000, host="atticpi"))
    about = found(alive.house, "house")["elsewhere"]
    assert (about.verdict, about.text) == (BAD, "cm/gone, on atticpi: online, but last heartbeat 16 min ago")
    assert about.advice == "on atticpi: sudo penates doctor; if it is gone for good: sudo penates prune --gone cm/gone"
    assert "elsewhere" not in found(alive.house, "house", "cellar")
    admin.close()


def test_a_user_for_all_sensors_is_the_owners_choice(alive: Place) -> None:
    (alive.house.folder / "secrets" / "house").write_text((alive.house.folder / "secrets" / "admin").read_text())
    alive.house.write(alive.site.plain_port, broker='username = "admin"\npassword_file = "secrets/house"')
    assert found(alive.house)["only its own"].verdict is UNKNOWN


# Who looks after them.


def test_a_supervisor_says_how_its_sensors_are(house: House, broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervision, "PATIENCE_S", PATIENCE_S)
    house.write(broker.port)
    house.thermometer()
    house.thermometer("attic")
    parent = house.supervise()
    assert house.penates("stop", "attic").returncode == 0
    reports = {one.about: {row.check: row for row in one.found} for one in doctor.examine(house.folder, [])}
    assert reports["cm/cellar"]["process"].text == "the supervisor reports online, restarts: 0"
    stopped = reports["cm/attic"]["process"]
    assert (stopped.verdict, stopped.text) == (BAD, "the supervisor reports stopped, restarts: 0")
    assert stopped.advice == f"penates status --config {house.folder}"
    parent.stop()


def test_one_that_nobody_looks_after(alive: Place) -> None:
    running = alive.house._running[0]  # noqa: SLF001 - ours
    settings = load(alive.house.folder, "cellar")
    kept = supervision.supervision(alive.house.folder, settings.folders.runtime, {"cellar": ["cellar"]})
    about = kept.runs("cellar", settings)
    assert (about.verdict, f"as process {running.pid}," in about.text) == (GOOD, True)
    assert kept.user("cellar", settings).uid == os.getuid()
    running.stop()
    assert kept.runs("cellar", settings).verdict is BAD


# The command.


def test_faults_of_the_files_are_told_and_the_others_are_looked_at(house: House, broker: Broker) -> None:
    house.write(broker.port)
    house.thermometer()
    house.device("attic", 'kind = "thermometer"\nserail = "x"\n')
    done = house.penates("doctor")
    assert done.returncode == 1
    assert "BAD  files" in done.stdout
    assert "devices/attic.toml:2: no setting 'serail'; did you mean 'serial'?" in done.stdout
    assert "cm/cellar\n" in done.stdout
    house.device("attic", 'kind = "thermometer"\nserial = "28-0316a2795fff"\n')
    assert [one.about for one in doctor.examine(house.folder, ["attic"])] == ["house", "cm/attic"]
    with pytest.raises(SettingsError, match="did you mean 'attic'"):
        doctor.examine(house.folder, ["atic"])
    (house.folder / "house.toml").write_text("group = \n")
    assert [one.about for one in doctor.examine(house.folder, [])] == ["house"]


def test_on_a_terminal_it_is_coloured_elsewhere_not(house: House) -> None:
    house.write(free_port())
    house.thermometer()
    assert "\x1b[" not in house.penates("doctor").stdout
    command = [sys.executable, "-m", "penates", "doctor", "--config", str(house.folder)]
    shell = ["script", "-qec", " ".join(command), "/dev/null"]
    shown = subprocess.run(
        shell, env=house.env(), capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    assert "\x1b[31mBAD\x1b[0m" in shown.stdout
