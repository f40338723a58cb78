"""What `penates doctor` finds, on a real broker with real files; each thing that is wrong is found, and it alone."""

import json
import os
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from places import Place
from secrets_and_certificates import write_certificates
from world import PATIENCE_S, Broker, FakeBroker, House, free_port, retained, swallow_syns

from bootstrap.config.loader import Configuration, load
from bootstrap.config.model import BrokerSettings, SensorSettings
from bootstrap.config.toml_file import SettingsError
from bootstrap.contract import timestamps
from bootstrap.contract.topics import Topics
from bootstrap.outbox.folder import outbox_folder
from penates.__main__ import main
from penates.commands import doctor, status
from penates.doctor import machine, reachability, supervision
from penates.doctor.findings import Finding, Verdict
from penates.doctor.hardware import hardware
from penates.doctor.machine import Who
from penates.doctor.reported_state import reported
from penates.doctor.supervision import Supervision
from penates.fleet.fleet_view import FleetView, SeenSensor
from penates.installer import unit_states

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
    nursery = house.nursery(GPIOZERO_PIN_FACTORY="simulated")
    told = json.loads(house.penates("doctor", "--json").stdout)
    assert {one["about"] for one in told} == {"house", "cm/cellar", "cm/lamp", "cm/recorder"}
    assert [one for one in told if one["verdict"] == "bad"] == []
    tls = next(one for one in told if one["check"] == "TLS")
    assert tls["text"].endswith("days more")
    nursery.stop()


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
    assert found(alive.house)["password"].advice == "say `password_file` in house.toml"


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
    assert {name for name, one in cellar.items() if one["verdict"] == "unknown"} == {"password", "spill"}
    assert cellar["password"]["advice"] == "run it with sudo"
    assert cellar["state"]["verdict"] == "ok"  # as the eyes saw it
    assert "status/#" not in cellar
    assert done.returncode == 0


def test_a_broker_that_asks_for_nothing(house: House, broker: Broker) -> None:
    house.write(broker.port)
    house.thermometer()
    findings = found(house)
    assert findings["password"].text == "the broker asks for none"
    assert findings["only its own"].verdict is UNKNOWN
    assert findings["action/#"].verdict is findings["last will"].verdict is GOOD
    assert findings["state"].text == "it has never said a word to this broker"
    assert findings["process"].text == "it does not run"


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


def reach(host: str, port: int, ca_file: Path | None = None) -> list[Finding]:
    return reachability.reach(BrokerSettings(host=host, port=port, ca_file=ca_file))[0]


def test_no_such_host() -> None:
    (about,) = reach("no-such-host.invalid", 1883)
    assert (about.check, about.verdict) == ("broker", BAD)
    assert "name server" in about.advice


def test_hosts_that_answer_nothing_hold_nobody_up(house: House) -> None:
    house.thermometer()
    started = time.monotonic()
    with swallow_syns() as port:
        (about,) = reach("127.0.0.1", port)
    assert (about.verdict, "timed out" in about.text) == (BAD, True)
    silent = FakeBroker({0x10: lambda _: b""})
    house.write(silent.port)
    about = found(house)["broker"]
    silent.close()
    assert about.text == "127.0.0.1: no answer to CONNECT within 2 s"
    assert time.monotonic() - started < 8


def test_the_first_host_that_is_well_is_asked(broker: Broker) -> None:
    settings = BrokerSettings(host=["no-such-host.invalid", "127.0.0.1"], port=broker.port)
    findings, host = reachability.reach(settings)
    assert ([one.verdict for one in findings], host) == ([UNKNOWN, GOOD], "127.0.0.1")


@pytest.mark.parametrize(
    ("certificate", "verdict", "said", "advice"),
    [
        (("localhost", 40), GOOD, "right for 40 days more", ""),
        (("localhost", 20), BAD, "right for 20 days more", "penates certs --renew"),
        (("localhost", -0.5), BAD, "certificate has expired", "penates certs --renew"),
        (("broker.lan", 40), BAD, "Hostname mismatch", "penates certs --name localhost"),
    ],
)
def test_certificates(tls_port: Callable[..., Any], certificate: Any, verdict: Verdict, said: str, advice: str) -> None:
    about = reach("localhost", *tls_port(*certificate))[1]
    assert (about.check, about.verdict) == ("TLS", verdict)
    assert said in about.text
    assert advice in about.advice


