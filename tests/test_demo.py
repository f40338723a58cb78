"""scripts/demo, as a stranger runs it."""

import os
import re
import signal
import subprocess
from pathlib import Path

import pytest
from world import eventually

from bootstrap.device import host_name

ROOT = Path(__file__).parent.parent
SENSORS = ("cm/bell", "cm/cellar", "cm/frontdoor", "cm/hall", "cm/lamp", f"cm/{host_name('')}")
LISTENING = "0A"
VALUES = ("bell/data/pressed", "cellar/data/temperature", "frontdoor/data/open", "hall/data/motion", "lamp/data/on")


def demo(temporary: Path, *words: str) -> "subprocess.Popen[str]":
    """In a session of its own, so that a signal to all of it is Ctrl-C at a terminal."""
    temporary.mkdir(exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("NOTIFY", "GPIOZERO", "PENATES"))}
    return subprocess.Popen(
        [ROOT / "scripts" / "demo", *words],
        env={**kept, "TMPDIR": str(temporary)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        cwd=temporary,
    )


def nothing_is_left(temporary: Path, said: str) -> None:
    assert not list(temporary.glob("penates-demo-*"))
    port = re.search(r"mosquitto_sub -p (\d+)", said)[1]
    sockets = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    assert f"{int(port):04X}" not in {words[1].split(":")[1] for words in sockets if words[3] == LISTENING}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        assert str(temporary) not in words, words


@pytest.mark.long
def test_the_demo_shows_five_sensors_and_more_and_leaves_nothing(tmp_path: Path) -> None:
    temporary = tmp_path / "t"
    picture = tmp_path / "picture.svg"
    running = demo(temporary, "--for", "11", "--picture", str(picture))
    out, said = running.communicate(timeout=60)
    assert running.returncode == 0, said
    for sensor in SENSORS:
        assert f"{sensor}/status/state online" in out.splitlines()
    for value in VALUES:
        assert re.search(rf"^cm/{value} \S+$", out, re.MULTILINE), value
    # The day has begun.
    assert "cm/frontdoor/data/open true" in out
    assert "cm/lamp/data/on true" in out
    nothing_is_left(temporary, said)
    drawn = picture.read_text()
    assert "frontdoor" in drawn
    assert "://" not in drawn.replace("http://www.w3.org/2000/svg", "").replace("https://www.textualize.io", "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_demo_is_ended_by_hand_and_leaves_nothing(tmp_path: Path, number: int) -> None:
    temporary = tmp_path / "t"
    running = demo(temporary)
    said = ""
    for line in running.stderr:
        said += line
        if line == "connected\n":
            break
    running.stdout.readline()
    (os.killpg if number == signal.SIGINT else os.kill)(running.pid, number)
    _, rest = running.communicate(timeout=30)
    assert running.returncode == 0
    nothing_is_left(temporary, said + rest)


def test_the_demo_keeps_its_files_where_it_is_told(tmp_path: Path) -> None:
    kept = tmp_path / "t" / "kept"
    running = demo(tmp_path / "t", "--for", "2", "--keep", "kept")
    running.communicate(timeout=60)
    assert running.returncode == 0
    assert (kept / "config" / "house.toml").exists()
    assert "cm/cellar: stopping" in (kept / "supervisor.log").read_text()
    assert eventually(lambda: not (kept / "state" / "supervisor.sock").exists(), "the supervisor is gone")
    again = demo(tmp_path / "t", "--for", "2", "--keep", "kept")
    _, said = again.communicate(timeout=60)
    assert again.returncode == 2
    assert "is not empty; name a new folder" in said
