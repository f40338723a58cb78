"""`penates watch` and `penates send`: what a person sees of a house, and says to it."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from world import Broker, Eyes, House, Wires, eventually

from bootstrap.contract import timestamps
from bootstrap.contract.liveness import GRACE_S
from penates.fleet.fleet_view import FleetView
from penates.fleet.watch_table import cells, table

PENATES = [sys.executable, "-m", "penates"]


class Lines:
    """`penates watch` into a pipe: what it says, as it says it."""

    def __init__(self, env: dict[str, str], *words: str) -> None:
        self.process = subprocess.Popen(
            [*PENATES, "watch", *words], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.out: list[str] = []
        self.err: list[str] = []
        self._readers = [
            threading.Thread(target=self._read, args=(self.process.stdout, self.out)),
            threading.Thread(target=self._read, args=(self.process.stderr, self.err)),
        ]
        for reader in self._readers:
            reader.start()

    @staticmethod
    def _read(stream: Any, into: list[str]) -> None:
        into.extend(iter(lambda: stream.readline().rstrip("\n"), ""))

    def wait(self, line: str, among: list[str] | None = None, count: int = 1) -> None:
        lines = self.out if among is None else among
        eventually(lambda: lines.count(line) >= count, f"{line!r}; there is {lines}")

    def end(self, number: int = signal.SIGINT) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(15)
        for reader in self._readers:
            reader.join()
        self.process.stdout.close()
        self.process.stderr.close()
        return code


@pytest.fixture
def watch(house: House) -> Any:
    watching: list[Lines] = []

    def begin(*words: str) -> Lines:
        watching.append(Lines(house.env(), *words))
        return watching[-1]

    yield begin
    for lines in watching:
        lines.end(signal.SIGKILL)


Watch = Callable[..., Lines]


# A line for each change.


def test_a_line_for_each_change(cellar: House, broker: Broker, eyes: Eyes, watch: Watch) -> None:
    running = cellar.run()
    eyes.wait_value("cm/cellar/status/state", "online")
    lines = watch("--config", str(cellar.folder))
    lines.wait("cm/cellar/data/temperature 21.5")
    cellar.probe("cellar", 20000)
    lines.wait("cm/cellar/data/temperature 20.0")
    cellar.probe("cellar", "")
    lines.wait("cm/cellar/status/state fault")
    running.stop(signal.SIGKILL)
    lines.wait("cm/cellar/status/state lost")
    assert lines.end() == 0
    assert lines.out[0] == "cm/cellar/status/state online"
    # Read every second, told when it changes; neither the history nor heartbeats are changes.
    assert lines.out.count("cm/cellar/data/temperature 21.5") == 1
    assert not [line for line in lines.out if "reading" in line or "heartbeat" in line]
    asked = re.findall(r"\t(\S+) \(QoS 0\)", broker.log())
    assert "cm/cellar/data/temperature" in asked
    assert not [topic for topic in asked if topic.endswith(("/reading", "/data/+", "#"))]


def test_a_broker_that_goes_and_comes_is_said_once_and_changes_nothing(
    cellar: House, new_broker: Callable[..., Broker], tmp_path: Path, watch: Watch
) -> None:
    place = tmp_path / "kept"
    broker = new_broker("kept", "persistence true", f"persistence_location {place}/")
    cellar.write(broker.port)
    cellar.run()
    lines = watch("--config", str(cellar.folder))
    lines.wait("cm/cellar/data/temperature 21.5")
    broker.stop()
    eventually(lambda: any("no broker:" in line for line in lines.err), "it says so")
    broker.start()
    lines.wait("connected", lines.err, count=2)
    cellar.probe("cellar", 19000)
    lines.wait("cm/cellar/data/temperature 19.0")
    assert lines.out.count("cm/cellar/data/temperature 21.5") == 1


def test_a_broker_that_is_not_there_yet_is_waited_for(house: House, broker: Broker, watch: Watch) -> None:
    broker.stop()
    lines = watch("--broker", f"127.0.0.1:{broker.port}")
    eventually(lambda: any("Connection refused" in line for line in lines.err), "it says why")
    broker.start()
    lines.wait("connected", lines.err)
    assert house


def test_objects_for_scripts_and_only_what_was_asked_for(
    wires: Wires, broker: Broker, eyes: Eyes, watch: Watch
) -> None:
    wires.line(17).drive(False)
    wires.run("frontdoor", 'kind = "door"\npin = 17\n')
    wires.run("lamp", 'kind = "lamp"\npin = 27\n')
    eyes.wait_value("cm/frontdoor/data/open", value=False)
    eyes.wait_value("cm/lamp/data/on", value=False)
    lines = watch("--broker", f"127.0.0.1:{broker.port}", "--json", "cm/frontdoor")
    eventually(lambda: len(lines.out) == 2, "state and value")
    wires.line(17).drive(True)
    eventually(lambda: len(lines.out) == 3, "the door opens")
    found = [json.loads(line) for line in lines.out]
    assert [(one["topic"], one["value"]) for one in found] == [
        ("cm/frontdoor/status/state", "online"),
        ("cm/frontdoor/data/open", False),
        ("cm/frontdoor/data/open", True),
    ]
    assert abs(timestamps.parse(found[-1]["time"]).timestamp() - time.time()) < 15


def test_others_devices_are_shown_and_their_nonsense_is_harmless(broker: Broker, eyes: Eyes, watch: Watch) -> None:
    lines = watch("--broker", f"127.0.0.1:{broker.port}")
    lines.wait("connected", lines.err)
    for name in ("state", "about", "heartbeat", "health"):
        for payload in (
            b"",
            b"\xff\xfe",
            b"[1]",
            b"NaN",
            b'{"measures":7}',
            b'{"measures":{"a/b":{},"x":7}}',
            b"1e999",
        ):
            eyes.publish(f"zoo/odd/status/{name}", payload)
    eyes.publish("zoo/odd/status/state", b"\x1b[2J\x1b]0;mine\x07")
    eyes.publish("zoo/none/status/heartbeat", b'{"heartbeat_s":"x","time":7,"last_reading":[]}')
    about = {"kind": "scale", "measures": {"weight": {"unit": "kg", "every_s": 1}}}
    eyes.publish("zoo/scale/status/about", json.dumps(about), retain=True)
    eyes.publish("zoo/scale/status/state", "online", retain=True)
    eyes.publish("zoo/scale/data/weight", "70.5", retain=True)
    lines.wait("zoo/scale/data/weight 70.5")
    assert "\x1b" not in "".join(lines.out)
    assert lines.end() == 0


def test_a_reader_that_has_had_enough_ends_it_quietly(cellar: House, eyes: Eyes) -> None:
    cellar.run()
    eyes.wait_value("cm/cellar/status/state", "online")
    command = f"{sys.executable} -m penates watch --config {cellar.folder} | head -1; echo ${{PIPESTATUS[0]}}"
    env = cellar.env()
    done = threading.Event()

    def stir() -> None:
        for number in range(10_000):
            if done.wait(0.05):
                return
            cellar.probe("cellar", 20000 + number)

    stirring = threading.Thread(target=stir)
    stirring.start()
    ended = subprocess.run(["bash", "-c", command], env=env, capture_output=True, text=True, timeout=30, check=False)
    done.set()
    stirring.join()
    assert ended.stdout.splitlines() == ["cm/cellar/status/state online", "0"]
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("command", [["watch"], ["send", "cm/cellar", "read"]])
def test_a_broker_that_refuses_is_believed(house: House, guarded: Broker, command: list[str]) -> None:
    (house.folder / "wrong").write_text("swordfish\n")
    house.write(guarded.port)
    refused = house.penates(*command, "--username", "eyes", "--password-file", str(house.folder / "wrong"))
    assert refused.returncode in (1, 77)
    assert "refused us: Not authorized" in refused.stderr
    assert "swordfish" not in refused.stderr + refused.stdout


def test_eyes_have_a_password_of_their_own(house: House, guarded: Broker, watch: Watch) -> None:
    (house.folder / "secrets").mkdir()
    house.write(guarded.port, broker='password_file = "secrets/{sensor}"')
    missing = house.penates("watch")
    assert missing.returncode == 78
    assert "secrets/eyes:1: the password cannot be read: No such file" in missing.stderr
    (house.folder / "secrets" / "eyes").write_text("eyes\n")
    lines = watch("--config", str(house.folder))
    lines.wait("connected", lines.err)


def test_tls_is_spoken_and_the_name_verified(house: House, tls_broker: Broker, watch: Watch) -> None:
    ca_file = str(tls_broker.folder / "ca.pem")
    lines = watch("--broker", f"localhost:{tls_broker.port}", "--ca-file", ca_file)
    lines.wait("connected", lines.err)
    other = watch("--broker", f"127.0.0.1:{tls_broker.port}", "--ca-file", ca_file)
    eventually(lambda: any("CERTIFICATE_VERIFY_FAILED" in line for line in other.err), "the name is wrong")
    assert house


# On a terminal.


class Terminal:
    """`penates watch` on a terminal of its own."""

    def __init__(self, env: dict[str, str], *words: str) -> None:
        self.end, theirs = pty.openpty()
        env = {**env, "TERM": "xterm", "COLUMNS": "110", "LINES": "30"}
        self.process = subprocess.Popen(
            [*PENATES, "watch", *words], env=env, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
        )
        os.close(theirs)
        self.seen = ""
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        while True:
            try:
                piece = os.read(self.end, 65_536)
            except OSError:
                return
            self.seen += re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", piece.decode(errors="replace"))

    def wait(self, pattern: str, since: int = 0) -> int:
        eventually(lambda: re.search(pattern, self.seen[since:]), f"{pattern} in {self.seen[-2000:]}")
        return len(self.seen)

    def press(self, key: str) -> None:
        os.write(self.end, key.encode())


def test_the_table_on_a_terminal_and_its_keys(wires: Wires, broker: Broker, eyes: Eyes) -> None:
    wires.line(17).drive(False)
    wires.run("frontdoor", 'kind = "door"\npin = 17\n')
    wires.house.thermometer("cellar", "")
    wires.house.run("cellar")
    eyes.wait_value("cm/frontdoor/data/open", value=False)
    eyes.wait_value("cm/cellar/status/state", "fault")
    terminal = Terminal(wires.house.env(), "--config", str(wires.house.folder))
    try:
        terminal.wait(r"cm +│ frontdoor +│ door +│ online +│ open false +│ +\d+ s")
        since = terminal.wait(r"2 sensors · 1 fault|2 sensors · 1 online · 1 fault")
        terminal.wait(r"cellar +│ thermo\S* +│ fault")
        wires.line(17).drive(True)
        since = terminal.wait(r"open true", since)
        terminal.press("h")
        since = terminal.wait(r"dropped .*\n.*\n.*cm/cellar +│ fault", since)
        broker.stop()
        since = terminal.wait(r"no broker: .*Connection refused", since)
        broker.start()
        since = terminal.wait(r"2 sensors", since)
        terminal.press("q")
        assert terminal.process.wait(10) == 0
    finally:
        terminal.process.kill()
        terminal.process.wait()
        os.close(terminal.end)


# What is stale.


def heartbeat(ago_s: float, *, read_ago_s: float) -> bytes:
    now_us = time.time_ns() // 1000
    moments = {
        name: timestamps.utc(now_us - round(s * 1e6)) for name, s in (("time", ago_s), ("last_reading", read_ago_s))
    }
    return json.dumps({**moments, "heartbeat_s": 10}).encode()


@pytest.mark.parametrize(
    ("ago_s", "read_ago_s", "state", "why"),
    [
        (1, 1, "online", ""),
        (35 + GRACE_S, 1, "online", "no heartbeat"),
        (1, 7 + GRACE_S, "online", "no reading"),
        (1, 7 + GRACE_S, "fault", "no reading"),
        (1000, 1000, "stopped", ""),
        (-3600, -3600, "online", ""),
        (1, 10**8, "online", "no reading"),
    ],
)
def test_what_is_stale(ago_s: float, read_ago_s: float, state: str, why: str) -> None:
    view = FleetView()
    measures = {"temperature": {"unit": "°C", "every_s": 2}, "battery": {"unit": "V", "every_s": 3600}}
    about = {"kind": "thermometer", "measures": measures}
    for name, payload in (
        ("state", state.encode()),
        ("about", json.dumps(about).encode()),
        ("heartbeat", heartbeat(ago_s, read_ago_s=read_ago_s)),
    ):
        list(view.hear(f"cm/cellar/status/{name}", payload, retained=True))
    sensor = view.sensors["cm/cellar"]
    assert sensor.stale(time.monotonic()) == why
    list(view.hear("cm/cellar/data/temperature", b"21.5", retained=True))
    assert sensor.stale(time.monotonic()) == why, "a retained value is no new reading"
    list(view.hear("cm/cellar/data/temperature", b"21.6", retained=False))
    assert sensor.stale(time.monotonic()) == ("no heartbeat" if why == "no heartbeat" else "")


def test_what_a_sensor_repeats_when_it_connects_is_no_reading() -> None:
    view = FleetView()
    about = {"kind": "thermometer", "measures": {"temperature": {"unit": "°C", "every_s": 2}}}
    list(view.hear("cm/cellar/data/temperature", b"21.5", retained=False, at=1000))
    list(view.hear("cm/cellar/status/about", json.dumps(about).encode(), retained=False, at=1100))
    list(view.hear("cm/cellar/data/temperature", b"21.5", retained=False, at=1100.1))
    assert view.sensors["cm/cellar"].stale(1101) == "no reading"
    list(view.hear("cm/cellar/data/temperature", b"21.6", retained=False, at=1100.2))
    assert view.sensors["cm/cellar"].stale(1101) == ""


def test_a_sensor_that_is_cleared_away_is_gone() -> None:
    view = FleetView()
    for topic in ("status/state", "status/about", "data/temperature"):
        list(view.hear(f"cm/cellar/{topic}", b"{}", retained=True))
    for topic in ("data/temperature", "status/state", "status/about"):
        list(view.hear(f"cm/cellar/{topic}", b"", retained=False))
    assert view.sensors == {}


@pytest.mark.parametrize("wrong", [None, 7, True, ["a"], {"a": 1}, -1, 1e308, "\x1b]0;mine\x07", "x" * 5000])
def test_facts_of_a_wrong_type_are_drawn_as_none(wrong: Any) -> None:
    view = FleetView()
    about = {"kind": wrong, "measures": {"weight": {"unit": wrong, "every_s": wrong, "event": wrong}}}
    heartbeat = dict.fromkeys(("time", "last_reading", "heartbeat_s", "uptime_s", "reads", "rss_mb"), wrong)
    health = {"weight": {"health": wrong, "why": wrong, "errors": wrong}, "x\x1b": wrong}
    for name, value in (("state", wrong), ("about", about), ("heartbeat", heartbeat), ("health", health)):
        list(view.hear(f"zoo/odd/status/{name}", json.dumps(value).encode(), retained=True))
    if wrong != 7:  # else with a state of nobody's
        list(view.hear("zoo/odd/status/state", b"fault", retained=True))
    list(view.hear("zoo/odd/data/weight", b"7", retained=False))
    for facts in (False, True):
        text = "".join(cell.plain for row in cells(view, facts=facts) for cell in row)
        assert text.isprintable()
        assert len(text) < 1000


def test_a_fault_is_shown_with_what_is_wrong_by_the_sensors_own_words() -> None:
    view = FleetView()
    bad = {"health": "failing", "why": "it is \x1b[2Jwet", "errors": 2}
    health = {
        "temperature": bad,
        "humidity": bad,
        "battery": {"health": "stale", "why": "no value for more than 3 s", "errors": 0},
        "rain": {"health": "absent", "why": "never", "errors": 0},
        "wind": 7,
    }
    for name, payload in (("state", b"fault"), ("health", json.dumps(health).encode())):
        list(view.hear(f"cm/roof/status/{name}", payload, retained=True))
    shown = "temperature, humidity: it is \N{REPLACEMENT CHARACTER}[2Jwet; battery: no value for more than 3 s"
    assert cells(view, facts=False)[0][4].plain == shown
    list(view.hear("cm/roof/status/state", b"online", retained=False))
    assert cells(view, facts=False)[0][4].plain == ""


def test_more_sensors_than_lines_are_counted() -> None:
    view = FleetView()
    for number in range(50):
        list(view.hear(f"cm/t{number}/status/state", b"online", retained=True))
    drawn = table(view, None, cells(view, facts=False), room=10)
    assert drawn.row_count == 10
    assert str(drawn.caption).startswith("and 40 more")


# Commands.


@pytest.fixture
def lamp(wires: Wires, eyes: Eyes) -> House:
    wires.run("lamp", 'kind = "lamp"\npin = 27\n')
    eyes.wait_value("cm/lamp/status/state", "online")
    return wires.house


@pytest.mark.parametrize("payload", ["on", '{"state":"on"}', '"on"', '{"state":"on","for_s":60,"id":"mine"}'])
def test_a_command_is_sent_and_its_answer_printed(lamp: House, eyes: Eyes, payload: str) -> None:
    sent = lamp.penates("send", "cm/lamp", "set", payload)
    assert (sent.returncode, sent.stdout) == (0, "cm/lamp set: done\n"), sent.stderr
    eyes.wait_value("cm/lamp/data/on", value=True)
    command = eyes.on("cm/lamp/action/set")[-1]
    assert command.value["id"]
    assert not command.retain
    assert 3 < timestamps.parse(command.value["before"]).timestamp() - time.time() + 2 < 8


def test_without_a_payload_it_is_now(lamp: House) -> None:
    sent = lamp.penates("send", "cm/lamp", "read", "--json")
    assert sent.returncode == 0
    assert json.loads(sent.stdout)["result"] == "done"


def test_a_refusal_is_exit_1_with_the_reason(lamp: House) -> None:
    sent = lamp.penates("send", "cm/lamp", "set", "bright")
    assert (sent.returncode, sent.stdout) == (1, "cm/lamp set: refused: say on, off, toggle\n")


def test_silence_is_exit_1_with_what_is_known(lamp: House, eyes: Eyes) -> None:
    eyes.publish("cm/cellar/status/state", "lost", retain=True)
    sent = lamp.penates("send", "cm/cellar", "read", "--wait", "1")
    assert sent.returncode == 1
    assert "no answer in 1 s; the state of cm/cellar is lost" in sent.stderr
    silent = lamp.penates("send", "--broker", "127.0.0.1:1", "cm/cellar", "read", "--wait", "1")
    assert silent.returncode == 1
    assert "Connection refused" in silent.stderr


def test_another_answer_is_not_taken_for_ours(lamp: House, eyes: Eyes) -> None:
    for answer in (b"", b"[]", b'{"id":"other","result":"done"}', b"\xff"):
        eyes.publish("cm/cellar/status/action", answer, retain=True)
        assert lamp.penates("send", "cm/cellar", "read", "--wait", "0.7").returncode == 1


@pytest.mark.parametrize(
    "words",
    [
        ["lamp", "set"],
        ["cm/lamp/x", "set"],
        ["cm/lamp", "a/b"],
        ["cm/lamp", "set", "NaN"],
        ["cm/lamp", "set", ""],
        ["cm/lamp", "set", "on", "--wait", "0"],
        ["cm/lamp", "set", "on", "--broker", "mqtt://x"],
    ],
)
def test_what_cannot_be_a_command_is_refused_before_it_is_sent(house: House, words: list[str]) -> None:
    house.write(1)
    sent = house.penates("send", *words)
    assert sent.returncode == 2
    assert sent.stderr.startswith("usage: ")


# The shell's help.


def completion(house: House, shell: str) -> str:
    command = [*PENATES, "completion", shell]
    return subprocess.run(command, env=house.env(), capture_output=True, text=True, check=True).stdout


def test_completion_is_sound_shell(house: House) -> None:
    subprocess.run(["bash", "-n"], input=completion(house, "bash"), text=True, check=True)
    assert "_penates_sensors" in completion(house, "zsh")


def test_bash_completes_commands_options_sensors_and_kinds(house: House) -> None:
    house.write(1)
    house.thermometer("cellar")
    house.thermometer("kitchen")
    tries = """
    try() {
      COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE="$*" COMPREPLY=()
      COMP_POINT=${#COMP_LINE}
      _shtab_penates
      echo "${COMPREPLY[*]}"
    }
    try penates st
    try penates watch --j
    try penates restart --config HOUSE k
    try penates run --config HOUSE ''
    try penates hi
    try penates history --config HOUSE ce
    try penates import --pr
    try penates new d
    try penates kinds therm
    """.replace("HOUSE", str(house.folder))
    script = completion(house, "bash") + tries
    tried = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    assert tried.stdout.splitlines() == [
        *("start stop status", "--json", "kitchen", "cellar kitchen"),
        *("history", "cellar", "--precision", "door", "thermometer"),
    ]