@pytest.fixture
def tls_port(new_broker: Callable[..., Broker], tmp_path: Path) -> Callable[..., tuple[int, Path]]:
    """A broker with such a certificate: its port, and what trusts it."""

    def make(name: str, days: float) -> tuple[int, Path]:
        write_certificates(tmp_path, name, days)
        files = (f"certfile {tmp_path}/ca.pem", f"keyfile {tmp_path}/key.pem")
        return new_broker("tls", "listener {port} 127.0.0.1", *files, listener=False).port, tmp_path / "ca.pem"

    return make


def test_a_broker_of_another_ca(tls_port: Callable[..., tuple[int, Path]], tmp_path: Path) -> None:
    port, _ = tls_port("localhost", 40)
    (tmp_path / "other").mkdir()
    write_certificates(tmp_path / "other", "localhost")
    about = reach("localhost", port, tmp_path / "other" / "ca.pem")[1]
    assert (about.verdict, "is not the certificate of the broker's CA" in about.advice) == (BAD, True)


def test_a_port_without_tls(broker: Broker, tmp_path: Path) -> None:
    write_certificates(tmp_path, "localhost")
    about = reach("localhost", broker.port, tmp_path / "ca.pem")[1]
    assert (about.verdict, about.advice) == (BAD, "is `port` in house.toml the one with TLS?")


# The sensor's own words.


@pytest.fixture
def cellar_settings(house: House) -> SensorSettings:
    house.write(1)
    house.thermometer()
    return load(house.folder, "cellar")


def words(state: str, ago_s: float = 1, host: str = "", **more: Any) -> dict[str, bytes]:
    said = (datetime.now(UTC) - timedelta(seconds=ago_s)).isoformat()
    heartbeat = {"time": said, "heartbeat_s": 60.0, "on_disk": 0, "dropped": 0, "storage": None, **more}
    about = {"host": host or socket.gethostname()}
    return {
        "state": state.encode(),
        "heartbeat": json.dumps(heartbeat).encode(),
        "about": json.dumps(about).encode(),
    }


def seen(said: dict[str, bytes]) -> SeenSensor:
    """The sensor, as the broker has it."""
    topics = Topics("cm", "cellar")
    held = {topics.status(name): payload for name, payload in said.items()}
    return FleetView.of(held, time.monotonic()).sensors.get(topics.client_id, SeenSensor(topics))


@pytest.mark.parametrize(
    ("state", "more", "check", "text"),
    [
        ("online", {}, "", ""),
        ("online", {"ago_s": 190}, "state", "it says online, but last heartbeat 3 min ago"),
        ("lost", {"ago_s": 190}, "state", "lost; last heartbeat 3 min ago"),
        ("lost", {"ago_s": 190, "host": "attic-pi"}, "state", "lost; "),
        ("stopped", {}, "state", "stopped; last heartbeat 1 s ago"),
        ("fault", {"why": "no bus\x1b"}, "state", "fault: no bus\ufffd"),
        ("online", {"host": "attic-pi"}, "alone", "it runs on attic-pi, heard 1 s ago, and this is "),
        ("online", {"clock": "unsure"}, "time", "its clock was not set"),
        ("online", {"storage": "No space left"}, "outbox", "readings cannot be kept on disk: No space left"),
        ("online", {"on_disk": 95_000}, "outbox", "95000 readings wait, and the oldest will soon be given up"),
        ("online", {"lag_s": 7300.0, "waiting": 9}, "recorder", "what it stores now is 2 h old; 9 wait"),
        ("online", {"dropped": 3}, "outbox", "3 messages were given up since its start"),
    ],
)
def test_what_it_says_of_itself(
    cellar_settings: SensorSettings, state: str, more: dict[str, Any], check: str, text: str
) -> None:
    wrong = [one for one in reported(cellar_settings, seen(words(state, **more)), "the log") if one.verdict is BAD]
    assert [one.check for one in wrong] == [check] * bool(check)
    assert all(one.text.startswith(text) and one.advice for one in wrong)


