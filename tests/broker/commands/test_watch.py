"""`penates watch`: what a person sees of a house."""

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

from bootstrap.contract import timestamps
from support.watched_lines import PENATES, Lines
from support.world import Broker, Eyes, House, Wires, eventually


@pytest.fixture
def watch(house: House) -> Any:
    watching: list[Lines] = []

    def begin(*words: str, before: tuple[str, ...] = ()) -> Lines:
        watching.append(Lines(house.env(), *words, before=before))
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


def test_a_script_that_has_started_it_in_the_background_can_stop_it(broker: Broker, watch: Watch) -> None:
    """A shell without job control has SIGINT ignored there."""
    lines = watch("--broker", f"127.0.0.1:{broker.port}", before=("sh", "-c", "trap '' INT; exec \"$@\"", "sh"))
    lines.wait("connected", lines.err)
    assert lines.end() == 0


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
    ended = subprocess.run(["bash", "-c", command], env=env, capture_output=True, text=True, timeout=120, check=False)
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

    def __init__(self, env: dict[str, str], *words: str, term: str = "xterm", columns: int = 110) -> None:
        self.end, theirs = pty.openpty()
        env = {**env, "TERM": term, "COLUMNS": str(columns), "LINES": "30"}
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
        assert terminal.process.wait(120) == 0
    finally:
        terminal.process.kill()
        terminal.process.wait()
        os.close(terminal.end)


@pytest.mark.parametrize(
    ("term", "seen"),
    [("xterm", r"cm/frontdoor online \d+ s\s+open false"), ("dumb", "^cm/frontdoor/data/open false\r\n")],
)
def test_a_narrow_terminal_and_a_dumb_one(wires: Wires, eyes: Eyes, term: str, seen: str) -> None:
    wires.line(17).drive(False)
    wires.run("frontdoor", 'kind = "door"\npin = 17\n')
    eyes.wait_value("cm/frontdoor/data/open", value=False)
    terminal = Terminal(wires.house.env(), "--config", str(wires.house.folder), term=term, columns=40)
    try:
        terminal.wait(f"(?m){seen}")
        terminal.process.send_signal(signal.SIGINT)
        assert terminal.process.wait(120) == 0
        assert "Traceback" not in terminal.seen
    finally:
        terminal.process.kill()
        terminal.process.wait()
        os.close(terminal.end)
