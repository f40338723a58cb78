"""scripts/demo, as a stranger runs it."""

import os
import re
import signal
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

from bootstrap.device import host_name
from support.paths import ROOT
from support.world import eventually, pipe

OTHERS = ("bell", "cellar", "doorlock", "frontdoor", "hall", "lamp", "lcd", "meter")
SENSORS = (*(f"cm/{name}" for name in OTHERS), f"cm/{host_name('')}")
LISTENING = "0A"
DAY = (
    "cm/doorlock/data/state unlocked",
    "cm/frontdoor/data/open true",
    "cm/lamp/data/on true",
)  # what happens in its first seconds
VALUES = (
    "bell/data/pressed",
    "cellar/data/temperature",
    "frontdoor/data/open",
    "hall/data/motion",
    "lamp/data/on",
    "meter/data/energy_in",
)


def demo(temporary: Path, *words: str, before: tuple[str, ...] = ()) -> "subprocess.Popen[str]":
    """In a session of its own, so that a signal to all of it is Ctrl-C at a terminal."""
    temporary.mkdir(exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("NOTIFY", "GPIOZERO", "PENATES"))}
    return subprocess.Popen(
        [*before, ROOT / "scripts" / "demo", *words],
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
    found = re.search(r"mosquitto_sub -p (\d+)", said)
    assert found
    port = found[1]
    sockets = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    assert f"{int(port):04X}" not in {words[1].split(":")[1] for words in sockets if words[3] == LISTENING}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        assert str(temporary) not in words, words


def as_told(said: str, command: str) -> str:
    """What a line brings that is printed for another terminal, typed there as it stands; nothing, if it fails."""
    told = [line for line in said.splitlines() if line.startswith(("  cd ", f"  {command} "))]
    assert len(told) == 2, said
    done = subprocess.run(["bash", "-c", "\n".join(told)], capture_output=True, text=True, check=False)
    return "" if done.returncode else done.stdout


def is_drawn(text: str) -> bool:
    """Whether there is a chart of the cellar's temperature, with its line, and what it comes to below."""
    head, _, chart = text.partition("cm/cellar temperature (°C)")
    braille = [
        letter for letter in chart if "\N{BRAILLE PATTERN DOTS-1}" <= letter <= "\N{BRAILLE PATTERN DOTS-12345678}"
    ]
    return (
        "│" not in head
        and len(braille) > 20
        and re.search(r"\d readings, lowest 14, mean 1\d.*\n\n$", chart) is not None
    )


@pytest.mark.long
def test_the_demo_shows_five_sensors_and_more_and_leaves_nothing(tmp_path: Path) -> None:
    temporary = tmp_path / "t"
    picture = tmp_path / "picture.svg"
    running = demo(temporary, "--picture", str(picture))
    said = wait_drawn(running)
    out = read_until(running, [f"{sensor}/status/state online" for sensor in SENSORS])
    out += read_until(running, DAY, out)
    assert as_told(said, "penates send --config config cm/lcd") == "cm/lcd alert: done\n"
    out += read_until(running, [r'cm/lcd/data/shown "Dinner is ready\n\n\n"'], out)
    assert as_told(said, "penates lcd shot") == ""
    (shot,) = temporary.glob("penates-demo-*/lcd.png")
    assert shot.read_bytes().startswith(b"\x89PNG")
    running.terminate()
    rest, more = running.communicate(timeout=120)
    assert running.returncode == 0, more
    for value in VALUES:
        assert re.search(rf"^cm/{value} \S+$", out + rest, re.MULTILINE), value
    # It ends with what was recorded of it.
    assert is_drawn(rest), rest
    nothing_is_left(temporary, said + more)
    drawn = picture.read_text()
    assert "frontdoor" in drawn
    assert "data:image/png" in drawn, "the display is drawn beside the table"
    assert "://" not in drawn.replace("http://www.w3.org/2000/svg", "").replace("https://www.textualize.io", "")


def read_until(running: "subprocess.Popen[str]", wanted: Iterable[str], out: str = "") -> str:
    """What it prints until it has printed all of these lines; `out` was printed before."""
    missing, more = {*wanted} - {*out.splitlines()}, ""
    for line in pipe(running.stdout) if missing else ():
        more += line
        missing.discard(line.rstrip("\n"))
        if not missing:
            break
    assert not missing, more
    return more


def wait_drawn(running: "subprocess.Popen[str]") -> str:
    """Until the history can be drawn in another terminal; what was said until then."""
    said = ""
    for line in pipe(running.stderr):
        said += line
        if line == "connected\n":
            break
    eventually(lambda: is_drawn(as_told(said, "penates history")), "the history is drawn in another terminal")
    return said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_demo_is_ended_by_hand_and_leaves_nothing(tmp_path: Path, number: int) -> None:
    temporary = tmp_path / "t"
    background = ("sh", "-c", "trap '' INT; exec \"$@\"", "sh")  # as a shell without job control starts it there
    running = demo(temporary, before=background if number == signal.SIGINT else ())
    said = wait_drawn(running)
    (os.killpg if number == signal.SIGINT else os.kill)(running.pid, number)
    out, rest = running.communicate(timeout=120)
    assert running.returncode == 0
    assert is_drawn(out), out
    nothing_is_left(temporary, said + rest)


def test_the_demo_keeps_its_files_where_it_is_told(tmp_path: Path) -> None:
    kept = tmp_path / "t" / "kept"
    running = demo(tmp_path / "t", "--keep", "kept")
    said = wait_drawn(running)
    running.terminate()
    running.communicate(timeout=120)
    assert running.returncode == 0
    assert is_drawn(as_told(said, "penates history"))
    assert (kept / "config" / "house.toml").exists()
    assert "cm/cellar: stopping" in (kept / "supervisor.log").read_text()
    assert eventually(lambda: not (kept / "state" / "supervisor.sock").exists(), "the supervisor is gone")
    again = demo(tmp_path / "t", "--for", "2", "--keep", "kept")
    _, said = again.communicate(timeout=120)
    assert again.returncode == 2
    assert "is not empty; use a new folder" in said
    third = demo(tmp_path / "t", "--for", "1", "--keep", "third")
    third.communicate(timeout=120)
    assert third.returncode == 0


def test_it_prints_what_home_assistant_is_told(tmp_path: Path) -> None:
    running = demo(tmp_path / "tmp", "--home-assistant")
    said, _ = running.communicate(timeout=120)
    assert running.returncode == 0
    devices = {part.partition(":")[0]: part for part in said.split("\n\n")}
    assert {*devices} == {*(sensor.removeprefix("cm/") for sensor in SENSORS), "recorder"}
    assert (
        "  sensor         Temperature      temperature, °C, measurement, from cm/cellar/data/temperature\n"
        in devices["cellar"]
    )
    assert "  switch         (lamp)           to cm/lamp/action/set, from cm/lamp/data/on\n" in devices["lamp"]
    assert not list((tmp_path / "tmp").glob("penates-demo-*"))


def lamp_states(out: str) -> list[str]:
    """What is told of the cabin's lamp, in order."""
    return [line.partition(" ")[2] for line in out.splitlines() if line.startswith("cabin/lamp/status/state ")]


@pytest.mark.long
def test_two_sites_end_with_equal_counts_though_their_link_was_cut(tmp_path: Path) -> None:
    running = demo(tmp_path / "t", "--two-sites", "--for", "30")
    out, said = running.communicate(timeout=120)
    assert running.returncode == 0, out + said
    before, _, after = out.partition("THE LINK IS CUT\n")
    assert lamp_states(before)[-1:] == ["online"]
    assert lamp_states(after) in (["unreachable"], ["unreachable", "online"])  # a busy machine may not see it return
    counts = re.findall(r"^(home|cabin) +(\d+) +(\d+) +(\d+)$", out, re.MULTILINE)
    assert [site for site, *_ in counts] == ["home", "cabin"], out
    assert all(int(numbers[0]) > 20 and len(set(numbers)) == 1 for _, *numbers in counts), out
    assert out.endswith("\nequal\n")
    nothing_is_left(tmp_path / "t", out)


def test_two_sites_need_time(tmp_path: Path) -> None:
    running = demo(tmp_path / "t", "--two-sites", "--for", "5")
    _, said = running.communicate(timeout=120)
    assert running.returncode == 2
    assert "at least 15 seconds, not 5" in said