def test_one_that_never_said_a_word(cellar_settings: SensorSettings) -> None:
    (about,) = reported(cellar_settings, seen({}), "")
    assert (about.verdict, about.text) == (BAD, "it has never said a word to this broker")


def test_words_that_are_none_of_ours(cellar_settings: SensorSettings) -> None:
    (about,) = reported(cellar_settings, seen({"state": b"online", "heartbeat": b"\xff", "about": b"[]"}), "")
    assert (about.verdict, about.text) == (BAD, "it says online, but no heartbeat")


def test_without_heartbeats_nobody_knows(cellar_settings: SensorSettings) -> None:
    (about,) = reported(replace(cellar_settings, heartbeat_s=0), seen({"state": b"online"}), "")
    assert about.verdict is UNKNOWN


def test_a_double_on_another_machine(site: Place) -> None:
    admin = site.eyes("admin")
    double = words("online", host="attic-pi")
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
        say(f"well{number}", words("online", host="atticpi"))
    about = found(alive.house, "house")["elsewhere"]
    assert (about.verdict, about.text) == (GOOD, "sensors on other machines that are well: 12")
    say("gone", words("online", ago_s=1000, host="atticpi"))
    about = found(alive.house, "house")["elsewhere"]
    assert (about.verdict, about.text) == (BAD, "cm/gone, on atticpi: says online, last heartbeat 16 min ago")
    assert about.advice == "on atticpi: sudo penates doctor; if it is gone for good: sudo penates prune --gone cm/gone"
    assert "elsewhere" not in found(alive.house, "house", "cellar")
    admin.close()


def test_a_user_for_all_sensors_is_the_owners_choice(alive: Place) -> None:
    (alive.house.folder / "secrets" / "house").write_text((alive.house.folder / "secrets" / "admin").read_text())
    alive.house.write(alive.site.plain_port, broker='username = "admin"\npassword_file = "secrets/house"')
    assert found(alive.house)["only its own"].verdict is UNKNOWN


# The machine.


def test_a_clock_that_is_not_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timestamps, "synchronised", lambda: False)
    assert machine.clock_is_set(tmp_path).verdict is BAD
    (tmp_path / ".dockerenv").touch()
    assert machine.clock_is_set(tmp_path).verdict is UNKNOWN
    monkeypatch.setattr(timestamps, "synchronised", lambda: True)
    assert machine.clock_is_set(tmp_path).verdict is GOOD


def test_a_disk_that_is_full_read_only_or_has_room(tmp_path: Path) -> None:
    assert machine.disk(tmp_path / "to" / "be" / "made").verdict is GOOD
    full = machine.disk(tmp_path, least_mb=1e12)
    assert (full.verdict, full.text.endswith(f"MB are free for {tmp_path}")) == (BAD, True)
    # /proc has neither room nor a way to be written: as a card that the kernel has given up.
    assert machine.disk(Path("/proc")).verdict is BAD


def test_what_waits_and_what_was_refused(cellar_settings: SensorSettings) -> None:
    folder = outbox_folder(cellar_settings.folders.state, cellar_settings.topics)
    me, stranger = Who.me(), Who("stranger", 12345, frozenset())
    assert [*machine.outbox(cellar_settings, me)] == []
    cellar_settings.folders.state.mkdir(mode=0o755)
    (refused,) = machine.outbox(cellar_settings, stranger)
    assert (refused.check, refused.verdict) == ("folder", BAD)
    folder.mkdir(parents=True, mode=0o755)
    (folder / "0000000001.spill").write_bytes(b"x" * 1_500_000)
    (kept,) = machine.outbox(cellar_settings, me)
    assert (kept.verdict, kept.text) == (GOOD, "1.5 MB of readings are kept")
    (folder / "dead_letters.jsonl").write_text("{}\n")
    checks = {one.check: one.verdict for one in machine.outbox(cellar_settings, stranger)}
    assert checks == {"folder": BAD, "on disk": GOOD, "dead letters": BAD}


def test_a_user_may_what_owner_group_and_mode_say(tmp_path: Path) -> None:
    file = tmp_path / "node"
    file.touch()
    file.chmod(stat.S_IRUSR | stat.S_IWUSR | stat.S_IRGRP | stat.S_IWGRP | stat.S_IROTH)
    owner, group = file.stat().st_uid + 1000, file.stat().st_gid
    assert Who("member", owner, frozenset({group})).may(file)
    assert not Who("stranger", owner, frozenset()).may(file)
    assert Who("stranger", owner, frozenset()).may(file, 0o4)
    assert Who("root", 0, frozenset()).may(file)
    assert not Who("owner", owner - 1000, frozenset()).may(file, 0o1) or owner == 1000


PLUGGED = """
from dataclasses import dataclass
from bootstrap.device import Device, Measure

@dataclass(kw_only=True)
class Plugged(Device):
    opens = ("i2c", "spi")
    light = Measure("lx")

    def read(self):
        return {}
"""


@pytest.fixture
def devices(house: House) -> dict[str, SensorSettings]:
    house.write(1)
    house.thermometer()
    house.device("door", 'kind = "door"\npin = 17\n')
    house.device("sun", 'kind = "plugged.Plugged"\n')
    (house.folder / "plugged.py").write_text(PLUGGED)
    return Configuration(house.folder).all()


def test_each_kind_has_what_it_needs_and_no_other_is_asked(devices: dict[str, SensorSettings], tmp_path: Path) -> None:
    def checks(name: str, who: Who) -> dict[str, Verdict]:
        return {one.check: one.verdict for one in hardware(devices[name], who, tmp_path)}

    me, stranger = replace(Who.me(), factory="kernel"), Who("stranger", 12345, frozenset())
    assert checks("cellar", me) == {"1-Wire": GOOD}
    assert checks("door", me) == {"gpio": BAD}
    assert checks("sun", me) == {"i2c": BAD, "spi": BAD}
    (tmp_path / "dev").mkdir()
    for node in ("gpiochip0", "i2c-1", "spidev0.0"):
        (tmp_path / "dev" / node).touch()
        (tmp_path / "dev" / node).chmod(0o660)
    assert checks("door", me) == {"gpio": GOOD}
    assert checks("sun", me) == {"i2c": GOOD, "spi": GOOD}
    assert checks("door", stranger) == {"gpio": BAD}
    (denied,) = hardware(devices["door"], stranger, tmp_path)
    assert (denied.text, denied.advice) == (
        "stranger may not open /dev/gpiochip0",
        "sudo usermod -aG gpio stranger; restart it",
    )
    member = replace(stranger, groups=frozenset({(tmp_path / "dev" / "i2c-1").stat().st_gid}))
    assert checks("sun", member) == {"i2c": GOOD, "spi": GOOD}
    assert checks("door", replace(stranger, factory="simulated")) == {"gpio": GOOD}
    assert checks("sun", replace(me, nodes="char-i2c rw")) == {"i2c": GOOD, "spi": BAD}


def test_lgpio_needs_a_folder_it_can_write(devices: dict[str, SensorSettings], tmp_path: Path) -> None:
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev" / "gpiochip0").touch(mode=0o666)
    (tmp_path / "dev" / "gpiochip0").chmod(0o666)
    (tmp_path / "closed").mkdir(mode=0o755)
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)

    def texts(folder: str) -> str:
        who = Who("stranger", 12345, frozenset(), "lgpio", tmp_path / folder)
        return "; ".join(one.text for one in hardware(devices["door"], who, tmp_path) if one.verdict is BAD)

    assert f"stranger may not in {tmp_path}/closed" in texts("closed")
    assert "may not" not in texts("open")


def test_a_bus_or_a_probe_that_is_not_there(devices: dict[str, SensorSettings], house: House) -> None:
    me = Who.me()
    house.bus.rename(house.folder / "elsewhere")
    (about,) = hardware(devices["cellar"], me)
    assert (about.verdict, "dtoverlay=w1-gpio" in about.advice) == (BAD, True)
    house.bus.mkdir()
    (house.bus / "28-other").mkdir()
    (about,) = hardware(devices["cellar"], me)
    assert about.text == f"{house.bus}/28-cellar is not there; {house.bus} has 28-other"


LOSSES = {
    "persistence": "persistence true",
    "max_queued": "max_queued_messages 200000",
    "autosave": "autosave_interval 60",
}


@pytest.mark.parametrize("left_out", ["", *LOSSES])
def test_what_the_broker_of_this_machine_would_lose(house: House, tmp_path: Path, left_out: str) -> None:
    house.write(1883, log="[history]\nrecorder = true")
    configuration = Configuration(house.folder).house
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d" / "penates.conf").write_text(
        "\n".join(row for name, row in LOSSES.items() if name != left_out)
    )
    conf = tmp_path / "mosquitto.conf"
    assert [*machine.mosquitto(configuration, conf)] == []
    conf.write_text(f"# ours\n  persistence false\ninclude_dir {tmp_path}/conf.d\n")
    (about,) = machine.mosquitto(configuration, conf)
    assert (about.verdict, f"({left_out}" in about.text) == (BAD if left_out else GOOD, bool(left_out))


def test_our_own_settings_of_the_broker_lose_nothing(house: House, tmp_path: Path) -> None:
    place = Place(house, tmp_path / "mosquitto")
    place.house.thermometer()
    place.make()
    conf = tmp_path / "mosquitto.conf"
    conf.write_text(f"include_dir {place.site.conf_d}\n")
    house.write(place.site.tls_port, log="[history]\nrecorder = true")
    (about,) = machine.mosquitto(Configuration(house.folder).house, conf)
    assert about.verdict is GOOD


# Who looks after them.

SHOWN = """\
Id=penates.service
LoadState=not-found
ActiveState=inactive
SubState=dead

Id=penates@cellar.service
LoadState=loaded
UnitFileState=enabled
ActiveState={state}
SubState={sub}
StatusText={status}
StateChangeTimestampMonotonic={since}
Result=success
ExecMainStatus=78
NRestarts={restarts}
User=daemon
SupplementaryGroups=tty nosuchgroup
Environment=A=1 "GPIOZERO_PIN_FACTORY=lgpio"
WorkingDirectory=/run/penates
DevicePolicy=closed
DeviceAllow=char-i2c rw
DeviceAllow=char-spi rw
"""


@pytest.fixture
def systemctl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """A machine with systemd, which says this of the cellar's unit."""

    def says(state: str, sub: str, restarts: int = 0, since_s: int = 60) -> None:
        program = tmp_path / "bin" / "systemctl"
        program.parent.mkdir(exist_ok=True)
        (tmp_path / "shown").write_text(
            SHOWN.format(
                state=state,
                sub=sub,
                restarts=restarts,
                since=time.monotonic_ns() // 1000 - since_s * 1_000_000,
                status="online; connected to the broker" if sub == "running" else "",
            )
        )
        program.write_text(
            f'#!/bin/sh\ncase "$*" in *"penates.service penates@cellar.service"*) cat {tmp_path}/shown;; esac\n'
        )
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
        monkeypatch.setattr(unit_states, "BOOTED", tmp_path)

    return says


@pytest.mark.parametrize(
    ("state", "verdict", "ended"),
    [
        (("active", "running", 0), GOOD, ""),
        (("active", "running", 6), BAD, ""),
        (("failed", "failed", 0), BAD, ", ended with 78"),
        (("activating", "auto-restart", 2), BAD, ", ended with 78"),
        (("inactive", "dead", 0), BAD, ""),
    ],
)
def test_units(
    systemctl: Callable[..., None],
    cellar_settings: SensorSettings,
    state: tuple[str, str, int],
    verdict: Verdict,
    ended: str,
) -> None:
    systemctl(*state)
    kept = Supervision(Path("/etc/penates"), Path("/run/penates"), unit_states.units(["cellar"]))
    about = kept.runs("cellar", cellar_settings)
    said = f"penates@cellar.service is {state[0]} ({state[1]}), restarts: {state[2]}{ended}"
    assert (about.verdict, about.text) == (verdict, said)
    assert verdict is GOOD or "journalctl -u penates@cellar.service" in about.advice
    who = kept.who("cellar", cellar_settings)
    assert (who.name, who.factory, who.folder) == ("daemon", "lgpio", Path("/run/penates"))
    assert who.nodes == "char-i2c rw char-spi rw"


@pytest.mark.parametrize(
    ("state", "said", "error"),
    [
        (("active", "running", 0), "online", ""),
        (("failed", "failed", 0), "failed", "it ended with 78: journalctl -u penates@cellar.service -n 20"),
        (("activating", "auto-restart", 2), "waiting", "it ended with 78: journalctl -u penates@cellar.service -n 20"),
        (("inactive", "dead", 0), "stopped", ""),
    ],
)
def test_status_of_units(
    systemctl: Callable[..., None], at_home: House, state: tuple[str, str, int], said: str, error: str
) -> None:
    systemctl(*state)
    with redirect_stdout(StringIO()) as told:
        code = main(["status", "--json", "--config", str(at_home.folder)])
    (row,) = json.loads(told.getvalue())["sensors"]
    assert (row["name"], row["sensor"], row["state"], row["error"]) == ("cellar", "cm/cellar", said, error)
    assert (row["pid"], row["restarts"]) == (None, state[2])
    assert 60 <= (datetime.now(UTC) - timestamps.parse(row["since"])).total_seconds() < 75
    assert code == (0 if said == "online" else 1)


def test_status_of_a_device_without_a_unit(systemctl: Callable[..., None], at_home: House) -> None:
    systemctl("active", "running")
    at_home.device("new", 'kind = "door"\npin = 4\n')
    with redirect_stdout(StringIO()) as told:
        assert main(["status", "--config", str(at_home.folder)]) == 1
    assert "  last error: it has no unit yet: sudo penates install\n" in told.getvalue()


@pytest.fixture
def at_home(cellar_settings: SensorSettings, house: House, monkeypatch: pytest.MonkeyPatch) -> House:
    """This house is the one that is installed."""
    assert cellar_settings.folder == house.folder
    monkeypatch.setattr(status, "HOUSE", house.folder)
    return house


def test_what_was_restarted_often_and_is_steady_since_is_well(
    systemctl: Callable[..., None], cellar_settings: SensorSettings
) -> None:
    systemctl("active", "running", 9, since_s=700)
    kept = Supervision(Path("/etc/penates"), Path("/run/penates"), unit_states.units(["cellar"]))
    assert kept.runs("cellar", cellar_settings).verdict is GOOD


def test_where_there_is_no_systemd(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(unit_states, "BOOTED", tmp_path / "gone")
    assert unit_states.units(["cellar"]) == {}


def test_a_supervisor_says_how_its_sensors_are(house: House, broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervision, "PATIENCE_S", PATIENCE_S)
    house.write(broker.port)
    house.thermometer()
    house.thermometer("attic")
    nursery = house.nursery()
    assert house.penates("stop", "attic").returncode == 0
    reports = {one.about: {row.check: row for row in one.found} for one in doctor.examine(house.folder, [])}
    assert reports["cm/cellar"]["process"].text == "the supervisor says online, restarts: 0"
    stopped = reports["cm/attic"]["process"]
    assert (stopped.verdict, stopped.text) == (BAD, "the supervisor says stopped, restarts: 0")
    assert stopped.advice == f"penates status --config {house.folder}"
    nursery.stop()


def test_one_that_nobody_looks_after(alive: Place) -> None:
    running = alive.house._running[0]  # noqa: SLF001 - ours
    settings = load(alive.house.folder, "cellar")
    kept = supervision.supervision(alive.house.folder, settings.folders.runtime, ["cellar"])
    about = kept.runs("cellar", settings)
    assert (about.verdict, f"as process {running.pid}," in about.text) == (GOOD, True)
    assert kept.who("cellar", settings).uid == os.getuid()
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
    house.device("attic", 'kind = "thermometer"\nserial = "x"\n')
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
